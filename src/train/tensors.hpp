// Small helpers of the training stages: named tensors in and out of checkpoints, numbers on progress lines.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rlaif/model/transformer.hpp"

namespace rlaif::train {

// Copies each tensor of `into` from the one of the same name in `from`; others in `from` are ignored.
// Throws Error(input) naming the tensor that is missing or has another shape.
void copy_tensors(const std::vector<model::NamedTensor>& into, const std::vector<model::NamedTensor>& from);

// The tensor of a name in `from`, which has the sizes and type of `like`. Throws as above.
const torch::Tensor& checked_tensor(const std::vector<model::NamedTensor>& from, const std::string& name,
                                    const torch::Tensor& like);

// The same tensors with their names prefixed, appended to `all`.
void append_prefixed(std::vector<model::NamedTensor>& all, const std::string& prefix,
                     const std::vector<model::NamedTensor>& tensors);
// Those whose name starts with the prefix, without it.
std::vector<model::NamedTensor> without_prefix(const std::vector<model::NamedTensor>& all, const std::string& prefix);

// A line a tensor with name, sizes and checksum of its bytes: for a checksum of them all.
std::string content_text(const std::vector<model::NamedTensor>& tensors);

// [N], float64, on a device.
torch::Tensor doubles(const std::vector<double>& values, torch::Device device);

// The elements of a flat float32 tensor on the host.
std::span<float> elements(const torch::Tensor& flat);

// "loss 1.234"
std::string progress_number(const std::string& name, double value);

}  // namespace rlaif::train
