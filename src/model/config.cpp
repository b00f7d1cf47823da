#include "rlaif/model/config.hpp"

#include <limits>
#include <optional>

#include "families.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json.hpp"

namespace rlaif::model {
namespace {

// Reads fields of one config.json; each failure names the file and the field.
class ConfigReader {
 public:
  explicit ConfigReader(const std::filesystem::path& file) : file_(file) {
    try {
      root_ = Json::parse(read_file(file));
    } catch (const Json::exception& error) {
      throw input_error(file, std::string("expected JSON: ") + error.what());
    }
    if (!root_.is_object()) throw input_error(file, "expected a JSON object");
  }

  [[noreturn]] void fail(const std::string& message) const { throw input_error(file_, message); }

  // nullptr where absent or null.
  const Json* find(const std::string& key) const {
    const auto found = root_.find(key);
    return found == root_.end() || found->is_null() ? nullptr : &*found;
  }
  std::int64_t integer(const std::string& key, std::optional<std::int64_t> otherwise = {}) const {
    const Json* const value = find(key);
    if (!value && otherwise) return *otherwise;
    if (!value) fail("expected the field \"" + key + "\"");
    return integer_of(*value, key);
  }
  double number(const std::string& key, double otherwise) const {
    const Json* const value = find(key);
    if (!value) return otherwise;
    if (!value->is_number()) fail("\"" + key + "\": expected a number, found " + value->dump());
    return value->get<double>();
  }
  std::string text(const std::string& key, const std::string& otherwise) const {
    const Json* const value = find(key);
    if (!value) return otherwise;
    if (!value->is_string()) fail("\"" + key + "\": expected a string, found " + value->dump());
    return value->get<std::string>();
  }
  bool flag(const std::string& key, bool otherwise) const {
    const Json* const value = find(key);
    if (!value) return otherwise;
    if (!value->is_boolean()) fail("\"" + key + "\": expected true or false, found " + value->dump());
    return value->get<bool>();
  }
  // A number, a list whose first entry counts, or none.
  TokenId token(const std::string& key) const {
    const Json* value = find(key);
    if (!value) return -1;
    if (value->is_array()) {
      if (value->empty()) return -1;
      value = &value->front();
    }
    const std::int64_t id = integer_of(*value, key);
    if (id < -1 || id > std::numeric_limits<TokenId>::max()) fail("\"" + key + "\": expected a token id, found " + value->dump());
    return static_cast<TokenId>(id);
  }

 private:
  std::int64_t integer_of(const Json& value, const std::string& key) const {
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() && value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()))
      fail("\"" + key + "\": expected an integer, found " + value.dump());
    return value.get<std::int64_t>();
  }

  std::filesystem::path file_;
  Json root_;
};

// What a checkpoint may ask for that this transformer does not compute is refused by name: a model that loads is the
// model its authors meant.
void refuse_unknown_features(const ConfigReader& json) {
  if (json.find("quantization_config")) json.fail("\"quantization_config\": quantized weights are not supported");
  for (const char* const key : {"attention_bias", "mlp_bias"})
    if (json.flag(key, false)) json.fail(std::string("\"") + key + "\": true is not supported, expected false");
  const std::string activation = json.text("hidden_act", "silu");
  if (activation != "silu") json.fail("\"hidden_act\": \"" + activation + "\" is not supported, expected \"silu\"");
  if (const Json* const scaling = json.find("rope_scaling"))
    json.fail("\"rope_scaling\": expected null, found " + scaling->dump());
}

// transformers 5 writes {"rope_parameters": {"rope_theta": t, "rope_type": "default"}}, earlier ones "rope_theta".
double rope_theta(const ConfigReader& json) {
  const Json* const parameters = json.find("rope_parameters");
  if (!parameters) return json.number("rope_theta", 10000.0);
  if (!parameters->is_object()) json.fail("\"rope_parameters\": expected an object, found " + parameters->dump());
  double theta = json.number("rope_theta", 10000.0);
  for (const auto& [key, value] : parameters->items()) {
    if (key == "rope_theta" && value.is_number())
      theta = value.get<double>();
    else if ((key == "rope_type" || key == "type") && value == "default")
      continue;
    else
      json.fail("\"rope_parameters." + key + "\": " + value.dump() + " is not supported, expected the default rotary embedding");
  }
  return theta;
}

