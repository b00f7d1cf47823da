#include "rlaif/model/transformer.hpp"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/model/torch.hpp"

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
  const auto linear = [&](std::int64_t out, std::int64_t in, bool bias) {
    return Linear{make({out, in}), bias ? make({out}) : Tensor()};
  };
  const auto norm = [&] {
    const bool bias = config.norm == NormKind::layer;
    return Norm{make({config.hidden_size}), bias ? make({config.hidden_size}) : Tensor()};
  };
  const std::int64_t d = config.hidden_size, f = config.intermediate_size;
  const std::int64_t attended = config.num_heads * config.head_dim;
  embedding_Vd = make({config.vocab_size, d});
  if (config.learned_positions) positions_Pd = make({config.max_positions, d});
  for (std::int64_t l = 0; l < config.num_layers; ++l) {
    Layer layer;
    layer.input_norm = norm();
    layer.qkv = linear(attended + 2 * config.num_kv_heads * config.head_dim, d, config.qkv_bias);
    if (config.query_key_norm) {
      layer.query_norm_D = make({config.head_dim});
      layer.key_norm_D = make({config.head_dim});
    }
    layer.output = linear(d, attended, config.output_bias);
    layer.post_norm = norm();
    layer.up = linear(config.up_rows(), d, config.mlp_bias);
    layer.down = linear(d, f, config.mlp_bias);
    layers.push_back(std::move(layer));
  }
  final_norm = norm();
  output_Vd = config.tied_embeddings ? embedding_Vd : make({config.vocab_size, d});
  if (!device.is_meta()) rotary_ = rotary_table(config, device);
}

void Transformer::set_tokens(EndTokens end_tokens, std::vector<TokenId> nameless_tokens) {
  config_.end_tokens = std::move(end_tokens);
  nameless_tokens_ = std::move(nameless_tokens);
}

Transformer Transformer::clone() const {
  Transformer copy(config_, device());
  const auto from = parameters(), to = copy.parameters();
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < from.size(); ++i) to[i].second.copy_(from[i].second);
  copy.checkpoint_activations = checkpoint_activations;
  copy.nameless_tokens_ = nameless_tokens_;
  return copy;
}

Transformer Transformer::share() const {
  Transformer other(config_, Uninitialized{});
  other.embedding_Vd = embedding_Vd;
  other.positions_Pd = positions_Pd;
  other.layers = layers;
  other.final_norm = final_norm;
  other.output_Vd = output_Vd;
  other.rotary_ = rotary_;
  other.frozen = true;
  other.checkpoint_activations = checkpoint_activations;
  other.nameless_tokens_ = nameless_tokens_;
  return other;
}

namespace {

// W + scale B A, written into `into`.
void merge(const Tensor& weight, const LowRank& low_rank, const Tensor& into) {
  into.copy_(weight);
  const std::int64_t rank = low_rank.b_Or.size(1);
  std::int64_t b_begin = 0;
  for (std::size_t p = 0; p < low_rank.rows.size(); b_begin += low_rank.rows[p++])
    into.narrow(0, low_rank.row_begin[p], low_rank.rows[p])
        .addmm_(low_rank.b_Or.narrow(0, b_begin, low_rank.rows[p]),
                low_rank.a_RI.narrow(0, static_cast<std::int64_t>(p) * rank, rank), 1.0, low_rank.scale);
}

// Each linear layer with what the adapter adds to it.
template <class Visit>
void visit_adapted(const Layer& layer, const Adapter::LayerParts& parts, Visit&& visit) {
  visit(&Layer::qkv, layer.qkv, parts.qkv);
  visit(&Layer::output, layer.output, parts.output);
  visit(&Layer::up, layer.up, parts.up);
  visit(&Layer::down, layer.down, parts.down);
}

}  // namespace

