#include "rlaif/model/matmul.hpp"

#include "kernels.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::model {
namespace {

// A smaller weight lives in the processor's near memory, where the library is as fast.
constexpr std::int64_t large_weight = std::int64_t{1} << 18;

bool plain_float(const torch::Tensor& x) { return x.is_cpu() && x.scalar_type() == torch::kFloat && x.is_contiguous(); }

}  // namespace

void matmul_into(const torch::Tensor& x_MI, const torch::Tensor& weight_OI, torch::Tensor y_MO, Into into) {
  const bool add = into == Into::add;
  if (weight_OI.numel() >= large_weight && plain_float(x_MI) && plain_float(weight_OI) && plain_float(y_MO) &&
      at::get_num_threads() == 1) {
    const kernels::Product product{
        x_MI.const_data_ptr<float>(), x_MI.size(0), x_MI.size(1), weight_OI.const_data_ptr<float>(), weight_OI.size(0),
        y_MO.data_ptr<float>(),       add};
    if (kernels::multiply_fits(product)) return kernels::multiply(product);
  }
  if (add)
    y_MO.addmm_(x_MI, weight_OI.t());
  else
    at::mm_out(y_MO, x_MI, weight_OI.t());
}

}  // namespace rlaif::model
