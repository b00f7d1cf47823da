#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <string>

#include "rlaif/core/error.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/model/safetensors.hpp"
#include "rlaif/train/loop.hpp"
#include "tensors.hpp"

namespace rlaif::train {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeptCheckpoints = 2;

fs::path checkpoint_file(const StageRun& run, std::int64_t step) {
  return run.checkpoint_folder / fmt::format("step-{:08}.safetensors", step);
}

struct Found {
  std::int64_t step;
  fs::path file;
};

// Newest first.
std::vector<Found> list_checkpoints(const StageRun& run) {
  static const std::regex pattern("step-([0-9]{8,18})\\.safetensors");
  std::vector<Found> found;
  if (!fs::is_directory(run.checkpoint_folder)) return found;
  for (const auto& entry : fs::directory_iterator(run.checkpoint_folder)) {
    std::smatch match;
    const std::string name = entry.path().filename().string();
    if (std::regex_match(name, match, pattern)) found.push_back({std::stoll(match[1]), entry.path()});
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.step > b.step; });
  return found;
}

// What a killed writer left behind: no other process writes here while this stage runs.
void remove_temporaries(const StageRun& run) {
  static const std::regex pattern("\\.(step-|reference).*\\.tmp");
  if (!fs::is_directory(run.checkpoint_folder)) return;
  std::vector<fs::path> stale;
  for (const auto& entry : fs::directory_iterator(run.checkpoint_folder)) {
    if (std::regex_match(entry.path().filename().string(), pattern)) stale.push_back(entry.path());
  }
  for (const fs::path& file : stale) fs::remove(file);
}

// Over names, shapes, bytes and the small state: anything that resuming depends on.
std::string content_checksum(const Checkpoint& checkpoint) {
  std::string digest = std::to_string(checkpoint.step) + " " + std::to_string(checkpoint.metrics_size) + " " +
                       checkpoint.metrics_checksum + " " + checkpoint.extra.dump() + "\n";
  digest += content_text(checkpoint.tensors);
  return hex(checksum(digest));
}

std::string metadata_field(const model::SafetensorsFile& content, const fs::path& file, const std::string& key) {
  const auto found = content.metadata.find(key);
  if (found == content.metadata.end()) throw input_error(file, "a checkpoint without the metadata field " + key);
  return found->second;
}

Checkpoint read_checkpoint(const fs::path& file) {
  auto content = model::read_safetensors(file);
  Checkpoint checkpoint;
  checkpoint.step = std::stoll(metadata_field(content, file, "step"));
  checkpoint.metrics_size = std::stoull(metadata_field(content, file, "metrics_size"));
  checkpoint.metrics_checksum = metadata_field(content, file, "metrics_checksum");
  checkpoint.extra = parse_json_text(metadata_field(content, file, "extra"));
  checkpoint.tensors = std::move(content.tensors);
  if (content_checksum(checkpoint) != metadata_field(content, file, "checksum")) {
    throw input_error(file, "the checksum does not match the content");
  }
  return checkpoint;
}

// State and metrics go together: from a checkpoint alone the stage would end with other metrics than it should.
void check_metrics(const StageRun& run, const Checkpoint& checkpoint, const fs::path& file) {
  if (run.metrics_file.empty() || checkpoint.metrics_checksum.empty()) return;
  RunningChecksum sum;
  sum.add_file(run.metrics_file, checkpoint.metrics_size);
  if (sum.value() == checkpoint.metrics_checksum) return;
  throw input_error(run.metrics_file, "is damaged: its first " + std::to_string(checkpoint.metrics_size) +
                                          " bytes are not those that " + file.filename().string() + " knew");
}

}  // namespace

void save_checkpoint(const StageRun& run, const Checkpoint& checkpoint) {
  if (run.checkpoint_folder.empty()) return;
  run.comm->on_root([&] {
    make_folders(run.checkpoint_folder);
    model::write_safetensors(checkpoint_file(run, checkpoint.step), checkpoint.tensors,
                             {{"step", std::to_string(checkpoint.step)},
                              {"metrics_size", std::to_string(checkpoint.metrics_size)},
                              {"metrics_checksum", checkpoint.metrics_checksum},
                              {"extra", checkpoint.extra.dump()},
                              {"checksum", content_checksum(checkpoint)}});
    std::size_t kept = 0;
    for (const auto& [step, file] : list_checkpoints(run)) {
      // A later step than this one's is a damaged file that the stage has resumed from before.
      if (step > checkpoint.step || ++kept > kKeptCheckpoints) fs::remove(file);
    }
  });
}

Checkpoint load_checkpoint(const StageRun& run) {
  Checkpoint checkpoint;
  if (run.checkpoint_folder.empty()) return checkpoint;
  std::string chosen;
  run.comm->on_root([&] {
    remove_temporaries(run);
    for (const auto& [step, file] : list_checkpoints(run)) {
      try {
        Checkpoint found = read_checkpoint(file);
        check_metrics(run, found, file);
        checkpoint = std::move(found);
        chosen = file.string();
        break;
      } catch (const std::exception& error) {
        log::warning(run.name + ": passing over a checkpoint: " + error.what());
      }
    }
  });
  run.comm->broadcast(chosen);
  run.comm->agree([&] {
    if (!chosen.empty() && !run.comm->is_root()) checkpoint = read_checkpoint(chosen);
  });
  return checkpoint;
}

Checkpoint resume(const StageRun& run, const std::vector<model::NamedTensor>& parameters, AdamW& optimizer) {
  Checkpoint start = load_checkpoint(run);
  if (start.step > 0) {
    copy_tensors(parameters, start.tensors);
    optimizer.load_state(start.tensors);
    start.tensors.clear();
  }
  return start;
}

}  // namespace rlaif::train