Transformer Transformer::merged() const {
  Transformer other = share();
  if (!adapter) return other;
  const torch::NoGradGuard no_grad;
  for (std::size_t l = 0; l < layers.size(); ++l)
    visit_adapted(layers[l], adapter->layer(l),
                  [&](Linear Layer::* member, const Linear& linear, const LowRank& low_rank) {
                    if (!low_rank.empty()) (other.layers[l].*member).weight_OI = torch::empty_like(linear.weight_OI);
                  });
  merge_into(other);
  return other;
}

void Transformer::merge_into(Transformer& into) const {
  if (!adapter) return;
  const torch::NoGradGuard no_grad;
  for (std::size_t l = 0; l < layers.size(); ++l)
    visit_adapted(layers[l], adapter->layer(l),
                  [&](Linear Layer::* member, const Linear& linear, const LowRank& low_rank) {
                    if (!low_rank.empty()) merge(linear.weight_OI, low_rank, (into.layers[l].*member).weight_OI);
                  });
}

std::vector<NamedTensor> Transformer::parameters() const {
  std::vector<NamedTensor> all;
  const auto add = [&](const std::string& name, const Tensor& tensor) {
    if (tensor.defined()) all.emplace_back(name, tensor);
  };
  const auto add_norm = [&](const std::string& name, const Norm& norm) {
    add(name, norm.weight_d);
    add(name + "_bias", norm.bias_d);
  };
  const auto add_linear = [&](const std::string& name, const Linear& linear) {
    add(name, linear.weight_OI);
    add(name + "_bias", linear.bias_O);
  };
  add("embedding", embedding_Vd);
  add("positions", positions_Pd);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const std::string prefix = "layers." + std::to_string(l) + ".";
    const Layer& layer = layers[l];
    add_norm(prefix + "input_norm", layer.input_norm);
    add_linear(prefix + "qkv", layer.qkv);
    add(prefix + "query_norm", layer.query_norm_D);
    add(prefix + "key_norm", layer.key_norm_D);
    add_linear(prefix + "output", layer.output);
    add_norm(prefix + "post_norm", layer.post_norm);
    add_linear(prefix + (config_.gated() ? "gate_up" : "up"), layer.up);
    add_linear(prefix + "down", layer.down);
  }
  add_norm("final_norm", final_norm);
  if (!config_.tied_embeddings) add("output", output_Vd);
  return all;
}

std::vector<NamedTensor> Transformer::trainable_parameters() const {
  if (adapter) return adapter->parameters();
  return frozen ? std::vector<NamedTensor>{} : parameters();
}

void Transformer::initialize(std::uint64_t seed) {
  torch::NoGradGuard no_grad;
  const double residual = 1.0 / std::sqrt(2.0 * static_cast<double>(config_.num_layers));
  const auto all = parameters();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& [name, tensor] = all[i];
    if (tensor.dim() == 1) {
      tensor.fill_(name.ends_with("_bias") ? 0.0 : 1.0);
      continue;
    }
    // The last axis is the fan-in of a linear layer, and d of the embedding.
    double deviation = 1.0 / std::sqrt(static_cast<double>(tensor.size(1)));
    const bool in_layer = name.starts_with("layers.");
    if (in_layer && (name.ends_with(".output") || name.ends_with(".down"))) deviation *= residual;
    fill_normal(tensor, deviation, seed, i);
  }
}

Tensor Transformer::embed(const PackedSequences& batch) const {
  const Tensor x_Nd = gather_rows(embedding_Vd, batch.tokens_N);
  return positions_Pd.defined() ? x_Nd + gather_rows(positions_Pd, batch.positions_N) : x_Nd;
}

AttentionShape Transformer::attention_shape(std::size_t l) const {
  return {config_.num_heads, config_.num_kv_heads, config_.head_dim, config_.window(static_cast<std::int64_t>(l))};
}

Tensor Transformer::apply_norm(const Tensor& x_Nd, const Norm& norm) const {
  return config_.norm == NormKind::rms ? rms_norm(x_Nd, norm.weight_d, config_.norm_eps)
                                       : layer_norm(x_Nd, norm.weight_d, norm.bias_d, config_.norm_eps);
}

