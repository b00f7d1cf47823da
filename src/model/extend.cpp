// Inference with a cache of keys and values: Transformer::extend and what belongs to it.
#include <algorithm>

#include "kernels.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/transformer.hpp"

namespace rlaif::model {
namespace {

using torch::Tensor;

// The first `rows` rows of a buffer that grows as needed.
Tensor rows_of(Tensor& buffer, std::int64_t rows, std::int64_t columns, const torch::TensorOptions& options) {
  if (!buffer.defined() || buffer.size(0) < rows) buffer = torch::empty({rows, columns}, options);
  return buffer.narrow(0, 0, rows);
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
  check_rows(rows, cache, config_.vocab_size);
  const torch::NoGradGuard no_grad;
  const bool own = device().is_cpu();
  const auto options = torch::TensorOptions().dtype(torch::kFloat).device(device());
  const auto index = torch::TensorOptions().dtype(torch::kInt64);
  const std::int64_t size = rows.size(), d = config_.hidden_size, f = config_.intermediate_size;
  const std::int64_t attended_columns = config_.num_heads * config_.head_dim;
  const std::int64_t qkv_columns = attended_columns + 2 * config_.num_kv_heads * config_.head_dim;
  const AttentionShape shape{config_.num_heads, config_.num_kv_heads, config_.head_dim};

  Tensor tokens_R = torch::empty({size}, index), slots_R, positions_R;
  std::copy(rows.tokens.begin(), rows.tokens.end(), tokens_R.data_ptr<std::int64_t>());
  tokens_R = tokens_R.to(device());
  if (!own) {
    slots_R = torch::tensor(rows.slots, index).to(device());
    positions_R = torch::tensor(rows.positions, index).to(device());
  }
  KvCache::Workspace& work = cache.workspace;
  Tensor x = rows_of(work.hidden, size, d, options), normed = rows_of(work.normed, size, d, options);
  Tensor qkv = rows_of(work.qkv, size, qkv_columns, options);
  Tensor attended = rows_of(work.attended, size, attended_columns, options);
  Tensor gate_up = rows_of(work.gate_up, size, 2 * f, options);
  Tensor activated = rows_of(work.activated, size, f, options);
  const auto eps = static_cast<float>(config_.norm_eps);
  const auto norm = [&](const Tensor& weight) {
    if (own)
      kernels::rms_norm_forward(x.const_data_ptr<float>(), weight.const_data_ptr<float>(), normed.data_ptr<float>(),
                                size, d, eps);
    else
      normed.copy_(rms_norm_reference(x, weight, config_.norm_eps));
  };

  at::index_select_out(x, embedding_Vd, 0, tokens_R);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const Layer& layer = layers[l];
    norm(layer.input_norm_d);
    at::mm_out(qkv, normed, layer.qkv_Ed.t());
    if (own)
      cached_attention(qkv, rows.slots, rows.positions, rotary_, shape, cache.keys_SKDC[l], cache.values_SKCD[l],
                       attended);
    else
      attended.copy_(cached_attention_reference(qkv, slots_R, positions_R, rotary_, shape, cache.keys_SKDC[l],
                                                cache.values_SKCD[l]));
    x.addmm_(attended, layer.output_dE.t());
    norm(layer.post_norm_d);
    at::mm_out(gate_up, normed, layer.gate_up_2Fd.t());
    if (own)
      kernels::swiglu_forward(gate_up.const_data_ptr<float>(), activated.data_ptr<float>(), size, f);
    else
      activated.copy_(swiglu_reference(gate_up));
    x.addmm_(activated, layer.down_dF.t());
  }
  norm(final_norm_d);
  return normed;
}

}  // namespace rlaif::model
