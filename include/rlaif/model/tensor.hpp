// The names of tensors, for headers that hand them on: torch::Tensor and its methods, torch::Device, torch::ScalarType.
//
//   torch::Tensor logits(const torch::Tensor& hidden_Md);
//
// libtorch's own headers cost 8 to 15 seconds a source file, this one 2. What computes includes rlaif/model/torch.hpp.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>

// As in libtorch's torch/types.h; both may be included.
namespace torch {
using namespace at;  // NOLINT(google-build-using-namespace)
}

namespace rlaif::model {

using NamedTensor = std::pair<std::string, torch::Tensor>;

}  // namespace rlaif::model
