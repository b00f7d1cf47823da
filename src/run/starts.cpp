#include "rlaif/run/starts.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"

namespace rlaif::run {
namespace {

namespace fs = std::filesystem;

fs::path starts_file(const RunDirectory& directory) { return directory.root() / "starts.jsonl"; }

// Names and sizes of what stages leave behind: the same as long as nothing was computed and kept.
std::string progress_of(const fs::path& root) {
  std::vector<std::string> files;
  for (const char* folder : {"stages", "models", "checkpoints", "preferences", "data", "canaries", "verdicts",
                             "written", "comparisons", "evaluation"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& item : fs::recursive_directory_iterator(root / folder)) {
      if (item.is_regular_file()) files.push_back(item.path().string() + " " + std::to_string(item.file_size()));
    }
  }
  std::sort(files.begin(), files.end());
  std::string text;
  for (const std::string& file : files) text += file + "\n";
  return hex(checksum(text));
}

std::string environment(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

// A line that a killed start left torn counts as none.
std::vector<Json> read_starts(const fs::path& file) {
  std::vector<Json> starts;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    Json start = Json::parse(line, nullptr, false);
    if (start.is_object()) starts.push_back(std::move(start));
  }
  return starts;
}

void write_starts(const fs::path& file, const std::vector<Json>& starts) {
  std::string text;
  for (const Json& start : starts) text += start.dump() + "\n";
  write_file_atomic(file, text);
}

int requeues_of(const Json& start) { return std::atoi(start.value("slurm_restart", std::string()).c_str()); }

}  // namespace

void record_start(const RunDirectory& directory, int ranks) {
  const fs::path file = starts_file(directory);
  std::vector<Json> starts = read_starts(file);
  Json start;
  start["unix_seconds"] =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  start["ranks"] = ranks;
  start["slurm_job"] = environment("SLURM_JOB_ID");
  start["slurm_restart"] = environment("SLURM_RESTART_COUNT");
  start["progress"] = progress_of(directory.root());
  if (!starts.empty()) {
    const Json& last = starts.back();
    const bool same_job = !start["slurm_job"].get<std::string>().empty() &&
                          last.value("slurm_job", std::string()) == start["slurm_job"].get<std::string>();
    if (same_job && requeues_of(last) >= 1 && requeues_of(start) > requeues_of(last) &&
        last.value("progress", std::string()) == start["progress"].get<std::string>()) {
      throw Error(ErrorKind::resource,
                  directory.root().string() + ": Slurm job " + start["slurm_job"].get<std::string>() +
                      " was queued again and has kept nothing since the last time it was: a longer time limit or more "
                      "frequent checkpoints (run.checkpoint_every_seconds) were expected");
    }
  }
  starts.push_back(start);
  write_starts(file, starts);
}

void record_waiting(const RunDirectory& directory) {
  const fs::path file = starts_file(directory);
  std::vector<Json> starts = read_starts(file);
  if (starts.empty()) return;
  starts.back()["progress"] = "waited";
  write_starts(file, starts);
}

Json starts_facts(const RunDirectory& directory) {
  const std::vector<Json> starts = read_starts(starts_file(directory));
  Json facts;
  facts["starts"] = starts.size();
  facts["requeues"] =
      std::count_if(starts.begin(), starts.end(), [](const Json& start) { return requeues_of(start) >= 1; });
  return facts;
}

}  // namespace rlaif::run
