#include "rlaif/cli/run_tools.hpp"

#include <iostream>

#include "rlaif/cli/file_tools.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/tools/diff.hpp"
#include "rlaif/tools/new_study.hpp"
#include "rlaif/tools/status.hpp"

namespace rlaif::cli {

void run_status_command(const CommandLine& line) {
  const std::string& run = word(line, 0, "a run directory");
  no_more_words(line, 1);
  const Json status = tools::run_status(run);
  std::cout << (line.flags.contains("json") ? status.dump(1) + "\n" : tools::status_text(status));
}

void run_diff_command(const CommandLine& line) {
  const std::string &first = word(line, 0, "a run directory"), &second = word(line, 1, "a second run directory");
  no_more_words(line, 2);
  const Json diff = tools::diff_runs(first, second);
  std::cout << (line.flags.contains("json") ? diff.dump(1) + "\n" : tools::diff_text(diff));
}

void run_new_command(const CommandLine& line) {
  tools::NewStudy study;
  study.folder = word(line, 0, "a folder for the study");
  no_more_words(line, 1);
  if (!line.flags.contains("task")) {
    std::string names;
    for (const tools::NewTask& task : tools::new_tasks()) names += (names.empty() ? "" : ", ") + std::string(task.name);
    throw usage_error("rlaif new: --task TASK was expected, one of " + names +
                      "; `rlaif new --help` says what they are");
  }
  study.task = line.flags.at("task");
  study.model = line.flag_or("model", "");
  const std::vector<std::filesystem::path> files = tools::write_new_study(study);
  for (const std::filesystem::path& file : files) std::cout << file.string() << "\n";
  const std::string command = study.task == "sweep" ? "rlaif sweep plan " + files[0].string()
                                                    : "rlaif study " + files[0].string() + " --dry-run";
  std::cout << "look at it first: " << command << "\n";
}

}  // namespace rlaif::cli
