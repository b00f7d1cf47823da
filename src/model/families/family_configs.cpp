#include "family_configs.hpp"

#include "rope_config.hpp"

namespace rlaif::model {
namespace {

// Names of activations and what they are. gelu_new, gelu_fast and gelu_pytorch_tanh are one function.
void read_activation(const ConfigReader& json, const std::string& key, const std::string& otherwise,
                     ModelConfig& config) {
  static const std::pair<const char*, Activation> known[] = {
      {"silu", Activation::swiglu},         {"swish", Activation::swiglu},
      {"gelu", Activation::gelu},           {"gelu_new", Activation::gelu_tanh},
      {"gelu_fast", Activation::gelu_tanh}, {"gelu_pytorch_tanh", Activation::gelu_tanh}};
  const bool gated = otherwise == "silu";
  const std::string name = json.text(key, otherwise);
  for (const auto& [known_name, activation] : known)
    if (name == known_name && gated == (activation == Activation::swiglu)) {
      config.activation = activation;
      return;
    }
  throw json.at(key).unexpected(gated ? "silu" : "gelu or gelu_new");
}

void read_sizes(const ConfigReader& json, ModelConfig& config) {
  config.hidden_size = json.integer("hidden_size");
  config.num_layers = json.integer("num_hidden_layers");
  config.num_heads = json.integer("num_attention_heads");
  config.num_kv_heads = config.num_heads;
  config.head_dim = config.num_heads > 0 ? config.hidden_size / config.num_heads : 0;
  config.intermediate_size = json.integer("intermediate_size");
}

void read_llama_like(const ConfigReader& json, ModelConfig& config) {
  read_sizes(json, config);
  config.num_kv_heads = json.integer("num_key_value_heads", config.num_heads);
  config.head_dim = json.integer("head_dim", config.head_dim);
  config.max_positions = json.integer("max_position_embeddings", 2048);
  config.norm_eps = json.number("rms_norm_eps", 1e-6);
  read_activation(json, "hidden_act", "silu", config);
  read_rope(json, "rope_theta", config);
  if (config.rotary_dims >= 0)
    throw json.at("rope_parameters").at("partial_rotary_factor").unexpected("1 in this family");
}

// Layers from a certain one on have a window; other patterns of "layer_types" are not covered.
void read_layer_types(const ConfigReader& json, ModelConfig& config) {
  const auto list = json.given("layer_types");
  if (!list) return;
  const std::vector<JsonReader> types = list->items();
  if (static_cast<std::int64_t>(types.size()) != config.num_layers)
    throw list->unexpected("a list of one name a layer");
  std::int64_t first = config.num_layers;
  for (std::int64_t l = 0; l < config.num_layers; ++l) {
    const JsonReader& type = types[static_cast<std::size_t>(l)];
    const bool is_sliding = type.one_of({"full_attention", "sliding_attention"}) == "sliding_attention";
    if (is_sliding && first == config.num_layers) first = l;
    if (!is_sliding && first < l) throw type.unexpected("sliding_attention above sliding_attention");
  }
  if (first < config.num_layers && config.sliding_window == 0)
    throw list->error("has sliding_attention, but 'use_sliding_window' is not true");
  config.sliding_from_layer = first;
}

void read_qwen_window(const ConfigReader& json, ModelConfig& config) {
  const std::int64_t window =
      json.has("sliding_window") && !json.given("sliding_window") ? 0 : json.integer("sliding_window", 4096);
  const std::int64_t from_layer = json.integer("max_window_layers", 28);
  if (json.flag("use_sliding_window", false)) {
    config.sliding_window = window;
    config.sliding_from_layer = from_layer;
  }
  read_layer_types(json, config);
  if (config.sliding_window > 0 && config.sliding_from_layer < config.num_layers) return;
  config.sliding_window = config.sliding_from_layer = 0;
}

void read_biased_layer_norms(ModelConfig& config) {
  config.norm = NormKind::layer;
  config.mlp_bias = true;
}

Json llama_like(const ModelConfig& config) {
  return {{"vocab_size", config.vocab_size},
          {"hidden_size", config.hidden_size},
          {"intermediate_size", config.intermediate_size},
          {"num_hidden_layers", config.num_layers},
          {"num_attention_heads", config.num_heads},
          {"num_key_value_heads", config.num_kv_heads},
          {"head_dim", config.head_dim},
          {"max_position_embeddings", config.max_positions},
          {"hidden_act", "silu"},
          {"rms_norm_eps", config.norm_eps},
          // The rotary fields of transformers 4 and 5, so that either reads the same angles.
          {"rope_theta", config.rope_theta},
          {"rope_scaling", rope_scaling_json(config)},
          {"rope_parameters", rope_parameters_json(config)}};
}

void write_qwen_window(const ModelConfig& config, Json& json) {
  const bool used = config.sliding_window > 0;
  json["use_sliding_window"] = used;
  json["sliding_window"] = used ? Json(config.sliding_window) : Json(nullptr);
  json["max_window_layers"] = used ? config.sliding_from_layer : config.num_layers;
  Json types = Json::array();
  for (std::int64_t l = 0; l < config.num_layers; ++l)
    types.push_back(config.window(l) > 0 ? "sliding_attention" : "full_attention");
  json["layer_types"] = types;
}

const char* gelu_name(const ModelConfig& config) { return config.activation == Activation::gelu ? "gelu" : "gelu_new"; }

}  // namespace

void read_llama(const ConfigReader& json, ModelConfig& config) {
  read_llama_like(json, config);
  config.qkv_bias = config.output_bias = json.flag("attention_bias", false);
  config.mlp_bias = json.flag("mlp_bias", false);
}

void read_mistral(const ConfigReader& json, ModelConfig& config) {
  json.integer("num_key_value_heads");  // absent it would be 8, not the number of heads
  read_llama_like(json, config);
  config.sliding_window = json.has("sliding_window") ? json.integer("sliding_window", 0) : 4096;
}

void read_qwen2(const ConfigReader& json, ModelConfig& config) {
  json.integer("num_key_value_heads");
  read_llama_like(json, config);
  config.qkv_bias = true;
  read_qwen_window(json, config);
}

void read_qwen3(const ConfigReader& json, ModelConfig& config) {
  json.integer("num_key_value_heads");
  read_llama_like(json, config);
  config.head_dim = json.integer("head_dim", 128);
  config.query_key_norm = true;
  config.qkv_bias = config.output_bias = json.flag("attention_bias", false);
  read_qwen_window(json, config);
}

void read_gpt_neox(const ConfigReader& json, ModelConfig& config) {
  read_sizes(json, config);
  read_biased_layer_norms(config);
  config.max_positions = json.integer("max_position_embeddings", 2048);
  config.norm_eps = json.number("layer_norm_eps", 1e-5);
  config.parallel_residual = json.flag("use_parallel_residual", true);
  config.qkv_bias = config.output_bias = json.flag("attention_bias", true);
  read_activation(json, "hidden_act", "gelu", config);
  config.rotary_dims = rotary_dims_of(json.at("rotary_pct"), json.number("rotary_pct", 0.25), config.head_dim);
  read_rope(json, "rotary_emb_base", config);
  if (json.number("rope_theta", config.rope_theta) != config.rope_theta)
    throw json.at("rope_theta").error("contradicts 'rotary_emb_base'");
}

void read_gpt2(const ConfigReader& json, ModelConfig& config) {
  config.hidden_size = json.integer("n_embd");
  config.num_layers = json.integer("n_layer");
  config.num_heads = config.num_kv_heads = json.integer("n_head");
  config.head_dim = config.num_heads > 0 ? config.hidden_size / config.num_heads : 0;
  config.intermediate_size = json.integer("n_inner", 4 * config.hidden_size);
  config.max_positions = json.integer("n_positions", 1024);
  config.norm_eps = json.number("layer_norm_epsilon", 1e-5);
  config.learned_positions = true;
  config.rotary_dims = 0;
  read_biased_layer_norms(config);
  config.qkv_bias = config.output_bias = true;
  read_activation(json, "activation_function", "gelu_new", config);
  json.expect_flag("scale_attn_weights", true);
  json.expect_flag("scale_attn_by_inverse_layer_idx", false);
  json.expect_flag("add_cross_attention", false);
}

Json write_llama(const ModelConfig& config) {
  Json json = llama_like(config);
  json["attention_bias"] = config.qkv_bias;
  json["mlp_bias"] = config.mlp_bias;
  json["attention_dropout"] = 0.0;
  return json;
}

Json write_mistral(const ModelConfig& config) {
  Json json = llama_like(config);
  json["sliding_window"] = config.sliding_window > 0 ? Json(config.sliding_window) : Json(nullptr);
  json["attention_dropout"] = 0.0;
  return json;
}

Json write_qwen2(const ModelConfig& config) {
  Json json = llama_like(config);
  write_qwen_window(config, json);
  json["attention_dropout"] = 0.0;
  return json;
}

Json write_qwen3(const ModelConfig& config) {
  Json json = llama_like(config);
  json["attention_bias"] = config.qkv_bias;
  write_qwen_window(config, json);
  json["attention_dropout"] = 0.0;
  return json;
}

Json write_gpt_neox(const ModelConfig& config) {
  Json parameters = rope_parameters_json(config);
  parameters["partial_rotary_factor"] = rotary_part(config);
  return {{"vocab_size", config.vocab_size},
          {"hidden_size", config.hidden_size},
          {"intermediate_size", config.intermediate_size},
          {"num_hidden_layers", config.num_layers},
          {"num_attention_heads", config.num_heads},
          {"max_position_embeddings", config.max_positions},
          {"hidden_act", gelu_name(config)},
          {"layer_norm_eps", config.norm_eps},
          {"use_parallel_residual", config.parallel_residual},
          {"attention_bias", config.qkv_bias},
          {"rotary_pct", rotary_part(config)},
          {"rotary_emb_base", config.rope_theta},
          {"rope_scaling", rope_scaling_json(config)},
          {"rope_parameters", parameters},
          {"attention_dropout", 0.0},
          {"hidden_dropout", 0.0}};
}

Json write_gpt2(const ModelConfig& config) {
  return {{"vocab_size", config.vocab_size},
          {"n_embd", config.hidden_size},
          {"n_inner", config.intermediate_size},
          {"n_layer", config.num_layers},
          {"n_head", config.num_heads},
          {"n_positions", config.max_positions},
          {"activation_function", gelu_name(config)},
          {"layer_norm_epsilon", config.norm_eps},
          {"attn_pdrop", 0.0},
          {"embd_pdrop", 0.0},
          {"resid_pdrop", 0.0}};
}

}  // namespace rlaif::model
