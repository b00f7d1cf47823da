#include "rlaif/model/ops.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <optional>

#include "kernels.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"

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

// x W^T + bias + residual + scale * B (A x), part by part. Absent terms are undefined tensors.
struct Affine : Function<Affine> {
  struct Parts {
    std::vector<std::int64_t> begin, rows;
    double scale = 1.0;
  };
  using Optional = std::optional<Tensor>;  // what autograd takes for a tensor that may be absent
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, const Optional& bias,
                        const Optional& residual, const Optional& a_factor, const Optional& b_factor,
                        const Parts& parts) {
    Tensor y = residual ? torch::addmm(*residual, x, weight.t()) : x.mm(weight.t());
    if (bias) y.add_(*bias);
    Tensor a, b, inner;
    if (a_factor) {
      a = *a_factor;
      b = *b_factor;
      inner = x.mm(a.t());  // [N, parts * rank]
      const std::int64_t rank = b.size(1);
      std::int64_t b_begin = 0;
      for (std::size_t p = 0; p < parts.rows.size(); b_begin += parts.rows[p++])
        y.narrow(1, parts.begin[p], parts.rows[p])
            .addmm_(inner.narrow(1, static_cast<std::int64_t>(p) * rank, rank), b.narrow(0, b_begin, parts.rows[p]).t(),
                    1.0, parts.scale);
    }
    // What only the gradients of frozen inputs would need is not kept.
    const bool x_needed = weight.requires_grad() || (a.defined() && a.requires_grad());
    ctx->save_for_backward({x_needed ? x : Tensor(), weight, a, b, inner});
    ctx->saved_data["begin"] = parts.begin;
    ctx->saved_data["rows"] = parts.rows;
    ctx->saved_data["scale"] = parts.scale;
    ctx->saved_data["has_bias"] = bias.has_value();
    ctx->saved_data["has_residual"] = residual.has_value();
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &a = saved[2], &b = saved[3], &inner = saved[4];
    const Tensor& dy = grads[0];
    Tensor dx, dweight, dbias, dresidual, da, db;
    // Absent inputs have no number.
    std::size_t next = 2;
    if (ctx->needs_input_grad(0)) dx = dy.mm(weight);
    if (ctx->needs_input_grad(1)) dweight = dy.t().mm(x);
    if (ctx->saved_data["has_bias"].toBool() && ctx->needs_input_grad(next++)) dbias = dy.sum(0);
    if (ctx->saved_data["has_residual"].toBool() && ctx->needs_input_grad(next++)) dresidual = dy;
    if (a.defined()) {
      const auto begin = ctx->saved_data["begin"].toIntVector(), rows = ctx->saved_data["rows"].toIntVector();
      const double scale = ctx->saved_data["scale"].toDouble();
      const std::int64_t rank = b.size(1);
      Tensor dinner = torch::empty_like(inner);
      if (ctx->needs_input_grad(next + 1)) db = torch::empty_like(b);
      std::int64_t b_begin = 0;
      for (std::size_t p = 0; p < rows.size(); b_begin += rows[p++]) {
        const Tensor dpart = dy.narrow(1, begin[p], rows[p]);
        const std::int64_t column = static_cast<std::int64_t>(p) * rank;
        dinner.narrow(1, column, rank).copy_(dpart.mm(b.narrow(0, b_begin, rows[p])).mul_(scale));
        if (db.defined()) db.narrow(0, b_begin, rows[p]).copy_(dpart.t().mm(inner.narrow(1, column, rank)).mul_(scale));
      }
      if (dx.defined()) dx.addmm_(dinner, a);
      if (ctx->needs_input_grad(next)) da = dinner.t().mm(x);
    }
    return {dx, dweight, dbias, dresidual, da, db, Tensor()};
  }
};

}  // namespace

Tensor rms_norm(const Tensor& x_Nd, const Tensor& weight_d, double eps) {
  return own_kernels(x_Nd) ? RmsNorm::apply(x_Nd, weight_d, eps) : rms_norm_reference(x_Nd, weight_d, eps);
}
Tensor rms_norm_reference(const Tensor& x_Nd, const Tensor& weight_d, double eps) {
  return x_Nd * torch::rsqrt(x_Nd.square().mean(-1, true) + eps) * weight_d;
}

Tensor layer_norm(const Tensor& x_Nd, const Tensor& weight_d, const Tensor& bias_d, double eps) {
  return torch::layer_norm(x_Nd, {x_Nd.size(1)}, weight_d, bias_d, eps);
}

Tensor activate(const Tensor& x_NU, Activation activation) {
  switch (activation) {
    case Activation::gelu: return torch::gelu(x_NU);
    case Activation::gelu_tanh: return torch::gelu(x_NU, "tanh");
    case Activation::swiglu: break;
  }
  return swiglu(x_NU);
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

Tensor project(const Tensor& x_NI, const Tensor& weight_OI, const Tensor& bias_O, const Tensor& residual_NO,
               const LowRank* low_rank) {
  const auto optional = [](const Tensor& x) { return x.defined() ? Affine::Optional(x) : std::nullopt; };
  const Affine::Optional none, bias = optional(bias_O), residual = optional(residual_NO);
  if (!low_rank || low_rank->empty())
    return Affine::apply(x_NI, weight_OI, bias, residual, none, none, Affine::Parts{});
  return Affine::apply(x_NI, weight_OI, bias, residual, Affine::Optional(low_rank->a_RI),
                       Affine::Optional(low_rank->b_Or),
                       Affine::Parts{low_rank->row_begin, low_rank->rows, low_rank->scale});
}

}  // namespace rlaif::model
