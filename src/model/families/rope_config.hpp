// The rotary fields of config.json, as transformers 4 and 5 have them. Not a public header.
#pragma once

#include "config_reader.hpp"
#include "rlaif/model/config.hpp"

namespace rlaif::model {

// Sets rope_theta, rope_scaling and, where the config has a partial_rotary_factor, rotary_dims. transformers 5 writes
// {"rope_parameters": {"rope_theta": t, "rope_type": ...}}, earlier ones "rope_theta" and {"rope_scaling": {...}}.
// `theta_key` is the family's name of the latter's angle base. head_dim and max_positions must be set.
void read_rope(const ConfigReader& json, const std::string& theta_key, ModelConfig& config);
// rotary_dims for a part of the head, which `field` gives.
std::int64_t rotary_dims_of(const JsonReader& field, double part, std::int64_t head_dim);

// "rope_scaling" (null without scaling) and "rope_parameters", which say the same.
Json rope_scaling_json(const ModelConfig& config);
Json rope_parameters_json(const ModelConfig& config);
// The part of a head that is rotated, such that readers come back to the same number of dimensions.
double rotary_part(const ModelConfig& config);

}  // namespace rlaif::model
