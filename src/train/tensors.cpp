#include "tensors.hpp"

#include <algorithm>
#include <cstdio>

#include "rlaif/core/error.hpp"

namespace rlaif::train {

void copy_tensors(const std::vector<model::NamedTensor>& into, const std::vector<model::NamedTensor>& from) {
  const torch::NoGradGuard no_gradients;
  for (const auto& [name, target] : into) {
    const auto found = std::find_if(from.begin(), from.end(), [&](const auto& entry) { return entry.first == name; });
    if (found == from.end()) throw input_error("checkpoint without tensor " + name + "; it is of another model");
    if (found->second.sizes() != target.sizes() || found->second.scalar_type() != target.scalar_type()) {
      throw input_error("checkpoint with another shape or type of tensor " + name + "; it is of another model");
    }
    target.copy_(found->second);
  }
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

std::string progress_number(const std::string& name, double value) {
  char text[48];
  std::snprintf(text, sizeof text, " %.3f", value);
  return name + text;
}

}  // namespace rlaif::train
