#include "checkpoint.hpp"

#include <set>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_reader.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::model {
namespace {

namespace fs = std::filesystem;

constexpr const char* weights_name = "model.safetensors";
constexpr const char* index_name = "model.safetensors.index.json";

std::string text_of(torch::IntArrayRef sizes) {
  std::string text = "[";
  for (const std::int64_t size : sizes) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

}  // namespace

Checkpoint::Checkpoint(const fs::path& folder, const TensorNames& names) : names_(names) {
  if (!fs::exists(folder / weights_name) && fs::exists(folder / index_name))
    read_index(folder / index_name, folder);
  else
    add_file(folder / weights_name);
  use_present_names(names);
}

void Checkpoint::fail(const std::string& name, const std::string& message) const {
  const auto found = places_.find(name);
  throw input_error(found == places_.end() ? file_ : found->second.reader->file(),
                    "tensor \"" + name + "\": " + message);
}

void Checkpoint::add_file(const fs::path& file) {
  if (file_.empty()) file_ = file;
  readers_.push_back(std::make_unique<SafetensorsReader>(file));
  const SafetensorsReader& reader = *readers_.back();
  for (const SafetensorsEntry& entry : reader.entries())
    if (!places_.emplace(entry.name, Place{&reader, &entry}).second)
      throw input_error(file, "tensor \"" + entry.name + "\" stands in two files");
}

void Checkpoint::read_index(const fs::path& index_file, const fs::path& folder) {
  file_ = index_file;
  const Json index = read_json_object(index_file);
  const JsonReader map = JsonReader(index_file, index).at("weight_map");
  const auto members = map.members();
  std::set<std::string> files;
  for (const auto& [name, file] : members) {
    if (fs::path(file.text()).filename() != file.text()) throw file.unexpected("the name of a file in the same folder");
    files.insert(file.text());
  }
  for (const std::string& name : files) {
    if (!fs::exists(folder / name))
      throw input_error(index_file, "names the file \"" + name + "\", which is not there");
    add_file(folder / name);
  }
  for (const auto& [name, file] : members) {
    const auto found = places_.find(name);
    if (found == places_.end() || found->second.reader->file().filename() != file.text())
      throw file.error("there is no such tensor in " + file.text());
  }
  for (const auto& [name, place] : places_)
    if (!map.object().contains(name))
      throw input_error(index_file, "lacks the tensor \"" + name + "\" of " + place.reader->file().filename().string());
}

void Checkpoint::rename(const std::string& from, const std::string& to) {
  auto node = places_.extract(from);
  node.key() = to;
  places_.insert(std::move(node));
}

// Some checkpoints name the body's tensors without their prefix, or the output matrix otherwise.
void Checkpoint::use_present_names(const TensorNames& names) {
  const std::string embedding = names.embedding + ".weight";
  if (!places_.contains(embedding) && places_.contains(embedding.substr(names.base_prefix.size()))) {
    std::set<std::string> body;
    for (const auto& [name, place] : places_) body.insert(name);
    body.erase(names.score + ".weight");
    for (const std::string& output : names.output) body.erase(output + ".weight");
    for (const std::string& name : body) rename(name, names.base_prefix + name);
  }
  const std::string first = names.output.front() + ".weight";
  for (const std::string& output : names.output)
    if (!places_.contains(first) && places_.contains(output + ".weight")) rename(output + ".weight", first);
}

// A tied checkpoint need not hold the output matrix; where it does, it must be the embedding.
void Checkpoint::drop_output_of_tied() {
  const std::string output = names_.output.front() + ".weight", embedding = names_.embedding + ".weight";
  const auto found = places_.find(output), original = places_.find(embedding);
  if (found == places_.end() || original == places_.end()) return;
  const auto read = [](const Place& place) { return place.reader->read(*place.entry).to(torch::kFloat); };
  if (found->second.entry->shape != original->second.entry->shape || !read(found->second).equal(read(original->second)))
    fail(output, "differs from \"" + embedding + "\" although \"tie_word_embeddings\" is true");
  places_.erase(found);
}

std::string Checkpoint::missing_text(const std::string& tensor, bool tied) const {
  std::string text = "expected the tensor \"" + tensor + "\"";
  if (!tied && tensor == names_.output.front() + ".weight") {
    text +=
        ": config.json has \"tie_word_embeddings\" as false (or, where it has none, its family means false), so that "
        "the output matrix "
        "must be here; true was expected where it is \"" +
        names_.embedding + ".weight\"";
  }
  return text;
}

void Checkpoint::expect(const std::vector<StoredTensor>& tensors, bool tied) {
  std::set<std::string> expected;
  for (const StoredTensor& tensor : tensors) {
    const auto found = places_.find(tensor.name);
    if (found == places_.end()) throw input_error(file_, missing_text(tensor.name, tied));
    const SafetensorsEntry& entry = *found->second.entry;
    const std::vector<std::int64_t> shape = tensor.shape();
    if (entry.shape != shape)
      fail(tensor.name, "expected the shape " + text_of(shape) + " (config.json), found " + text_of(entry.shape));
    if (entry.type != torch::kFloat && entry.type != torch::kBFloat16 && entry.type != torch::kHalf)
      fail(tensor.name, std::string("expected F32, BF16 or F16, found ") + c10::toString(entry.type));
    expected.insert(tensor.name);
  }
  if (tied) drop_output_of_tied();
  for (const auto& [name, place] : places_) {
    bool ignored = expected.contains(name);
    for (const std::string& suffix : names_.ignored_suffixes) ignored = ignored || name.ends_with(suffix);
    if (!ignored) fail(name, "is not part of this architecture");
  }
}

void Checkpoint::expect_one_output() const {
  const std::string weight = names_.score + ".weight", bias = names_.score + ".bias";
  const auto found = places_.find(weight);
  if (found == places_.end()) {
    throw input_error(file_, "holds no score head: expected the tensor \"" + weight +
                                 "\", of a model for sequence classification with one output");
  }
  const std::vector<std::int64_t>& shape = found->second.entry->shape;
  if (!shape.empty() && shape.front() != 1) {
    fail(weight, "has " + std::to_string(shape.front()) +
                     " outputs; a reward model has one (a classifier of several labels is none)");
  }
  if (places_.contains(bias)) fail(bias, "a score is the product with \"" + weight + "\" alone; no bias was expected");
}

void Checkpoint::read(const StoredTensor& tensor) const {
  const Place& place = places_.at(tensor.name);
  const torch::Tensor& into = tensor.parameter;
  const bool same_bytes = tensor.rows.empty() && !tensor.transposed && into.is_cpu() && into.is_contiguous() &&
                          into.scalar_type() == place.entry->type;
  if (same_bytes)
    place.reader->read_into(*place.entry, into);
  else
    tensor.from_checkpoint(place.reader->read(*place.entry));
}

}  // namespace rlaif::model
