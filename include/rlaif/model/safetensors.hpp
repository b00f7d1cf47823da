// The safetensors format, strictly: lengths, offsets and products are checked before anything is allocated.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "rlaif/model/transformer.hpp"

namespace rlaif::model {

struct SafetensorsFile {
  std::vector<NamedTensor> tensors;               // in the order of their data, on the CPU, contiguous
  std::map<std::string, std::string> metadata;
};

// Throws Error(input) naming the file and the tensor or field: header over 100 MB, bad JSON, duplicate keys, gaps,
// overlaps, sizes that do not match shape and dtype, unknown dtypes, bytes after the end.
SafetensorsFile read_safetensors(const std::filesystem::path& file);
// Atomic and durable. Tensors are written in the order given.
void write_safetensors(const std::filesystem::path& file, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace rlaif::model
