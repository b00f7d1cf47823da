#include "rlaif/run/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "rlaif/comm/grains.hpp"
#include "rlaif/comm/watchdog.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/host.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/run/artefacts.hpp"
#include "rlaif/run/instruction_sets.hpp"
#include "rlaif/run/shared_stages.hpp"

namespace rlaif::run {
namespace {

namespace fs = std::filesystem;

// Training gives every rank its grains; other stages' work goes to whoever is free.
double share_of(const Here& here, const Stage& stage, int rank) {
  const bool trains = std::any_of(stage.makes.begin(), stage.makes.end(),
                                  [](const std::string& made) { return made.starts_with("metrics/"); });
  return trains ? comm::grains_of(rank, here.comm.size(), here.settings.grains).count() : 1.0;
}

// Says which ranks were busy for much longer than others with as much to do: a slow machine, or one that something else uses.
void name_stragglers(const Here& here, const Stage& stage, double busy_seconds) {
  if (here.comm.size() == 1) return;
  std::vector<double> busy, shares;
  std::vector<std::string> hosts;
  for (const std::string& word : here.comm.gather(std::to_string(busy_seconds) + " " + host_name())) {
    const std::size_t space = word.find(' ');
    busy.push_back(std::strtod(word.c_str(), nullptr));
    hosts.push_back(word.substr(space + 1));
    shares.push_back(share_of(here, stage, static_cast<int>(shares.size())));
  }
  for (const int slow : here.comm.is_root() ? comm::stragglers(busy, shares) : std::vector<int>{}) {
    const double shortest = *std::min_element(busy.begin(), busy.end()), own = busy[static_cast<std::size_t>(slow)];
    log::warning(fmt::format("{}: rank {} on {} was busy for {:.1f} s, others for as little as {:.1f} s: a straggler",
                             stage.name, slow, hosts[static_cast<std::size_t>(slow)], own, shortest));
  }
}

// Runs one stage that is not done and marks it done; returns its marker. `inputs`: digests of the stages before it. Its marker
// names the instruction sets of all starts that worked on it, of `earlier` ones first.
Json run_stage(const Stage& stage, const Here& here, const Json& inputs, std::vector<std::string> earlier) {
  const Stopwatch watch;
  const double waited_before = comm::waited_seconds();
  comm::note_place(stage.name);
  const std::string taken = taken_instruction_sets();
  if (std::find(earlier.begin(), earlier.end(), taken) == earlier.end()) earlier.push_back(taken);
  here.comm.on_root([&] { here.directory.begin_stage(stage.name, {inputs, earlier}); });
  Json facts = stage.run(here);
  name_stragglers(here, stage, watch.seconds() - (comm::waited_seconds() - waited_before));
  std::vector<double> peak{static_cast<double>(peak_memory_bytes())};
  here.comm.all_reduce_max(peak);
  facts["kind"] = stage.kind;
  facts["of"] = stage.of;
  facts["ranks"] = here.comm.size();
  facts["instruction_sets"] = earlier;
  facts["wall_seconds"] = watch.seconds();
  facts["peak_memory_bytes"] = static_cast<std::uint64_t>(peak[0]);
  std::string listed;
  here.comm.on_root([&] {
    facts["inputs"] = inputs;
    facts["files"] = list_artefacts(here.directory.root(), {stage.makes.begin(), stage.makes.end()});
    here.directory.finish_stage(stage.name, here.deck_hash, facts);
    listed = facts["files"].dump();
  });
  here.comm.broadcast(listed);
  facts["files"] = Json::parse(listed);
  facts["stage"] = stage.name;
  return facts;
}

// The marker of every stage, as the root sees them; empty Json where a stage is not done.
std::vector<Json> read_markers(const Here& here, const std::vector<Stage>& stages) {
  std::string text;
  here.comm.on_root([&] {
    Json markers = Json::array();
    for (const Stage& stage : stages) {
      const auto marker = here.directory.finished_stage(stage.name, here.deck_hash);
      markers.push_back(marker ? *marker : Json());
    }
    text = markers.dump();
  });
  here.comm.broadcast(text);
  const Json markers = Json::parse(text);
  return {markers.begin(), markers.end()};
}

// A stage of which a file is damaged or lost is not done. One that `command` does not make again is an error that names
// the file: nothing starts from it.
void forget_damaged(const Here& here, const std::string& command, const std::vector<Stage>& stages,
                    std::vector<Json>& markers) {
  const std::vector<Damage> all = find_damage(here.comm, here.directory.root(), markers);
  here.comm.agree([&] {
    for (const Damage& damage : all) {
      const Stage& stage = stages[damage.marker];
      if (damage.is_record) {
        if (here.comm.is_root()) log::warning(stage.name + ": " + damage.what + "; only plots of its steps read it");
        continue;
      }
      if (command != "study" && command != stage.command) {
        throw input_error(damage.what + "; `rlaif " + stage.command + "` with this deck makes it again");
      }
      markers[damage.marker] = Json();
      if (!here.comm.is_root()) continue;
      log::warning(stage.name + ": " + damage.what + "; the stage is run again");
      std::error_code ignored;  // a file that stays is written over
      if (!damage.file.empty()) fs::remove(damage.file, ignored);
    }
  });
}

bool makes_what_is_read(const Stage& earlier, const Stage& stage) {
  return std::any_of(earlier.makes.begin(), earlier.makes.end(), [&](const std::string& made) {
    return std::any_of(stage.reads.begin(), stage.reads.end(),
                       [&](const std::string& read) { return lies_in(made, read) || lies_in(read, made); });
  });
}

// What a stage starts from: a digest of what each stage made that it reads from.
Json digests(const std::vector<Stage>& stages, const std::vector<Json>& markers, std::size_t of) {
  Json inputs = Json::object();
  for (std::size_t s = 0; s < of; ++s) {
    if (markers[s].is_null() || !makes_what_is_read(stages[s], stages[of])) continue;
    if (const std::string digest = artefact_digest(markers[s]); !digest.empty()) inputs[stages[s].name] = digest;
  }
  return inputs;
}

// What every stage started from and was computed with, whether it is done or was cut off.
std::vector<RunDirectory::Begun> read_begun(const Here& here, const std::vector<Stage>& stages,
                                            const std::vector<Json>& markers) {
  std::string text;
  here.comm.on_root([&] {
    Json begun = Json::array();
    for (std::size_t s = 0; s < stages.size(); ++s) {
      if (markers[s].is_null()) {
        const RunDirectory::Begun cut_off = here.directory.begun_with(stages[s].name);
        begun.push_back({cut_off.inputs, cut_off.instruction_sets});
      } else {
        begun.push_back({markers[s].value("inputs", Json::object()), instruction_sets_of(markers[s])});
      }
    }
    text = begun.dump();
  });
  here.comm.broadcast(text);
  std::vector<RunDirectory::Begun> all;
  for (const Json& begun : Json::parse(text)) all.push_back({begun[0], begun[1]});
  return all;
}

// Said when the first stage of this start begins: part of the run was computed with other instruction sets.
void say_other_sets(const Here& here, const std::vector<Stage>& stages, const std::vector<RunDirectory::Begun>& begun) {
  if (!here.comm.is_root()) return;
  const std::string taken = taken_instruction_sets();
  std::map<std::string, std::string> others;  // stages by sets
  for (std::size_t s = 0; s < stages.size(); ++s) {
    for (const std::string& sets : begun[s].instruction_sets) {
      if (sets != taken) others[sets] += (others[sets].empty() ? "" : ", ") + stages[s].name;
    }
  }
  for (const auto& [sets, names] : others) {
    log::warning(here.directory.root().string() + ": was computed with " + sets + " (" + names + ") and goes on with " +
                 taken +
                 ": last bits differ, and with them what is sampled and learned; run.instruction_set or a machine like "
                 "the first keeps to one");
  }
}

// The first stage whose files are others than those that a stage started from; empty where there is none.
std::string changed_input(const Json& then, const Json& inputs) {
  for (const auto& [stage, digest] : inputs.items()) {
    if (then.is_object() && then.contains(stage) && then[stage] != digest) return stage;
  }
  return "";
}

// The stage that says that this one is not wanted; nullptr: it is.
const Stage* ended_by(const Stage& stage, const std::vector<Stage>& stages, const std::vector<Json>& markers) {
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const auto& enders = stage.unless_ended_by;
    if (std::find(enders.begin(), enders.end(), stages[s].name) == enders.end()) continue;
    if (!markers[s].is_null() && markers[s].value("ends", false)) return &stages[s];
  }
  return nullptr;
}

void expect_stage_of(const std::string& command, const std::vector<Stage>& stages) {
  std::string names;
  for (const Stage& stage : stages) {
    if (command == "study" || stage.command == command) return;
    names += (names.empty() ? "" : ", ") + stage.name + " (rlaif " + stage.command + ")";
  }
  throw usage_error("rlaif " + command + ": no stage of this deck's study is run by it; its stages are " + names);
}

}  // namespace

