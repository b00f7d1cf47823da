#include "rlaif/run/stage.hpp"

#include <algorithm>

#include "rlaif/core/files.hpp"
#include "rlaif/core/version.hpp"
#include "rlaif/run/instruction_sets.hpp"

namespace rlaif::run {
namespace {

namespace fs = std::filesystem;

// Raised when a stage changes what it makes of the same keys.
constexpr int form = 1;

bool is_of(const std::string& key, const std::vector<std::string>& sections) {
  const std::string whole = key.substr(0, key.find('/'));  // "model.folder/config.json" is a file of a folder
  const std::string section = whole.substr(0, whole.rfind('.'));
  return std::any_of(sections.begin(), sections.end(),
                     [&](const std::string& one) { return one == whole || one == section; });
}

}  // namespace

double Needs::bytes() const {
  double sum = 0.0;
  for (const Part& part : parts) sum += part.bytes;
  return sum;
}

bool StagePlan::has(const std::string& name) const {
  return std::any_of(stages_.begin(), stages_.end(), [&](const Stage& stage) { return stage.name == name; });
}

void StagePlan::add(Stage stage) {
  if (!has(stage.name)) stages_.push_back(std::move(stage));
}

std::string stage_identity(const Stage& stage, const ResolvedDeck& deck, const std::string& device,
                           const std::string& instruction_sets, const fs::path& root) {
  std::string text = "stage " + stage.name + ", form " + std::to_string(form) + "\n";
  text += std::string("rlaif ") + version() + ", libtorch " + libtorch_version() + ", " + device + ", " +
          instruction_sets + "\n";
  for (const auto& entry : deck.entries) {
    if (entry.results && is_of(entry.key, stage.sections)) text += entry.key + " = " + entry.text + "\n";
  }
  for (const auto& [key, sum] : deck.inputs) {
    if (is_of(key, stage.sections)) text += "checksum of " + key + " = " + sum + "\n";
  }
  for (const std::string& path : stage.reads) {
    for (const std::string& file : files_under(root, path))
      text += "checksum of " + file + " = " + file_checksum(root / file) + "\n";
  }
  return text;
}

std::vector<std::string> files_under(const fs::path& root, const std::string& path) {
  std::vector<std::string> files;
  const fs::path top = root / path;
  if (fs::is_regular_file(top)) files.push_back(path);
  if (!fs::is_directory(top)) return files;
  for (const auto& item : fs::recursive_directory_iterator(top)) {
    const std::string name = item.path().filename().string();
    if (item.is_regular_file() && !name.ends_with(".tmp") && name != model_card)
      files.push_back((fs::path(path) / item.path().lexically_relative(top)).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool lies_in(const std::string& path, const std::string& named) {
  return path == named || path.starts_with(named + "/");
}

}  // namespace rlaif::run
