// What computes with tensors includes this, in source files: libtorch's functions, factories, modes and threads.
//
//   const torch::NoGradGuard no_gradients;
//   torch::Tensor sums = torch::cat({torch::zeros({1}, torch::kFloat32), x_N.cumsum(0)});
//
// Without torch::nn, optim, data and serialization, which make up most of <torch/torch.h> and which nobody here uses.
// Autograd nodes include <torch/csrc/autograd/custom_function.h> besides.
#pragma once

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/generated/variable_factories.h>

#include "rlaif/model/tensor.hpp"

// The names of torch/types.h for types of a fixed width. Found through a using-directive, so that libtorch's own, where
// they are included too, stand before them.
namespace rlaif::model::fixed_width_types {
inline constexpr auto kUInt8 = at::kByte;
inline constexpr auto kInt8 = at::kChar;
inline constexpr auto kInt16 = at::kShort;
inline constexpr auto kInt32 = at::kInt;
inline constexpr auto kInt64 = at::kLong;
inline constexpr auto kFloat16 = at::kHalf;
inline constexpr auto kFloat32 = at::kFloat;
inline constexpr auto kFloat64 = at::kDouble;
}  // namespace rlaif::model::fixed_width_types

namespace torch {
using namespace rlaif::model::fixed_width_types;  // NOLINT(google-build-using-namespace)
}