Tensor Transformer::run_layer(std::size_t l, const Tensor& x_Nd, const PackedSequences& batch) const {
  static const Adapter::LayerParts nothing;
  const AttentionShape shape = attention_shape(l);
  const Layer& layer = layers[l];
  const Adapter::LayerParts& low_rank = adapter ? adapter->layer(l) : nothing;
  const auto linear = [](const Tensor& x, const Linear& of, const LowRank& update, const Tensor& residual = {}) {
    return project(x, of.weight_OI, of.bias_O, residual, &update);
  };
  Tensor qkv_NE = linear(apply_norm(x_Nd, layer.input_norm), layer.qkv, low_rank.qkv);
  if (config_.query_key_norm)
    qkv_NE = norm_heads(qkv_NE, layer.query_norm_D, layer.key_norm_D, config_.norm_eps, shape);
  const Tensor y_Nd = linear(rotary_attention(qkv_NE, batch, rotary_, shape), layer.output, low_rank.output, x_Nd);
  const Tensor up_NU =
      linear(apply_norm(config_.parallel_residual ? x_Nd : y_Nd, layer.post_norm), layer.up, low_rank.up);
  return linear(activate(up_NU, config_.activation), layer.down, low_rank.down, y_Nd);
}

namespace {

// Computes body(x) keeping x alone, and computes it again, with gradients, when the backward pass comes by. Gradients of
// parameters that the body uses are then added to them (Chen et al. 1604.06174).
struct Recompute : torch::autograd::Node {
  Tensor input;
  std::function<Tensor(const Tensor&)> body;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& grads) override {
    const torch::AutoGradMode gradients(true);
    const bool wanted = task_should_compute_output(0);
    const Tensor x = input.detach().requires_grad_(wanted);
    torch::autograd::backward({body(x)}, {grads[0]});
    return {wanted ? x.grad() : Tensor()};
  }
  void release_variables() override { input.reset(); }

  static Tensor run(const Tensor& x, std::function<Tensor(const Tensor&)> body) {
    Tensor y;
    {
      const torch::NoGradGuard no_gradients;
      y = body(x);
    }
    const auto node = std::shared_ptr<Recompute>(new Recompute, torch::autograd::deleteNode);
    node->set_next_edges(torch::autograd::collect_next_edges(x));
    node->input = x.detach();
    node->body = std::move(body);
    torch::autograd::set_history(y, node);
    return y;
  }
};

}  // namespace

Tensor Transformer::run_layers(Tensor x_Nd, const PackedSequences& batch, std::int64_t first, std::int64_t last) const {
  for (std::int64_t l = first; l < last; ++l) {
    const auto index = static_cast<std::size_t>(l);
    const bool trains = adapter ? !adapter->layer(index).empty() : layers[index].qkv.weight_OI.requires_grad();
    if (checkpoint_activations && torch::GradMode::is_enabled() && (x_Nd.requires_grad() || trains))
      x_Nd = Recompute::run(x_Nd, [this, index, batch](const Tensor& x) { return run_layer(index, x, batch); });
    else
      x_Nd = run_layer(index, x_Nd, batch);
  }
  return x_Nd;
}

Tensor Transformer::final_states(const Tensor& x_Nd) const { return apply_norm(x_Nd, final_norm); }

Tensor Transformer::hidden_states(const PackedSequences& batch) const {
  return final_states(run_layers(embed(batch), batch, 0, config_.num_layers));
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

ScalarModel ScalarModel::over(const Transformer& base, std::uint64_t seed) {
  const Tensor head = torch::empty({1, base.config().hidden_size}, base.embedding_Vd.options().requires_grad(false));
  const torch::NoGradGuard no_grad;
  fill_normal(head, 1.0 / std::sqrt(static_cast<double>(base.config().hidden_size + 1)), seed,
              base.parameters().size());
  return {base.share(), head, 0.0, 1.0};
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

std::vector<NamedTensor> ScalarModel::trainable_parameters() const {
  auto all = body.trainable_parameters();
  all.emplace_back("head", head_1d);
  return all;
}

}  // namespace rlaif::model
