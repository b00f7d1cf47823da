// The safetensors format, strictly: lengths, offsets and products are checked before anything is allocated.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rlaif/model/tensor.hpp"
#include "rlaif/model/transformer.hpp"

namespace rlaif::model {

// One tensor as the header describes it.
struct SafetensorsEntry {
  std::string name;
  torch::ScalarType type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  // bytes within the data
};

// A file open for reading, tensor by tensor.
class SafetensorsReader {
 public:
  // Reads the header and checks it against the file's length. Throws Error(input) naming the file and the tensor or
  // field: header over 100 MB, bad JSON, duplicate keys, gaps, overlaps, sizes that do not match shape and dtype, unknown
  // dtypes, bytes after the end.
  explicit SafetensorsReader(const std::filesystem::path& file);
  const std::filesystem::path& file() const { return file_; }
  const std::vector<SafetensorsEntry>& entries() const { return entries_; }  // in the order of their data
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  torch::Tensor read(const SafetensorsEntry& entry) const;  // on the CPU, contiguous
  // Into a tensor of the entry's type and number of elements, on the CPU and contiguous.
  void read_into(const SafetensorsEntry& entry, torch::Tensor to) const;

 private:
  class InputFile;
  std::filesystem::path file_;
  std::shared_ptr<const InputFile> input_;
  std::uint64_t data_begin_ = 0;
  std::vector<SafetensorsEntry> entries_;
  std::map<std::string, std::string> metadata_;
};

struct SafetensorsFile {
  std::vector<NamedTensor> tensors;  // in the order of their data, on the CPU, contiguous
  std::map<std::string, std::string> metadata;
};

// All of a file at once.
SafetensorsFile read_safetensors(const std::filesystem::path& file);
// A tensor to write that is made when its turn comes.
struct DeferredTensor {
  std::string name;
  torch::ScalarType type;
  std::vector<std::int64_t> shape;
  std::function<torch::Tensor()> make;  // of that shape; any type and device
};

// Atomic and durable. Tensors are written in the order given.
void write_safetensors(const std::filesystem::path& file, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});
void write_deferred(const std::filesystem::path& file, const std::vector<DeferredTensor>& tensors,
                    const std::map<std::string, std::string>& metadata = {});

}  // namespace rlaif::model
