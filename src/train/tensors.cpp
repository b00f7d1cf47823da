#include "tensors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::train {

const torch::Tensor& checked_tensor(const std::vector<model::NamedTensor>& from, const std::string& name,
                                    const torch::Tensor& like) {
  const auto found = std::find_if(from.begin(), from.end(), [&](const auto& entry) { return entry.first == name; });
  if (found == from.end()) throw input_error("checkpoint without tensor " + name + "; it is of another model");
  if (found->second.sizes() != like.sizes() || found->second.scalar_type() != like.scalar_type()) {
    throw input_error("checkpoint with another shape or type of tensor " + name + "; it is of another model");
  }
  return found->second;
}

void copy_tensors(const std::vector<model::NamedTensor>& into, const std::vector<model::NamedTensor>& from) {
  const torch::NoGradGuard no_gradients;
  for (const auto& [name, target] : into) target.copy_(checked_tensor(from, name, target));
}

void append_prefixed(std::vector<model::NamedTensor>& all, const std::string& prefix,
                     const std::vector<model::NamedTensor>& tensors) {
  for (const auto& [name, tensor] : tensors) all.emplace_back(prefix + name, tensor);
}

std::vector<model::NamedTensor> without_prefix(const std::vector<model::NamedTensor>& all, const std::string& prefix) {
  std::vector<model::NamedTensor> chosen;
  for (const auto& [name, tensor] : all) {
    if (name.starts_with(prefix)) chosen.emplace_back(name.substr(prefix.size()), tensor);
  }
  return chosen;
}

std::string content_text(const std::vector<model::NamedTensor>& tensors) {
  std::string text;
  for (const auto& [name, tensor] : tensors) {
    const auto whole = tensor.detach().to(torch::kCPU).contiguous();
    text += name;
    for (const auto size : whole.sizes()) text.append(" ").append(std::to_string(size));
    text.append(" ").append(hex(checksum({static_cast<const char*>(whole.data_ptr()), whole.nbytes()}))).append("\n");
  }
  return text;
}

torch::Tensor doubles(const std::vector<double>& values, torch::Device device) {
  return torch::tensor(values, torch::kFloat64).to(device);
}

std::span<float> elements(const torch::Tensor& flat) {
  return {flat.data_ptr<float>(), static_cast<std::size_t>(flat.numel())};
}

std::string progress_number(const std::string& name, double value) { return fmt::format("{} {:.3f}", name, value); }

}  // namespace rlaif::train