std::vector<std::string> instruction_sets_of(const Json& marker) {
  return marker.is_null() ? std::vector<std::string>() : marker.value("instruction_sets", std::vector<std::string>());
}

std::vector<Json> run_stages(const Here& here, const ResolvedDeck& deck, const std::vector<Stage>& stages,
                             const std::string& command, const std::function<void(const Stage&)>& left_out) {
  here.comm.on_root([&] { expect_stage_of(command, stages); });
  std::vector<Json> markers = read_markers(here, stages);
  std::vector<RunDirectory::Begun> begun = read_begun(here, stages, markers);
  bool goes_on = false;
  forget_damaged(here, command, stages, markers);
  const SharedStages shared(here, deck);
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const Stage& stage = stages[s];
    if (const Stage* ender = ended_by(stage, stages, markers)) {
      if (here.comm.is_root()) log::info(stage.name + ": is left out, as " + ender->name + " says");
      if (left_out) left_out(stage);
      markers[s] = Json();
      continue;
    }
    if (command != "study" && stage.command != command) {
      // An earlier stage must be there; a later one is none of this command's business.
      const bool earlier = std::any_of(stages.begin() + static_cast<std::ptrdiff_t>(s), stages.end(),
                                       [&](const Stage& later) { return later.command == command; });
      if (earlier && markers[s].is_null()) {
        here.comm.on_root([&] {
          throw usage_error("stage " + stage.name + " is not done in " + here.settings.directory.string() +
                            ": run `rlaif " + stage.command + "` with this deck first");
        });
      }
      continue;
    }
    const Json inputs = digests(stages, markers, s);
    if (const std::string changed = changed_input(begun[s].inputs, inputs); !changed.empty()) {
      log::info(stage.name + ": is run again, stage " + changed + " came out otherwise");
      here.comm.on_root([&] { here.directory.forget_stage(stage.name, stage.makes); });
      begun[s].instruction_sets.clear();
    } else if (!markers[s].is_null()) {
      log::info(stage.name + ": done before");
      shared.offer(stage, markers[s]);
      continue;
    }
    if (!std::exchange(goes_on, true)) say_other_sets(here, stages, begun);
    // A stage whose marker was damaged is made from what is there as well: who computed that, the marker said.
    markers[s] = shared.run(stage, inputs, [&] { return run_stage(stage, here, inputs, begun[s].instruction_sets); });
  }
  return markers;
}

}  // namespace rlaif::run
