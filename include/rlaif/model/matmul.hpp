// Matrix products of inference, into memory that is there already.
#pragma once

#include "rlaif/model/tensor.hpp"

namespace rlaif::model {

enum class Into { replace, add };

// y = x W^T, or y += x W^T. x: [M, in], W: [out, in], y: [M, out], all contiguous, no gradients. Any device and type. Where
// few rows meet a large float32 weight on one CPU thread, own kernels are used: the library's are made for many rows.
void matmul_into(const torch::Tensor& x_MI, const torch::Tensor& weight_OI, torch::Tensor y_MO,
                 Into into = Into::replace);

}  // namespace rlaif::model
