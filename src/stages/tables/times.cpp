// How long the stages took, on how many ranks, in how many starts, with which instructions.
#include <fmt/format.h>

#include <algorithm>

#include "rlaif/core/progress.hpp"
#include "rlaif/run/starts.hpp"
#include "tables.hpp"

namespace rlaif::stages {
namespace {

std::string sets_text(const Json& results) {
  const Json sets = results.value("instruction_sets", Json::array());
  std::string text;
  if (sets.size() < 2) return text;
  for (const Json& one : sets)
    text += (text.empty() ? "the run was computed with several instruction sets: " : "; ") + one.get<std::string>();
  return text + "\n";
}

std::string starts_text(const Json& results) {
  if (number(results, "starts") <= 1) return "";
  return fmt::format("the run took {:.0f} starts, of which Slurm queued {:.0f} again\n", number(results, "starts"),
                     number(results, "requeues"));
}

}  // namespace

void times_finish(const Finished& finished, Json& results) {
  double ranks = 1;
  for (const Json& marker : finished.markers) ranks = std::max(ranks, number(marker, "ranks"));
  results["stages"] = Json::array();
  double total = 0.0;
  for (const Json& marker : finished.markers) {
    Json row;
    row["stage"] = marker["stage"];
    row["kind"] = marker.value("kind", std::string());
    row["of"] = marker.value("of", std::string());
    row["wall_seconds"] = marker["wall_seconds"];
    row["peak_memory_bytes"] = marker["peak_memory_bytes"];
    total += number(marker, "wall_seconds");
    results["stages"].push_back(row);
  }
  results["wall_seconds"] = total;
  results["ranks"] = ranks;
  results["seed"] = finished.context.study.run.seed;
  results["deck"] = finished.context.study.name;
  results.update(starts_facts(finished.context.directory));
}

std::string times_text(const Printed& printed) {
  const Json& results = printed.results;
  return fmt::format("{} on {:.0f} rank(s)\n", format_duration(number(results, "wall_seconds")),
                     number(results, "ranks")) +
         starts_text(results) + sets_text(results);
}

}  // namespace rlaif::stages
