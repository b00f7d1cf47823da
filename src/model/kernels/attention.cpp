// Attention: the node over own kernels, the compositions of torch operations, and who of them computes what.
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

#include "kernels.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/ops.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::model {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;
using torch::indexing::Slice;

const float* data(const Tensor& x) { return x.const_data_ptr<float>(); }
float* mutable_data(Tensor& x) { return x.data_ptr<float>(); }

struct RotaryAttention : Function<RotaryAttention> {
  static kernels::PackedRows packed_rows(const std::vector<std::int64_t>& offsets, const Tensor& positions) {
    return {offsets.data(), static_cast<std::int64_t>(offsets.size()) - 1, positions.const_data_ptr<std::int64_t>()};
  }
  static Tensor forward(AutogradContext* ctx, const Tensor& qkv, const Tensor& positions, const Tensor& cosine,
                        const Tensor& sine, const std::vector<std::int64_t>& offsets, const AttentionShape& shape) {
    const Tensor input = qkv.contiguous();
    const kernels::HeadShape heads{shape.num_heads, shape.num_kv_heads, shape.head_dim};
    Tensor out = torch::empty({input.size(0), shape.num_heads * shape.head_dim}, input.options());
    kernels::attention_forward(data(input), packed_rows(offsets, positions), {data(cosine), data(sine)}, heads,
                               mutable_data(out));
    ctx->save_for_backward({input, positions, cosine, sine});
    ctx->saved_data["offsets"] = offsets;
    ctx->saved_data["shape"] = std::vector<std::int64_t>{heads.heads, heads.kv_heads, heads.head_dim};
    return out;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto offsets = ctx->saved_data["offsets"].toIntVector();
    const auto shape = ctx->saved_data["shape"].toIntVector();
    const Tensor dout = grads[0].contiguous();
    Tensor dqkv = torch::empty_like(saved[0]);
    kernels::attention_backward(data(dout), data(saved[0]), packed_rows(offsets, saved[1]),
                                {data(saved[2]), data(saved[3])}, {shape[0], shape[1], shape[2]}, mutable_data(dqkv));
    return {dqkv, Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

// x: [N, heads, D], rotated by the angles of its rows' positions.
Tensor rotate_reference(const Tensor& x, const Tensor& cosine, const Tensor& sine) {
  const auto halves = x.chunk(2, -1);
  return torch::cat({halves[0] * cosine - halves[1] * sine, halves[1] * cosine + halves[0] * sine}, -1);
}

std::int64_t longest(const PackedSequences& layout) {
  std::int64_t most = 0;
  for (std::size_t s = 1; s < layout.offsets.size(); ++s)
    most = std::max(most, layout.offsets[s] - layout.offsets[s - 1]);
  return most;
}

// Whether a key so many positions ahead of a query is out of its sight.
Tensor hidden(const Tensor& ahead, const AttentionShape& shape) {
  return shape.window > 0 ? (ahead > 0).logical_or_(ahead <= -shape.window) : ahead > 0;
}

// cached_attention with torch operations, for rows on the CPU some of which do not see all that came before. Rows of one
// slot that stand next to each other are worked on together, over the positions that any of them sees.
void windowed_cached_attention(const Tensor& qkv_RE, std::span<const std::int32_t> slots_R,
                               std::span<const std::int32_t> positions_R, const RotaryTable& rotary,
                               const AttentionShape& shape, Tensor keys_SKDC, Tensor values_SKCD, Tensor out_RA) {
  const std::int64_t rows = qkv_RE.size(0), heads = shape.num_heads, kv_heads = shape.num_kv_heads;
  const Tensor at_R =
      torch::from_blob(const_cast<std::int32_t*>(positions_R.data()), {rows}, torch::kInt32).to(torch::kInt64);
  const Tensor cosine = rotary.cos_PD2.index_select(0, at_R).unsqueeze(1);
  const Tensor sine = rotary.sin_PD2.index_select(0, at_R).unsqueeze(1);
  const auto parts =
      qkv_RE.view({rows, heads + 2 * kv_heads, shape.head_dim}).split_with_sizes({heads, kv_heads, kv_heads}, 1);
  const Tensor queries =
      rotate_reference(parts[0], cosine, sine).mul_(1.0 / std::sqrt(static_cast<double>(shape.head_dim)));
  const Tensor keys = rotate_reference(parts[1], cosine, sine);
  for (std::int64_t first = 0, last = 0; first < rows; first = last) {
    const auto slot = slots_R[static_cast<std::size_t>(first)];
    for (last = first + 1; last < rows && slots_R[static_cast<std::size_t>(last)] == slot;) ++last;
    const std::int64_t count = last - first;
    const Tensor at = at_R.narrow(0, first, count);
    const Tensor keys_KDC = keys_SKDC.select(0, slot), values_KCD = values_SKCD.select(0, slot);
    keys_KDC.index_copy_(2, at, keys.narrow(0, first, count).permute({1, 2, 0}));
    values_KCD.index_copy_(1, at, parts[2].narrow(0, first, count).transpose(0, 1));

    const std::int64_t begin =
        std::max<std::int64_t>(0, positions_R[static_cast<std::size_t>(first)] - shape.window + 1);
    const std::int64_t reach = positions_R[static_cast<std::size_t>(last) - 1] + 1 - begin;
    const Tensor of_run = queries.narrow(0, first, count).view({count, kv_heads, -1, shape.head_dim}).transpose(0, 1);
    const Tensor ahead = torch::arange(begin, begin + reach, at.options()).unsqueeze(0) - at.unsqueeze(1);
    const Tensor scores = of_run.reshape({kv_heads, -1, shape.head_dim})
                              .matmul(keys_KDC.narrow(2, begin, reach))
                              .view({kv_heads, count, -1, reach})
                              .masked_fill_(hidden(ahead, shape).view({1, count, 1, reach}), -INFINITY);
    const Tensor attended =
        torch::softmax(scores, -1).view({kv_heads, -1, reach}).matmul(values_KCD.narrow(1, begin, reach));
    out_RA.narrow(0, first, count)
        .view({count, kv_heads, -1, shape.head_dim})
        .copy_(attended.view({kv_heads, count, -1, shape.head_dim}).transpose(0, 1));
  }
}

}  // namespace

Tensor norm_heads(const Tensor& qkv_NE, const Tensor& query_weight_D, const Tensor& key_weight_D, double eps,
                  const AttentionShape& shape) {
  const std::int64_t keys = shape.num_kv_heads * shape.head_dim;
  const auto parts = qkv_NE.split_with_sizes({shape.num_heads * shape.head_dim, keys, keys}, 1);
  const auto normed = [&](const Tensor& x, const Tensor& weight) {
    return rms_norm(x.reshape({-1, shape.head_dim}), weight, eps).view_as(x);
  };
  return torch::cat({normed(parts[0], query_weight_D), normed(parts[1], key_weight_D), parts[2]}, 1);
}

Tensor rotary_attention(const Tensor& qkv_NE, const PackedSequences& layout, const RotaryTable& rotary,
                        const AttentionShape& shape) {
  RLAIF_CHECK(qkv_NE.size(0) == layout.num_tokens(), "one row a token");
  RLAIF_CHECK(qkv_NE.size(1) == (shape.num_heads + 2 * shape.num_kv_heads) * shape.head_dim, "queries, keys, values");
  // The kernels know no window: where one cuts something off, torch operations compute it.
  if (!qkv_NE.is_cpu() || qkv_NE.scalar_type() != torch::kFloat || (shape.window > 0 && longest(layout) > shape.window))
    return rotary_attention_reference(qkv_NE, layout, rotary, shape);
  return RotaryAttention::apply(qkv_NE, layout.positions_N, rotary.cos_PD2, rotary.sin_PD2, layout.offsets, shape);
}

Tensor rotary_attention_reference(const Tensor& qkv_NE, const PackedSequences& layout, const RotaryTable& rotary,
                                  const AttentionShape& shape) {
  const std::int64_t heads = shape.num_heads, kv_heads = shape.num_kv_heads, head_dim = shape.head_dim;
  const auto options = qkv_NE.options();
  const Tensor cosine = rotary.cos_PD2.index_select(0, layout.positions_N).unsqueeze(1).to(options.dtype());
  const Tensor sine = rotary.sin_PD2.index_select(0, layout.positions_N).unsqueeze(1).to(options.dtype());
  const auto parts = qkv_NE.view({layout.num_tokens(), heads + 2 * kv_heads, head_dim})
                         .split_with_sizes({heads, kv_heads, kv_heads}, 1);
  const Tensor queries = rotate_reference(parts[0], cosine, sine) / std::sqrt(static_cast<double>(head_dim));
  const Tensor keys = rotate_reference(parts[1], cosine, sine).repeat_interleave(heads / kv_heads, 1);
  const Tensor values = parts[2].repeat_interleave(heads / kv_heads, 1);
  std::vector<Tensor> outputs;
  for (std::int64_t s = 0; s < layout.num_sequences(); ++s) {
    const std::int64_t begin = layout.offsets[static_cast<std::size_t>(s)];
    const std::int64_t length = layout.offsets[static_cast<std::size_t>(s) + 1] - begin;
    const auto of = [&](const Tensor& x) { return x.narrow(0, begin, length).transpose(0, 1); };  // [H, T, D]
    const Tensor row = torch::arange(length, layout.positions_N.options()), ahead = row.unsqueeze(0) - row.unsqueeze(1);
    const Tensor scores = of(queries).matmul(of(keys).transpose(1, 2)).masked_fill(hidden(ahead, shape), -INFINITY);
    outputs.push_back(torch::softmax(scores, -1).matmul(of(values)).transpose(0, 1).reshape({length, -1}));
  }
  return torch::cat(outputs, 0);
}

void cached_attention(const Tensor& qkv_RE, std::span<const std::int32_t> slots_R,
                      std::span<const std::int32_t> positions_R, const RotaryTable& rotary, const AttentionShape& shape,
                      Tensor keys_SKDC, Tensor values_SKCD, Tensor out_RA) {
  if (shape.window > 0 && *std::max_element(positions_R.begin(), positions_R.end()) >= shape.window)
    return windowed_cached_attention(qkv_RE, slots_R, positions_R, rotary, shape, keys_SKDC, values_SKCD, out_RA);
  const kernels::CacheLayer cache{mutable_data(keys_SKDC), mutable_data(values_SKCD), keys_SKDC.size(3)};
  kernels::attention_extend(data(qkv_RE), qkv_RE.size(0), slots_R.data(), positions_R.data(),
                            {data(rotary.cos_PD2), data(rotary.sin_PD2)},
                            {shape.num_heads, shape.num_kv_heads, shape.head_dim}, cache, mutable_data(out_RA));
}

Tensor cached_attention_reference(const Tensor& qkv_RE, const Tensor& slots_R, const Tensor& positions_R,
                                  const RotaryTable& rotary, const AttentionShape& shape, Tensor keys_SKDC,
                                  Tensor values_SKCD) {
  const std::int64_t rows = qkv_RE.size(0), heads = shape.num_heads, kv_heads = shape.num_kv_heads;
  const auto parts =
      qkv_RE.view({rows, heads + 2 * kv_heads, shape.head_dim}).split_with_sizes({heads, kv_heads, kv_heads}, 1);
  const Tensor cosine = rotary.cos_PD2.index_select(0, positions_R).unsqueeze(1);
  const Tensor sine = rotary.sin_PD2.index_select(0, positions_R).unsqueeze(1);
  keys_SKDC.index_put_({slots_R, Slice(), Slice(), positions_R}, rotate_reference(parts[1], cosine, sine));
  values_SKCD.index_put_({slots_R, Slice(), positions_R, Slice()}, parts[2]);

  const std::int64_t reach = positions_R.max().item<std::int64_t>() + 1;
  const Tensor queries =
      rotate_reference(parts[0], cosine, sine).view({rows, kv_heads, heads / kv_heads, shape.head_dim});
  const Tensor keys = keys_SKDC.narrow(3, 0, reach).index_select(0, slots_R);
  const Tensor values = values_SKCD.narrow(2, 0, reach).index_select(0, slots_R);
  const Tensor ahead = torch::arange(reach, positions_R.options()).unsqueeze(0) - positions_R.unsqueeze(1);
  const Tensor scores = (queries.matmul(keys) / std::sqrt(static_cast<double>(shape.head_dim)))
                            .masked_fill(hidden(ahead, shape).view({rows, 1, 1, reach}), -INFINITY);
  return torch::softmax(scores, -1).matmul(values).reshape({rows, heads * shape.head_dim});
}

}  // namespace rlaif::model
