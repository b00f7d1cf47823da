#include "rlaif/model/ops.hpp"

#include <cmath>

#include "kernels.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::model {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

bool own_kernels(const Tensor& x) { return x.is_cpu() && x.scalar_type() == torch::kFloat; }

const float* data(const Tensor& x) { return x.const_data_ptr<float>(); }
float* mutable_data(Tensor& x) { return x.data_ptr<float>(); }

struct RmsNorm : Function<RmsNorm> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, double eps) {
    const Tensor input = x.contiguous();
    Tensor y = torch::empty_like(input);
    kernels::rms_norm_forward(data(input), data(weight), mutable_data(y), input.size(0), input.size(1),
                              static_cast<float>(eps));
    ctx->save_for_backward({input, weight});
    ctx->saved_data["eps"] = eps;
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const Tensor dy = grads[0].contiguous();
    Tensor dx, dweight;
    if (ctx->needs_input_grad(0)) dx = torch::empty_like(x);
    if (ctx->needs_input_grad(1)) dweight = torch::zeros_like(weight);
    kernels::rms_norm_backward(data(dy), data(x), data(weight), dx.defined() ? mutable_data(dx) : nullptr,
                               dweight.defined() ? mutable_data(dweight) : nullptr, x.size(0), x.size(1),
                               static_cast<float>(ctx->saved_data["eps"].toDouble()));
    return {dx, dweight, Tensor()};
  }
};

struct Swiglu : Function<Swiglu> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x) {
    const Tensor input = x.contiguous();
    Tensor y = torch::empty({input.size(0), input.size(1) / 2}, input.options());
    kernels::swiglu_forward(data(input), mutable_data(y), y.size(0), y.size(1));
    ctx->save_for_backward({input});
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const Tensor x = ctx->get_saved_variables()[0];
    const Tensor dy = grads[0].contiguous();
    Tensor dx = torch::empty_like(x);
    kernels::swiglu_backward(data(dy), data(x), mutable_data(dx), dy.size(0), dy.size(1));
    return {dx};
  }
};

struct Embedding : Function<Embedding> {
  static Tensor forward(AutogradContext* ctx, const Tensor& table, const Tensor& ids) {
    ctx->save_for_backward({ids});
    ctx->saved_data["rows"] = table.size(0);
    return table.index_select(0, ids);
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const Tensor ids = ctx->get_saved_variables()[0];
    const Tensor dy = grads[0].contiguous();
    Tensor dtable = torch::zeros({ctx->saved_data["rows"].toInt(), dy.size(1)}, dy.options());
    kernels::add_rows(data(dy), ids.const_data_ptr<std::int64_t>(), mutable_data(dtable), dy.size(0), dy.size(1));
    return {dtable, Tensor()};
  }
};

variable_list linear_gradients(AutogradContext* ctx, const Tensor& dy) {
  const auto saved = ctx->get_saved_variables();
  Tensor dx, dweight;
  if (ctx->needs_input_grad(0)) dx = dy.mm(saved[1]);
  if (ctx->needs_input_grad(1)) dweight = dy.t().mm(saved[0]);
  return {dx, dweight};
}

struct Linear : Function<Linear> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight) {
    ctx->save_for_backward({x, weight});
    return x.mm(weight.t());
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    return linear_gradients(ctx, grads[0]);
  }
};

struct LinearAdd : Function<LinearAdd> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, const Tensor& residual) {
    ctx->save_for_backward({x, weight});
    return torch::addmm(residual, x, weight.t());
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    variable_list result = linear_gradients(ctx, grads[0]);
    result.push_back(grads[0]);
    return result;
  }
};

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

}  // namespace

Tensor rms_norm(const Tensor& x_Nd, const Tensor& weight_d, double eps) {
  return own_kernels(x_Nd) ? RmsNorm::apply(x_Nd, weight_d, eps) : rms_norm_reference(x_Nd, weight_d, eps);
}
Tensor rms_norm_reference(const Tensor& x_Nd, const Tensor& weight_d, double eps) {
  return x_Nd * torch::rsqrt(x_Nd.square().mean(-1, true) + eps) * weight_d;
}

Tensor swiglu(const Tensor& x_N2F) { return own_kernels(x_N2F) ? Swiglu::apply(x_N2F) : swiglu_reference(x_N2F); }
Tensor swiglu_reference(const Tensor& x_N2F) {
  const auto halves = x_N2F.chunk(2, -1);
  return torch::silu(halves[0]) * halves[1];
}

Tensor gather_rows(const Tensor& table_Vd, const Tensor& ids_N) {
  return own_kernels(table_Vd) ? Embedding::apply(table_Vd, ids_N) : gather_rows_reference(table_Vd, ids_N);
}
Tensor gather_rows_reference(const Tensor& table_Vd, const Tensor& ids_N) { return table_Vd.index_select(0, ids_N); }

