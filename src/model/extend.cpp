// Inference with a cache of keys and values: Transformer::extend and what belongs to it.
#include <algorithm>

#include "kernels/kernels.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/matmul.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/model/transformer.hpp"

namespace rlaif::model {
namespace {

using torch::Tensor;

// The first `rows` rows of a buffer that grows as needed.
Tensor rows_of(Tensor& buffer, std::int64_t rows, std::int64_t columns, const torch::TensorOptions& options) {
  if (!buffer.defined() || buffer.size(0) < rows) buffer = torch::empty({rows, columns}, options);
  return buffer.narrow(0, 0, rows);
}

Tensor indices(const std::vector<std::int32_t>& values, torch::Device device) {
  Tensor all = torch::empty({static_cast<std::int64_t>(values.size())}, torch::kInt64);
  std::copy(values.begin(), values.end(), all.data_ptr<std::int64_t>());
  return all.to(device);
}

// x and y: [rows, size of weight], on the CPU; they may be the same.
void rms_norm_rows(const float* x, const Tensor& weight, float* y, std::int64_t rows, double eps) {
  kernels::rms_norm_forward(x, weight.const_data_ptr<float>(), y, rows, weight.size(0), static_cast<float>(eps));
}

void activate_into(const Tensor& x, Activation activation, Tensor y) {
  if (activation == Activation::gelu)
    at::gelu_out(y, x, "none");
  else if (activation == Activation::gelu_tanh)
    at::gelu_out(y, x, "tanh");
  else if (x.is_cpu())
    kernels::swiglu_forward(x.const_data_ptr<float>(), y.data_ptr<float>(), y.size(0), y.size(1));
  else
    y.copy_(swiglu_reference(x));
}

void check_rows(const CacheRows& rows, const KvCache& cache, std::int64_t vocab_size) {
  RLAIF_CHECK(rows.slots.size() == rows.tokens.size() && rows.positions.size() == rows.tokens.size(),
              "one slot and one position a token");
  for (std::size_t n = 0; n < rows.tokens.size(); ++n) {
    RLAIF_CHECK(rows.slots[n] >= 0 && rows.slots[n] < cache.slots, "slot within the cache");
    RLAIF_CHECK(rows.positions[n] >= 0 && rows.positions[n] < cache.capacity, "position within the cache");
    RLAIF_CHECK(rows.tokens[n] >= 0 && rows.tokens[n] < vocab_size, "token within the vocabulary");
  }
}

}  // namespace

KvCache Transformer::make_cache(std::int64_t slots, std::int64_t capacity) const {
  RLAIF_CHECK(slots > 0 && capacity > 0 && capacity <= config_.max_positions, "a cache within the model's context");
  const std::int64_t stride = (capacity + kernels::lanes - 1) / kernels::lanes * kernels::lanes;
  const std::int64_t size = slots * config_.num_kv_heads * config_.head_dim * stride;
  const auto options = torch::TensorOptions().dtype(torch::kFloat).device(device());
  KvCache cache;
  cache.slots = slots;
  cache.capacity = capacity;
  for (std::int64_t l = 0; l < config_.num_layers; ++l) {
    cache.keys_SKDC.push_back(torch::zeros({slots, config_.num_kv_heads, config_.head_dim, stride}, options));
    // The kernels read whole vectors: those of the very last row may reach over its end.
    cache.values_SKCD.push_back(torch::zeros({size + kernels::lanes}, options)
                                    .narrow(0, 0, size)
                                    .view({slots, config_.num_kv_heads, stride, config_.head_dim}));
  }
  return cache;
}

void Transformer::copy_prefix(KvCache& cache, std::int64_t from_slot, std::int64_t to_slot, std::int64_t length) const {
  RLAIF_CHECK(length >= 0 && length <= cache.capacity, "a prefix within the cache");
  torch::NoGradGuard no_grad;
  for (std::size_t l = 0; l < cache.keys_SKDC.size(); ++l) {
    const auto copy = [&](const Tensor& of, std::int64_t axis) {
      of.select(0, to_slot).narrow(axis, 0, length).copy_(of.select(0, from_slot).narrow(axis, 0, length));
    };
    copy(cache.keys_SKDC[l], 2);
    copy(cache.values_SKCD[l], 1);
  }
}

Tensor Transformer::extend(const CacheRows& rows, KvCache& cache) const {
  RLAIF_CHECK(!adapter, "generation reads merged weights");
  check_rows(rows, cache, config_.vocab_size);
  const torch::NoGradGuard no_grad;
  const bool own = device().is_cpu();
  const auto options = torch::TensorOptions().dtype(torch::kFloat).device(device());
  const std::int64_t size = rows.size(), d = config_.hidden_size, f = config_.intermediate_size;
  const std::int64_t attended_columns = config_.num_heads * config_.head_dim;
  const std::int64_t qkv_columns = attended_columns + 2 * config_.num_kv_heads * config_.head_dim;

  const Tensor tokens_R = indices(rows.tokens, device());
  Tensor slots_R, positions_R;
  if (!own) slots_R = indices(rows.slots, device());
  if (!own || positions_Pd.defined()) positions_R = indices(rows.positions, device());
  KvCache::Workspace& work = cache.workspace;
  Tensor x = rows_of(work.hidden, size, d, options), normed = rows_of(work.normed, size, d, options);
  Tensor qkv = rows_of(work.qkv, size, qkv_columns, options);
  Tensor attended = rows_of(work.attended, size, attended_columns, options);
  Tensor up = rows_of(work.gate_up, size, config_.up_rows(), options);
  Tensor activated = rows_of(work.activated, size, f, options);

  const auto norm = [&](const Norm& of) {
    if (own && config_.norm == NormKind::rms)
      rms_norm_rows(x.const_data_ptr<float>(), of.weight_d, normed.data_ptr<float>(), size, config_.norm_eps);
    else
      normed.copy_(apply_norm(x, of));
  };
  const auto linear = [&](Tensor& y, const Linear& of) {
    matmul_into(normed, of.weight_OI, y);
    if (of.bias_O.defined()) y.add_(of.bias_O);
  };
  const auto add_linear = [&](const Tensor& of_x, const Linear& of) {
    matmul_into(of_x, of.weight_OI, x, Into::add);
    if (of.bias_O.defined()) x.add_(of.bias_O);
  };
  const auto norm_queries_and_keys = [&](const Layer& layer, const AttentionShape& shape) {
    if (!own) {
      qkv.copy_(norm_heads(qkv, layer.query_norm_D, layer.key_norm_D, config_.norm_eps, shape));
      return;
    }
    auto* row = qkv.data_ptr<float>();
    for (std::int64_t n = 0; n < size; ++n, row += qkv_columns) {
      rms_norm_rows(row, layer.query_norm_D, row, shape.num_heads, config_.norm_eps);
      rms_norm_rows(row + attended_columns, layer.key_norm_D, row + attended_columns, shape.num_kv_heads,
                    config_.norm_eps);
    }
  };

  at::index_select_out(x, embedding_Vd, 0, tokens_R);
  if (positions_Pd.defined()) x.add_(positions_Pd.index_select(0, positions_R));
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const Layer& layer = layers[l];
    const AttentionShape shape = attention_shape(l);
    norm(layer.input_norm);
    linear(qkv, layer.qkv);
    if (config_.query_key_norm) norm_queries_and_keys(layer, shape);
    if (own)
      cached_attention(qkv, rows.slots, rows.positions, rotary_, shape, cache.keys_SKDC[l], cache.values_SKCD[l],
                       attended);
    else
      attended.copy_(cached_attention_reference(qkv, slots_R, positions_R, rotary_, shape, cache.keys_SKDC[l],
                                                cache.values_SKCD[l]));
    if (config_.parallel_residual) norm(layer.post_norm);  // of the layer's input, before attention is added to it
    add_linear(attended, layer.output);
    if (!config_.parallel_residual) norm(layer.post_norm);
    linear(up, layer.up);
    activate_into(up, config_.activation, activated);
    add_linear(activated, layer.down);
  }
  norm(final_norm);
  return normed;
}

}  // namespace rlaif::model
