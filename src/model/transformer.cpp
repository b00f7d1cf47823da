#include "rlaif/model/transformer.hpp"

#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"

namespace rlaif::model {
namespace {

using torch::Tensor;

void fill_normal(const Tensor& parameter, double deviation, std::uint64_t seed, std::uint64_t key) {
  Rng rng(seed, Stream::initialization, {key});
  Tensor values = torch::empty(parameter.sizes(), torch::kFloat);
  auto* const out = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) out[i] = static_cast<float>(deviation * rng.normal());
  parameter.copy_(values);
}

}  // namespace

Transformer::Transformer(const ModelConfig& config, torch::Device device) : config_(config) {
  config.validate("model");
  const auto options = torch::TensorOptions().dtype(torch::kFloat).device(device);
  const auto make = [&](std::initializer_list<std::int64_t> shape) { return torch::empty(shape, options); };
  const std::int64_t d = config.hidden_size, f = config.intermediate_size;
  const std::int64_t attended = config.num_heads * config.head_dim;
  embedding_Vd = make({config.vocab_size, d});
  for (std::int64_t l = 0; l < config.num_layers; ++l)
    layers.push_back({make({d}), make({attended + 2 * config.num_kv_heads * config.head_dim, d}), make({d, attended}),
                      make({d}), make({2 * f, d}), make({d, f})});
  final_norm_d = make({d});
  output_Vd = config.tied_embeddings ? embedding_Vd : make({config.vocab_size, d});
  rotary_ = rotary_table(config.max_positions, config.head_dim, config.rope_theta, device);
}

Transformer Transformer::clone() const {
  Transformer copy(config_, device());
  const auto from = parameters(), to = copy.parameters();
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < from.size(); ++i) to[i].second.copy_(from[i].second);
  return copy;
}

std::vector<NamedTensor> Transformer::parameters() const {
  std::vector<NamedTensor> all{{"embedding", embedding_Vd}};
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::string prefix = "layers." + std::to_string(l) + ".";
    const Layer& layer = layers[l];
    all.insert(all.end(), {{prefix + "input_norm", layer.input_norm_d},
                           {prefix + "qkv", layer.qkv_Ed},
                           {prefix + "output", layer.output_dE},
                           {prefix + "post_norm", layer.post_norm_d},
                           {prefix + "gate_up", layer.gate_up_2Fd},
                           {prefix + "down", layer.down_dF}});
  }
  all.emplace_back("final_norm", final_norm_d);
  if (!config_.tied_embeddings) all.emplace_back("output", output_Vd);
  return all;
}

void Transformer::initialize(std::uint64_t seed) {
  torch::NoGradGuard no_grad;
  const double residual = 1.0 / std::sqrt(2.0 * static_cast<double>(config_.num_layers));
  const auto all = parameters();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& [name, tensor] = all[i];
    if (tensor.dim() == 1) {
      tensor.fill_(1.0);
      continue;
    }
    // The last axis is the fan-in of a linear layer, and d of the embedding.
    double deviation = 1.0 / std::sqrt(static_cast<double>(tensor.size(1)));
    const bool in_layer = name.starts_with("layers.");
    if (in_layer && (name.ends_with(".output") || name.ends_with(".down"))) deviation *= residual;
    fill_normal(tensor, deviation, seed, i);
  }
}

Tensor Transformer::hidden_states(const PackedSequences& batch) const {
  const AttentionShape shape{config_.num_heads, config_.num_kv_heads, config_.head_dim};
  Tensor x_Nd = gather_rows(embedding_Vd, batch.tokens_N);
  for (const Layer& layer : layers) {
    const Tensor qkv_NE = project(rms_norm(x_Nd, layer.input_norm_d, config_.norm_eps), layer.qkv_Ed);
    x_Nd = project_add(rotary_attention(qkv_NE, batch, rotary_, shape), layer.output_dE, x_Nd);
    const Tensor gate_up_N2F = project(rms_norm(x_Nd, layer.post_norm_d, config_.norm_eps), layer.gate_up_2Fd);
    x_Nd = project_add(swiglu(gate_up_N2F), layer.down_dF, x_Nd);
  }
  return rms_norm(x_Nd, final_norm_d, config_.norm_eps);
}

Tensor Transformer::logits(const Tensor& hidden_Md) const { return project(hidden_Md, output_Vd); }

ScalarModel ScalarModel::from_body(const Transformer& body, std::uint64_t seed) {
  // Scores never pass through the output matrix: an untied one would be dead weight.
  ModelConfig config = body.config();
  config.tied_embeddings = true;
  Transformer copy(config, body.device());
  const auto from = body.parameters(), to = copy.parameters();
  const Tensor head = torch::empty({1, config.hidden_size}, body.embedding_Vd.options().requires_grad(false));
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < to.size(); ++i) to[i].second.copy_(from[i].second);
  fill_normal(head, 1.0 / std::sqrt(static_cast<double>(config.hidden_size + 1)), seed, from.size());
  return {std::move(copy), head, 0.0, 1.0};
}

ScalarModel ScalarModel::clone() const { return {body.clone(), head_1d.detach().clone(), offset, scale}; }

Tensor ScalarModel::values_N(const Tensor& hidden_Nd) const {
  Tensor values = project(hidden_Nd, head_1d).squeeze(1);
  if (offset != 0.0) values = values - offset;
  if (scale != 1.0) values = values / scale;
  return values;
}

std::vector<NamedTensor> ScalarModel::parameters() const {
  auto all = body.parameters();
  all.emplace_back("head", head_1d);
  return all;
}

}  // namespace rlaif::model
