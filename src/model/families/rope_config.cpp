#include "rope_config.hpp"

#include <algorithm>
#include <cmath>

#include "rlaif/core/error.hpp"

namespace rlaif::model {
namespace {

using Kind = RopeScaling::Kind;

constexpr std::pair<const char*, Kind> kinds[] = {
    {"default", Kind::none}, {"linear", Kind::linear}, {"llama3", Kind::llama3}, {"yarn", Kind::yarn}};

const char* name_of(Kind kind) {
  for (const auto& [name, known] : kinds)
    if (known == kind) return name;
  RLAIF_CHECK(false, "a known kind of rotary scaling");
}

Kind kind_of(const ConfigReader& json) {
  const std::string older = json.text("type", "default"), type = json.text("rope_type", older);
  for (const auto& [name, kind] : kinds)
    if (type == name) return kind;
  throw json.at(json.given("rope_type") ? "rope_type" : "type").unexpected("default, linear, llama3 or yarn");
}

// YaRN's growth of lengths with the logarithm of the factor, weighted.
double yarn_length(double factor, double weight) { return factor <= 1.0 ? 1.0 : 0.1 * weight * std::log(factor) + 1.0; }

RopeScaling read_scaling(const ConfigReader& json, const ModelConfig& config) {
  RopeScaling scaling;
  scaling.kind = kind_of(json);
  if (scaling.kind == Kind::none) return scaling;
  scaling.factor = json.number("factor");
  if (scaling.kind == Kind::linear) return scaling;
  scaling.original_positions = json.integer("original_max_position_embeddings", config.max_positions);
  if (scaling.kind == Kind::llama3) {
    scaling.low_freq_factor = json.number("low_freq_factor");
    scaling.high_freq_factor = json.number("high_freq_factor");
    return scaling;
  }
  scaling.beta_fast = json.number("beta_fast", 32.0);
  scaling.beta_slow = json.number("beta_slow", 1.0);
  json.expect_flag("truncate", true);
  const double of_all = json.number("mscale_all_dim", 0.0), of_some = json.number("mscale", 0.0);
  scaling.attention_factor = json.number("attention_factor", 0.0);
  if (json.given("attention_factor") && scaling.attention_factor <= 0.0)
    throw json.at("attention_factor").unexpected("a positive number");
  if (!json.given("attention_factor") && of_all != 0.0 && of_some != 0.0)
    scaling.attention_factor = yarn_length(scaling.factor, of_some) / yarn_length(scaling.factor, of_all);
  return scaling;
}

}  // namespace

std::int64_t rotary_dims_of(const JsonReader& field, double part, std::int64_t head_dim) {
  if (!(part >= 0.0 && part <= 1.0)) throw field.unexpected("a number from 0 to 1");
  const auto dims = static_cast<std::int64_t>(static_cast<double>(head_dim) * part);
  if (dims % 2 != 0)
    throw field.error(std::to_string(part) + " of a head of " + std::to_string(head_dim) +
                      " dimensions is an odd number of them, expected an even one");
  return dims == head_dim ? -1 : dims;
}

void read_rope(const ConfigReader& json, const std::string& theta_key, ModelConfig& config) {
  config.rope_theta = json.number(theta_key, 10000.0);
  const auto older = json.object("rope_scaling"), newer = json.object("rope_parameters");
  if (older) {
    config.rope_scaling = read_scaling(*older, config);
    config.rope_theta = older->number("rope_theta", config.rope_theta);
    older->expect_all_known();
  }
  if (newer) {
    const RopeScaling scaling = read_scaling(*newer, config);
    if (older && scaling != config.rope_scaling) throw json.at("rope_parameters").error("contradicts 'rope_scaling'");
    config.rope_scaling = scaling;
    config.rope_theta = newer->number("rope_theta", config.rope_theta);
    if (const auto part = newer->given("partial_rotary_factor"))
      config.rotary_dims = rotary_dims_of(*part, part->number(), config.head_dim);
    newer->expect_all_known();
  }
}

Json rope_scaling_json(const ModelConfig& config) {
  const RopeScaling& scaling = config.rope_scaling;
  if (scaling.kind == Kind::none) return nullptr;
  Json json{{"rope_type", name_of(scaling.kind)}, {"factor", scaling.factor}};
  if (scaling.kind == Kind::linear) return json;
  json["original_max_position_embeddings"] = scaling.original_positions;
  if (scaling.kind == Kind::llama3) {
    json["low_freq_factor"] = scaling.low_freq_factor;
    json["high_freq_factor"] = scaling.high_freq_factor;
    return json;
  }
  json["beta_fast"] = scaling.beta_fast;
  json["beta_slow"] = scaling.beta_slow;
  if (scaling.attention_factor > 0.0) json["attention_factor"] = scaling.attention_factor;
  return json;
}

Json rope_parameters_json(const ModelConfig& config) {
  Json json{{"rope_theta", config.rope_theta}};
  const Json scaling = rope_scaling_json(config);
  if (scaling.is_null()) json["rope_type"] = "default";
  for (const auto& [key, value] : scaling.items()) json[key] = value;
  return json;
}

double rotary_part(const ModelConfig& config) {
  const auto size = static_cast<double>(config.head_dim), dims = static_cast<double>(config.rotated());
  const double part = dims / size;  // readers take the whole part of size * part, which rounding may have made less
  return std::floor(size * part) < dims ? std::nextafter(part, 1.0) : part;
}

}  // namespace rlaif::model
