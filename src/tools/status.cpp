#include "rlaif/tools/status.hpp"

#include <fmt/format.h>

#include <chrono>
#include <set>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/remote/paid_sums.hpp"
#include "rlaif/run/layers.hpp"
#include "rlaif/run/plan_file.hpp"
#include "rlaif/run/starts.hpp"

namespace rlaif::tools {
namespace {

namespace fs = std::filesystem;

constexpr double quiet_seconds = 120.0;  // a stage whose process says nothing for longer may be gone

Json paid_facts(const fs::path& run, const Json& run_file) {
  Json facts{{"judges", Json::object()}, {"writers", Json::object()}, {"paid_usd", 0.0}, {"held_usd", 0.0}};
  for (const auto& [asker, paid] : remote::PaidSums(RunDirectory(run).answers()).read()) {
    Json& row = facts[asker.role + "s"][asker.name];
    row = {{"answers", paid.answers}, {"paid_usd", paid.paid_usd}, {"held_usd", paid.held_usd}};
    if (paid.damaged_lines > 0) row["damaged_lines"] = paid.damaged_lines;
    facts["paid_usd"] = facts["paid_usd"].get<double>() + paid.paid_usd;
    facts["held_usd"] = facts["held_usd"].get<double>() + paid.held_usd;
  }
  for (const char* part : {"deck", "other_settings"}) {
    const auto keys = run_file.find(part);
    if (keys == run_file.end() || !keys->contains("cost.cap_usd")) continue;
    facts["cap_usd"] = std::strtod(keys->at("cost.cap_usd").get<std::string>().c_str(), nullptr);
  }
  return facts;
}

// Stages of the plan; of a run without one, those that are done.
Json planned_stages(const RunDirectory& directory) {
  Json stages = read_plan(directory).at("stages");
  if (!stages.empty() || !fs::exists(directory.root() / "stages")) return stages;
  std::set<std::string> names;
  for (const auto& item : fs::directory_iterator(directory.root() / "stages")) {
    if (item.path().extension() == ".json") names.insert(item.path().stem().string());
  }
  for (const std::string& name : names) stages.push_back({{"stage", name}, {"kind", ""}, {"of", ""}, {"size", ""}});
  return stages;
}

Json progress_of(const RunDirectory& directory) {
  if (!fs::exists(directory.progress())) return Json();
  const Json progress = try_parse_json(read_file(directory.progress()));
  return progress.is_object() ? progress : Json();
}

// Since a file that the run's process writes again and again was last written; nothing where there is none.
std::optional<double> silent_seconds(const Json& progress) {
  if (!progress.contains("unix_seconds")) return std::nullopt;
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  return std::max(0.0, static_cast<double>(now.count()) - progress["unix_seconds"].get<double>());
}

// "annotate held-out" is progress of the stage annotate, "sft, reference" of sft.
bool is_of(const Json& progress, const std::string& stage) {
  const std::string named = progress.value("stage", std::string());
  return named == stage || named.starts_with(stage + " ") || named.starts_with(stage + ",");
}

std::string progress_text(const Json& status) {
  const Json& progress = status["progress"];
  ProgressFacts facts{progress.value("stage", ""),
                      progress.value("unit", ""),
                      progress.value("detail", ""),
                      progress.value("done", std::uint64_t{0}),
                      progress.value("total", std::uint64_t{0}),
                      progress.value("rate", 0.0),
                      progress.value("seconds", 0.0)};
  return plain_line(facts) + fmt::format(" ({} ago)", format_duration(status["silent_seconds"].get<double>()));
}

std::string stage_line(const Json& status, const Json& stage) {
  const std::string state = stage["state"].get<std::string>(), name = stage["stage"].get<std::string>();
  std::string text = fmt::format("  {:<8} {:<22} ", state, name);
  if (state == "done")
    text += format_duration(stage["wall_seconds"].get<double>());
  else if (!status["progress"].is_null() && is_of(status["progress"], name) && state != "waiting")
    text += progress_text(status);
  else
    text += stage["size"].get<std::string>();
  while (text.back() == ' ') text.pop_back();
  return text + "\n";
}

std::string head_line(const Json& status) {
  const std::string state = status["state"].get<std::string>();
  std::string text = status["run"].get<std::string>() + ": " + status["name"].get<std::string>() + ", " + state;
  if (state == "running") text += " by " + status["holder"].get<std::string>();
  if (state == "stopped") text += "; the same command goes on with it";
  if (state == "running" && status.value("silent_seconds", 0.0) > quiet_seconds) {
    text += "; it has given no sign of life for " + format_duration(status["silent_seconds"].get<double>()) +
            " (a long step, or its machine is gone)";
  }
  return text + "\n";
}

std::string paid_line(const Json& paid) {
  if (paid["judges"].empty() && paid["writers"].empty()) return "";
  std::string text = "paid " + format_usd(paid["paid_usd"].get<double>());
  if (paid["held_usd"].get<double>() > 0.0)
    text += ", and " + format_usd(paid["held_usd"].get<double>()) + " held for requests without an answer yet";
  if (paid.value("cap_usd", 0.0) > 0.0) text += ", of at most " + format_usd(paid["cap_usd"].get<double>());
  for (const char* roles : {"judges", "writers"}) {
    for (const auto& [name, row] : paid[roles].items()) {
      text += fmt::format("\n  {:<22} {} answers, {}", name, row["answers"].get<long long>(),
                          format_usd(row["paid_usd"].get<double>()));
      if (row.contains("damaged_lines"))
        text += fmt::format("; {} damaged lines are not counted", row["damaged_lines"].get<long long>());
    }
  }
  return text + "\n";
}

}  // namespace

Json run_status(const fs::path& run) {
  const RunDirectory directory(run);
  if (!fs::exists(run / "run.json")) throw input_error(run, "has no run.json; a run directory was expected");
  const Json run_file = read_sealed_json(run / "run.json");
  const std::string hash = run_file.value("deck_hash", std::string());
  const auto holder = noted_holder(run);
  Json status{
      {"run", run.string()}, {"name", run_file.value("name", std::string())}, {"stages", planned_stages(directory)}};
  status["holder"] = holder ? Json(*holder) : Json();
  status["progress"] = progress_of(directory);
  if (const auto silent = silent_seconds(status["progress"])) status["silent_seconds"] = *silent;
  double seconds = 0.0;
  std::size_t done = 0;
  bool is_begun = false;
  for (Json& stage : status["stages"]) {
    const std::string name = stage["stage"].get<std::string>();
    if (const auto marker = directory.finished_stage(name, hash)) {
      stage["state"] = "done";
      stage["wall_seconds"] = marker->value("wall_seconds", 0.0);
      seconds += marker->value("wall_seconds", 0.0);
      ++done;
    } else {
      const bool begun = fs::exists(directory.begun_file(name));
      stage["state"] = !begun ? "waiting" : holder ? "running" : "stopped";
      is_begun = is_begun || begun;
    }
  }
  status["done_seconds"] = seconds;
  const bool is_done = done == status["stages"].size() && done > 0;
  status["state"] = is_done ? "done" : holder ? "running" : done > 0 || is_begun ? "stopped" : "waiting";
  status.update(starts_facts(directory));
  status["paid"] = paid_facts(run, run_file);
  return status;
}

std::string status_text(const Json& status) {
  std::string text = head_line(status);
  std::size_t done = 0;
  for (const Json& stage : status["stages"]) {
    text += stage_line(status, stage);
    done += stage["state"] == "done";
  }
  text += fmt::format("{} of {} stages done in {}", done, status["stages"].size(),
                      format_duration(status["done_seconds"].get<double>()));
  if (status.value("starts", 0) > 1)
    text += fmt::format("; {} starts, of which Slurm queued {} again", status["starts"].get<int>(),
                        status["requeues"].get<int>());
  return text + "\n" + paid_line(status["paid"]);
}

}  // namespace rlaif::tools