const Family& family_of(const ConfigReader& json) {
  const std::string type = json.text("model_type", "");
  const Family* const family = find_family(type);
  if (!family) json.fail("\"model_type\": \"" + type + "\" is not supported, expected one of: " + family_names());
  const Json* const architectures = json.find("architectures");
  if (!architectures) return *family;
  if (!architectures->is_array() || architectures->size() != 1 || !architectures->front().is_string())
    json.fail("\"architectures\": expected one name, found " + architectures->dump());
  const auto name = architectures->front().get<std::string>();
  if (name != family->causal_architecture && name != family->scalar_architecture)
    json.fail("\"architectures\": \"" + name + "\" is not supported, expected " + family->causal_architecture + " or " +
              family->scalar_architecture);
  return *family;
}

}  // namespace

std::int64_t ModelConfig::num_parameters() const {
  const std::int64_t attended = num_heads * head_dim;
  const std::int64_t attention = (2 * attended + 2 * num_kv_heads * head_dim) * hidden_size;
  const std::int64_t layer = attention + 3 * intermediate_size * hidden_size + 2 * hidden_size;
  return (tied_embeddings ? 1 : 2) * vocab_size * hidden_size + num_layers * layer + hidden_size;
}

void ModelConfig::validate(const std::string& source) const {
  const auto expect = [&](bool holds, const std::string& message) {
    if (!holds) throw input_error(source + ": " + message);
  };
  if (!find_family(architecture))
    throw input_error(source + ": architecture \"" + architecture + "\" is not supported, expected one of: " +
                      family_names());
  constexpr std::int64_t largest = std::int64_t{1} << 28;  // products of two fit into 64 bits with room to spare
  const std::pair<const char*, std::int64_t> sizes[] = {
      {"vocab_size", vocab_size},     {"hidden_size", hidden_size},   {"num_layers", num_layers},
      {"num_heads", num_heads},       {"num_kv_heads", num_kv_heads}, {"head_dim", head_dim},
      {"intermediate_size", intermediate_size}, {"max_positions", max_positions}};
  for (const auto& [name, value] : sizes)
    expect(value > 0 && value <= largest, std::string(name) + ": expected 1 to 2^28, found " + std::to_string(value));
  expect(num_layers <= 10000, "num_layers: expected at most 10000, found " + std::to_string(num_layers));
  expect(num_heads % num_kv_heads == 0, "num_kv_heads: expected a divisor of num_heads (" + std::to_string(num_heads) +
                                            "), found " + std::to_string(num_kv_heads));
  expect(num_heads * head_dim <= largest, "num_heads * head_dim: expected at most 2^28");
  expect(head_dim % 2 == 0, "head_dim: expected an even number, found " + std::to_string(head_dim));
  expect(rope_theta > 0 && rope_theta < std::numeric_limits<double>::infinity(), "rope_theta: expected a positive number");
  expect(norm_eps >= 0 && norm_eps < 1, "norm_eps: expected a small number, not negative");
  const std::pair<const char*, TokenId> tokens[] = {
      {"bos_token", bos_token}, {"eos_token", eos_token}, {"pad_token", pad_token}};
  for (const auto& [name, id] : tokens)
    expect(id >= -1 && id < vocab_size, std::string(name) + ": expected a token id below " +
                                            std::to_string(vocab_size) + " or -1, found " + std::to_string(id));
}

ModelConfig read_config(const std::filesystem::path& config_json) {
  const ConfigReader json(config_json);
  ModelConfig config;
  config.architecture = family_of(json).name;
  refuse_unknown_features(json);
  config.vocab_size = json.integer("vocab_size");
  config.hidden_size = json.integer("hidden_size");
  config.num_layers = json.integer("num_hidden_layers");
  config.num_heads = json.integer("num_attention_heads");
  config.num_kv_heads = json.integer("num_key_value_heads", config.num_heads);
  config.head_dim = json.integer("head_dim", config.num_heads > 0 ? config.hidden_size / config.num_heads : 0);
  config.intermediate_size = json.integer("intermediate_size");
  config.max_positions = json.integer("max_position_embeddings", 2048);
  config.rope_theta = rope_theta(json);
  config.norm_eps = json.number("rms_norm_eps", 1e-6);
  config.tied_embeddings = json.flag("tie_word_embeddings", false);
  config.bos_token = json.token("bos_token_id");
  config.eos_token = json.token("eos_token_id");
  config.pad_token = json.token("pad_token_id");
  config.validate(config_json.string());
  return config;
}

}  // namespace rlaif::model