Tensor project(const Tensor& x_NI, const Tensor& weight_OI) { return Linear::apply(x_NI, weight_OI); }
Tensor project_add(const Tensor& x_NI, const Tensor& weight_OI, const Tensor& residual_NO) {
  return LinearAdd::apply(x_NI, weight_OI, residual_NO);
}

RotaryTable rotary_table(std::int64_t max_positions, std::int64_t head_dim, double theta, torch::Device device) {
  const std::int64_t half = head_dim / 2;
  const auto options = torch::TensorOptions().dtype(torch::kFloat);
  Tensor cosine = torch::empty({max_positions, half}, options), sine = torch::empty({max_positions, half}, options);
  float *c = mutable_data(cosine), *s = mutable_data(sine);
  for (std::int64_t i = 0; i < half; ++i) {
    // Angles in float32, as the models' own training code has them.
    const auto frequency =
        static_cast<float>(std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim)));
    for (std::int64_t p = 0; p < max_positions; ++p) {
      const float angle = static_cast<float>(p) * frequency;
      c[p * half + i] = static_cast<float>(std::cos(static_cast<double>(angle)));
      s[p * half + i] = static_cast<float>(std::sin(static_cast<double>(angle)));
    }
  }
  return {cosine.to(device), sine.to(device)};
}

Tensor rotary_attention(const Tensor& qkv_NE, const PackedSequences& layout, const RotaryTable& rotary,
                        const AttentionShape& shape) {
  RLAIF_CHECK(qkv_NE.size(0) == layout.num_tokens(), "one row a token");
  RLAIF_CHECK(qkv_NE.size(1) == (shape.num_heads + 2 * shape.num_kv_heads) * shape.head_dim, "queries, keys, values");
  if (!own_kernels(qkv_NE)) return rotary_attention_reference(qkv_NE, layout, rotary, shape);
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
    const Tensor future = torch::ones({length, length}, options.dtype(torch::kBool)).triu(1);
    const Tensor scores = of(queries).matmul(of(keys).transpose(1, 2)).masked_fill(future, -INFINITY);
    outputs.push_back(torch::softmax(scores, -1).matmul(of(values)).transpose(0, 1).reshape({length, -1}));
  }
  return torch::cat(outputs, 0);
}

void cached_attention(const Tensor& qkv_RE, std::span<const std::int32_t> slots_R,
                      std::span<const std::int32_t> positions_R, const RotaryTable& rotary,
                      const AttentionShape& shape, Tensor keys_SKDC, Tensor values_SKCD, Tensor out_RA) {
  const kernels::CacheLayer cache{mutable_data(keys_SKDC), mutable_data(values_SKCD), keys_SKDC.size(3)};
  kernels::attention_extend(data(qkv_RE), qkv_RE.size(0), slots_R.data(), positions_R.data(),
                            {data(rotary.cos_PD2), data(rotary.sin_PD2)},
                            {shape.num_heads, shape.num_kv_heads, shape.head_dim}, cache, mutable_data(out_RA));
}

Tensor cached_attention_reference(const Tensor& qkv_RE, const Tensor& slots_R, const Tensor& positions_R,
                                  const RotaryTable& rotary, const AttentionShape& shape, Tensor keys_SKDC,
                                  Tensor values_SKCD) {
  const std::int64_t rows = qkv_RE.size(0), heads = shape.num_heads, kv_heads = shape.num_kv_heads;
  const auto parts = qkv_RE.view({rows, heads + 2 * kv_heads, shape.head_dim})
                         .split_with_sizes({heads, kv_heads, kv_heads}, 1);
  const Tensor cosine = rotary.cos_PD2.index_select(0, positions_R).unsqueeze(1);
  const Tensor sine = rotary.sin_PD2.index_select(0, positions_R).unsqueeze(1);
  using torch::indexing::Slice;
  keys_SKDC.index_put_({slots_R, Slice(), Slice(), positions_R}, rotate_reference(parts[1], cosine, sine));
  values_SKCD.index_put_({slots_R, Slice(), positions_R, Slice()}, parts[2]);

  const std::int64_t reach = positions_R.max().item<std::int64_t>() + 1;
  const Tensor queries = rotate_reference(parts[0], cosine, sine).view({rows, kv_heads, heads / kv_heads, shape.head_dim});
  const Tensor keys = keys_SKDC.narrow(3, 0, reach).index_select(0, slots_R);
  const Tensor values = values_SKCD.narrow(2, 0, reach).index_select(0, slots_R);
  const Tensor later = torch::arange(reach, positions_R.options()).unsqueeze(0) > positions_R.unsqueeze(1);
  const Tensor scores = (queries.matmul(keys) / std::sqrt(static_cast<double>(shape.head_dim)))
                            .masked_fill(later.view({rows, 1, 1, reach}), -INFINITY);
  return torch::softmax(scores, -1).matmul(values).reshape({rows, heads * shape.head_dim});
}

}  // namespace rlaif::model
