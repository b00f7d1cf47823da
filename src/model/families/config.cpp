#include "rlaif/model/config.hpp"

#include <limits>

#include "config_reader.hpp"
#include "families.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::model {
namespace {

const Family& family_of(const ConfigReader& json) {
  const Family* const family = find_family(json.text("model_type", ""));
  if (!family) throw json.at("model_type").unexpected("one of: " + family_names());
  const auto architectures = json.given("architectures");
  if (!architectures) return *family;
  const std::vector<JsonReader> names = architectures->items(1);
  if (names.size() != 1) throw architectures->unexpected("a list of one name");
  names[0].one_of({family->causal_architecture, family->scalar_architecture});
  return *family;
}

// What the config says of the weights' type; what they are is in their own files.
void check_weight_type(const ConfigReader& json) {
  for (const char* const key : {"dtype", "torch_dtype"}) {
    std::string type = json.text(key, "float32");
    if (type.starts_with("torch.")) type = type.substr(6);
    if (type != "float32" && type != "bfloat16" && type != "float16")
      throw json.at(key).unexpected("float32, bfloat16 or float16");
  }
}

// Throws Error(input) with what was expected where a condition does not hold.
class Expect {
 public:
  explicit Expect(const std::string& source) : source_(source) {}
  void operator()(bool holds, const std::string& message) const {
    if (!holds) throw input_error(source_ + ": " + message);
  }

 private:
  const std::string& source_;
};

void check_sizes(const ModelConfig& config, const Expect& expect) {
  constexpr std::int64_t largest = std::int64_t{1} << 28;  // products of two fit into 64 bits with room to spare
  const std::pair<const char*, std::int64_t> sizes[] = {{"vocab_size", config.vocab_size},
                                                        {"hidden_size", config.hidden_size},
                                                        {"num_layers", config.num_layers},
                                                        {"num_heads", config.num_heads},
                                                        {"num_kv_heads", config.num_kv_heads},
                                                        {"head_dim", config.head_dim},
                                                        {"intermediate_size", config.intermediate_size},
                                                        {"max_positions", config.max_positions}};
  for (const auto& [name, value] : sizes)
    expect(value > 0 && value <= largest, std::string(name) + ": expected 1 to 2^28, found " + std::to_string(value));
  expect(config.num_layers <= 10000, "num_layers: expected at most 10000, found " + std::to_string(config.num_layers));
  expect(config.max_positions <= 1 << 22,
         "max_positions: expected at most 2^22, found " + std::to_string(config.max_positions));
  expect(config.num_heads % config.num_kv_heads == 0, "num_kv_heads: expected a divisor of num_heads (" +
                                                          std::to_string(config.num_heads) + "), found " +
                                                          std::to_string(config.num_kv_heads));
  expect(config.num_heads * config.head_dim <= largest, "num_heads * head_dim: expected at most 2^28");
  expect(config.head_dim % 2 == 0, "head_dim: expected an even number, found " + std::to_string(config.head_dim));
  expect(config.norm_eps >= 0 && config.norm_eps < 1, "norm_eps: expected a small number, not negative");
}

void check_positions(const ModelConfig& config, const Expect& expect) {
  expect(config.rope_theta > 1 && config.rope_theta < std::numeric_limits<double>::infinity(),
         "rope_theta: expected a number above 1");
  expect(config.rotary_dims >= -1 && config.rotary_dims <= config.head_dim && config.rotated() % 2 == 0,
         "rotary_dims: expected an even number up to head_dim, found " + std::to_string(config.rotary_dims));
  expect(!config.query_key_norm || config.rotated() == 0 || config.rotated() == config.head_dim,
         "rotary_dims: expected all of a head where its queries and keys are normed");
  expect(config.sliding_window >= 0,
         "sliding_window: expected 0 or more, found " + std::to_string(config.sliding_window));
  expect(config.sliding_from_layer >= 0, "sliding_from_layer: expected 0 or more");
  using Kind = RopeScaling::Kind;
  const RopeScaling& scaling = config.rope_scaling;
  if (scaling.kind == Kind::none) return;
  expect(scaling.factor >= 1.0 && scaling.factor < 1e6,
         "rope_scaling.factor: expected 1 or more, found " + std::to_string(scaling.factor));
  if (scaling.kind == Kind::linear) return;
  expect(scaling.original_positions > 0, "rope_scaling.original_max_position_embeddings: expected 1 or more, found " +
                                             std::to_string(scaling.original_positions));
  if (scaling.kind == Kind::llama3)
    expect(scaling.low_freq_factor > 0.0 && scaling.high_freq_factor > scaling.low_freq_factor,
           "rope_scaling.high_freq_factor: expected more than low_freq_factor, and that above 0");
  if (scaling.kind == Kind::yarn)
    expect(scaling.beta_slow > 0.0 && scaling.beta_fast >= scaling.beta_slow && scaling.attention_factor >= 0.0,
           "rope_scaling.beta_fast: expected beta_slow or more, and that above 0");
}

}  // namespace

std::int64_t ModelConfig::num_parameters() const {
  const std::int64_t d = hidden_size, attended = num_heads * head_dim, keys = num_kv_heads * head_dim;
  const std::int64_t norm_size = norm == NormKind::layer ? 2 * d : d;
  std::int64_t layer = (2 * attended + 2 * keys) * d + (up_rows() + intermediate_size) * d + 2 * norm_size;
  if (qkv_bias) layer += attended + 2 * keys;
  if (output_bias) layer += d;
  if (mlp_bias) layer += up_rows() + d;
  if (query_key_norm) layer += 2 * head_dim;
  return (tied_embeddings ? 1 : 2) * vocab_size * d + (learned_positions ? max_positions * d : 0) + num_layers * layer +
         norm_size;
}

void ModelConfig::validate(const std::string& source) const {
  const Expect expect(source);
  expect(find_family(architecture),
         "architecture \"" + architecture + "\" is not supported, expected one of: " + family_names());
  check_sizes(*this, expect);
  check_positions(*this, expect);
  std::vector<std::pair<const char*, TokenId>> tokens{{"bos_token_id", bos_token}, {"pad_token_id", pad_token}};
  for (const TokenId id : end_tokens.ids()) tokens.push_back({"eos_token_id", id});
  for (const auto& [name, id] : tokens)
    expect(id >= -1 && id < vocab_size, std::string(name) + ": expected a token id below " +
                                            std::to_string(vocab_size) + " or -1, found " + std::to_string(id));
}

ModelConfig read_config(const std::filesystem::path& config_json) {
  const ConfigReader json(config_json);
  const Family& family = family_of(json);
  if (const auto quantized = json.given("quantization_config"))
    throw quantized->unexpected("it absent or null, as quantized weights are not supported");
  check_weight_type(json);
  ModelConfig config;
  config.architecture = family.name;
  config.vocab_size = json.integer("vocab_size");
  config.tied_embeddings = json.flag("tie_word_embeddings", family.tied_by_default);
  config.bos_token = json.token("bos_token_id");
  config.end_tokens = EndTokens(json.tokens("eos_token_id"));
  config.pad_token = json.token("pad_token_id");
  family.read(json, config);
  json.expect_all_known();
  config.validate(config_json.string());
  return config;
}

}  // namespace rlaif::model
