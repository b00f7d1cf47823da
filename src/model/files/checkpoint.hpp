// A model's tensors as a Hugging Face checkpoint names and lays them out, and the files they stand in. Not a public
// header.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../families/families.hpp"
#include "rlaif/model/safetensors.hpp"
#include "rlaif/model/transformer.hpp"

namespace rlaif::model {

enum class Purpose { causal, scalar };

// One tensor of a checkpoint and the parameter, or the rows of one, that it is.
struct StoredTensor {
  std::string name;
  torch::Tensor parameter;
  std::vector<std::int64_t> rows;  // the checkpoint's row i is row rows[i] of the parameter; empty: the same order
  bool transposed = false;
  std::vector<std::int64_t> shape() const;
  torch::Tensor to_checkpoint() const;
  void from_checkpoint(const torch::Tensor& stored) const;
};

// All of them but the score's head. Fused parameters are cut into their parts.
std::vector<StoredTensor> stored_tensors(const Transformer& model, Purpose purpose);

// A folder's tensors, in one file or in those that its index names. Headers are read and checked at once, data when asked.
class Checkpoint {
 public:
  Checkpoint(const std::filesystem::path& folder, const TensorNames& names);
  // Throws Error(input) unless there are exactly these tensors, of these shapes. Where `tied`, an output matrix may
  // be there too if it is the embedding.
  void expect(const std::vector<StoredTensor>& tensors, bool tied);
  // Throws Error(input) unless the score is a matrix of one row and nothing else.
  void expect_one_output() const;
  void read(const StoredTensor& tensor) const;

 private:
  struct Place {
    const SafetensorsReader* reader;
    const SafetensorsEntry* entry;
  };
  void add_file(const std::filesystem::path& file);
  void read_index(const std::filesystem::path& index, const std::filesystem::path& folder);
  void use_present_names(const TensorNames& names);
  void rename(const std::string& from, const std::string& to);
  void drop_output_of_tied();
  std::string missing_text(const std::string& tensor, bool tied) const;
  [[noreturn]] void fail(const std::string& name, const std::string& message) const;

  std::filesystem::path file_;  // what messages name where no single file is meant
  std::vector<std::unique_ptr<SafetensorsReader>> readers_;
  std::map<std::string, Place> places_;
  const TensorNames& names_;
};

}  // namespace rlaif::model
