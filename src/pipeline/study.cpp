#include "rlaif/pipeline/study.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "rlaif/comm/grains.hpp"
#include "rlaif/comm/watchdog.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/host.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/pipeline/artefacts.hpp"
#include "rlaif/pipeline/deck_file.hpp"
#include "rlaif/pipeline/instruction_sets.hpp"
#include "rlaif/pipeline/judge_tree.hpp"
#include "rlaif/pipeline/plan.hpp"
#include "rlaif/pipeline/report.hpp"
#include "rlaif/pipeline/run_costs.hpp"
#include "rlaif/pipeline/shared_stages.hpp"
#include "rlaif/pipeline/starts.hpp"

namespace rlaif::pipeline {
namespace {

namespace fs = std::filesystem;

std::string count_text(std::int64_t value, const std::string& unit) { return std::to_string(value) + " " + unit; }

bool is_needed(const StudyOptions& options, const JudgeModel& model) {
  const std::vector<const JudgeOptions*> judges = judges_and_members(options);
  return model.training.training.steps > 0 && std::any_of(judges.begin(), judges.end(), [&](const JudgeOptions* judge) {
           return judge->kind == JudgeKind::local && judge->model == model.name;
         });
}

// The judges that learning starts from are held against judge.min_agreement.
std::string agreement_text(const StudyOptions& options, const PairSet& pairs) {
  std::string names;
  for (const JudgeOptions* judge : judges_in_use(options, pairs)) {
    if (judge->kind != JudgeKind::annotators) names += (names.empty() ? "" : ", ") + judge->name;
  }
  if (names.empty()) return names;
  char text[96];
  std::snprintf(text, sizeof text, ": %.1f %% or more (judge.min_agreement)%s", 100.0 * options.agreement.least,
                options.agreement.proceed ? ", or the report says so" : ", or nothing is trained");
  return names + text;
}

// Training gives every rank its grains; other stages' work goes to whoever is free.
double share_of(const Context& context, const Stage& stage, int rank) {
  const bool trains = std::any_of(stage.parts.makes.begin(), stage.parts.makes.end(),
                                  [](const std::string& made) { return made.starts_with("metrics/"); });
  return trains ? comm::grains_of(rank, context.comm.size(), context.options.run.grains).count() : 1.0;
}

// Says which ranks were busy for much longer than others with as much to do: a slow machine, or one that something else uses.
void name_stragglers(const Context& context, const Stage& stage, double busy_seconds) {
  if (context.comm.size() == 1) return;
  std::vector<double> busy, shares;
  std::vector<std::string> hosts;
  for (const std::string& word : context.comm.gather(std::to_string(busy_seconds) + " " + host_name())) {
    const std::size_t space = word.find(' ');
    busy.push_back(std::strtod(word.c_str(), nullptr));
    hosts.push_back(word.substr(space + 1));
    shares.push_back(share_of(context, stage, static_cast<int>(shares.size())));
  }
  for (const int slow : context.comm.is_root() ? comm::stragglers(busy, shares) : std::vector<int>{}) {
    char text[160];
    const double shortest = *std::min_element(busy.begin(), busy.end()), own = busy[static_cast<std::size_t>(slow)];
    std::snprintf(text, sizeof text, " was busy for %.1f s, others for as little as %.1f s: a straggler", own,
                  shortest);
    log::warning(stage.name + ": rank " + std::to_string(slow) + " on " + hosts[static_cast<std::size_t>(slow)] + text);
  }
}

std::vector<std::string> sets_of(const Json& marker) {
  return marker.is_null() ? std::vector<std::string>() : marker.value("instruction_sets", std::vector<std::string>());
}

// Runs one stage that is not done and marks it done; returns its marker. `inputs`: digests of the stages before it. Its marker
// names the instruction sets of all starts that worked on it, of `earlier` ones first.
Json run_stage(const Stage& stage, const Context& context, const Json& inputs, std::vector<std::string> earlier) {
  const Stopwatch watch;
  const double waited_before = comm::waited_seconds();
  comm::note_place(stage.name);
  const std::string taken = taken_instruction_sets();
  if (std::find(earlier.begin(), earlier.end(), taken) == earlier.end()) earlier.push_back(taken);
  context.comm.on_root([&] { context.directory.begin_stage(stage.name, {inputs, earlier}); });
  Json facts = stage.run(context);
  name_stragglers(context, stage, watch.seconds() - (comm::waited_seconds() - waited_before));
  std::vector<double> peak{static_cast<double>(peak_memory_bytes())};
  context.comm.all_reduce_max(peak);
  facts["ranks"] = context.comm.size();
  facts["instruction_sets"] = earlier;
  facts["wall_seconds"] = watch.seconds();
  facts["peak_memory_bytes"] = static_cast<std::uint64_t>(peak[0]);
  std::string listed;
  context.comm.on_root([&] {
    facts["inputs"] = inputs;
    facts["files"] = list_artefacts(context.directory.root(), {stage.parts.makes.begin(), stage.parts.makes.end()});
    context.directory.finish_stage(stage.name, context.deck_hash, facts);
    listed = facts["files"].dump();
  });
  context.comm.broadcast(listed);
  facts["files"] = Json::parse(listed);
  facts["stage"] = stage.name;
  return facts;
}

// The marker of every stage, as the root sees them; empty Json where a stage is not done.
std::vector<Json> read_markers(const Context& context, const std::vector<Stage>& stages) {
  std::string text;
  context.comm.on_root([&] {
    Json markers = Json::array();
    for (const Stage& stage : stages) {
      const auto marker = context.directory.finished_stage(stage.name, context.deck_hash);
      markers.push_back(marker ? *marker : Json());
    }
    text = markers.dump();
  });
  context.comm.broadcast(text);
  const Json markers = Json::parse(text);
  return {markers.begin(), markers.end()};
}

// A stage of which a file is damaged or lost is not done. One that `command` does not make again is an error that names
// the file: nothing starts from it.
void forget_damaged(const Context& context, const std::string& command, const std::vector<Stage>& stages,
                    std::vector<Json>& markers) {
  const std::vector<Damage> all = find_damage(context.comm, context.directory.root(), markers);
  context.comm.agree([&] {
    for (const Damage& damage : all) {
      const Stage& stage = stages[damage.marker];
      if (damage.is_record) {
        if (context.comm.is_root()) log::warning(stage.name + ": " + damage.what + "; only plots of its steps read it");
        continue;
      }
      if (command != "study" && command != stage.command) {
        throw input_error(damage.what + "; `rlaif " + stage.command + "` with this deck makes it again");
      }
      markers[damage.marker] = Json();
      if (!context.comm.is_root()) continue;
      log::warning(stage.name + ": " + damage.what + "; the stage is run again");
      std::error_code ignored;  // a file that stays is written over
      if (!damage.file.empty()) fs::remove(damage.file, ignored);
    }
  });
}

// What a stage starts from: a digest of what each stage before it made.
Json digests(const std::vector<Stage>& stages, const std::vector<Json>& markers, std::size_t count) {
  Json inputs = Json::object();
  for (std::size_t s = 0; s < count; ++s) {
    if (const std::string digest = artefact_digest(markers[s]); !digest.empty()) inputs[stages[s].name] = digest;
  }
  return inputs;
}

// What every stage started from and was computed with, whether it is done or was cut off.
std::vector<RunDirectory::Begun> read_begun(const Context& context, const std::vector<Stage>& stages,
                                            const std::vector<Json>& markers) {
  std::string text;
  context.comm.on_root([&] {
    Json begun = Json::array();
    for (std::size_t s = 0; s < stages.size(); ++s) {
      if (markers[s].is_null()) {
        const RunDirectory::Begun cut_off = context.directory.begun_with(stages[s].name);
        begun.push_back({cut_off.inputs, cut_off.instruction_sets});
      } else {
        begun.push_back({markers[s].value("inputs", Json::object()), sets_of(markers[s])});
      }
    }
    text = begun.dump();
  });
  context.comm.broadcast(text);
  std::vector<RunDirectory::Begun> all;
  for (const Json& begun : Json::parse(text)) all.push_back({begun[0], begun[1]});
  return all;
}

// Said when the first stage of this start begins: part of the run was computed with other instruction sets.
void say_other_sets(const Context& context, const std::vector<Stage>& stages,
                    const std::vector<RunDirectory::Begun>& begun) {
  if (!context.comm.is_root()) return;
  const std::string taken = taken_instruction_sets();
  std::map<std::string, std::string> others;  // stages by sets
  for (std::size_t s = 0; s < stages.size(); ++s) {
    for (const std::string& sets : begun[s].instruction_sets) {
      if (sets != taken) others[sets] += (others[sets].empty() ? "" : ", ") + stages[s].name;
    }
  }
  for (const auto& [sets, names] : others) {
    log::warning(context.directory.root().string() + ": was computed with " + sets + " (" + names +
                 ") and goes on with " + taken +
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

void write_report(const Context& context, const std::vector<Json>& markers) {
  context.comm.on_root([&] {
    Json results = make_results(context.options, markers);
    results.update(starts_facts(context.directory));
    results["costs"] = costs_json(measure_run(context.directory.root()));
    results["costs"].erase("run");  // where it lies is no result
    std::set<std::string> sets;
    for (const Json& marker : markers) {
      for (const std::string& one : sets_of(marker)) sets.insert(one);
    }
    results["instruction_sets"] = sets;
    write_file_atomic(context.directory.report("results.json"), results.dump(1) + "\n");
    std::cout << results_table(results) << std::flush;
  });
}

// What can be known of a model's folder and of adapters before anything is computed.
void check_model_folder(const StudyOptions& options) {
  const model::ModelConfig policy = planned_policy(options);
  for (const LowRankOptions* adapter : {&options.reward_adapter, &options.policy_adapter, &options.value_adapter}) {
    if (adapter->rank < 0)
      throw usage_error("a rank of an adapter: at least 0 was expected, found " + std::to_string(adapter->rank));
    if (adapter->rank > 0) options.adapter(*adapter).validate(policy);
  }
  if (!options.task.date.empty() && !text::is_template_date(options.task.date))
    throw usage_error("task.date = '" + options.task.date + "' is no day; expected one as YYYY-MM-DD");
  if (!options.model.folder.empty() && !options.task.chat_format) text::read_chat_style(options.model.folder);
}

std::int64_t pairs_a_prompt(const StudyOptions& o) {
  return static_cast<std::int64_t>(o.annotate.completions) * (o.annotate.completions - 1) / 2;
}

Stage annotate_stage(const StudyOptions& o, const PairSet& pairs) {
  return {pairs.stage, "annotate",
          "up to " + count_text(o.annotate.prompts * pairs_a_prompt(o), "pairs and ") +
              count_text(o.annotate.heldout_prompts * pairs_a_prompt(o), "held-out ones by ") + pairs.policy + ", by " +
              (pairs.judges.size() == 1 ? "judge " + pairs.judges.front().name
                                        : count_text(static_cast<std::int64_t>(pairs.judges.size()), "judges")),
          [pairs](const Context& context) { return run_annotate_stage(context, pairs); }, pairs_parts(o, pairs)};
}

// What is learned from a set of pairs: reward models, each of one store, then policies.
void add_arm_stages(std::vector<Stage>& stages, const StudyOptions& o, const PairSet& pairs) {
  std::vector<ArmOptions> arms;
  for (const ArmOptions& arm : o.arms) {
    if (pairs.arm.empty() ? arm.start == first_policy : arm.name == pairs.arm) arms.push_back(arm);
  }
  if (!pairs.arm.empty()) stages.push_back(annotate_stage(o, pairs));
  if (const std::string text = agreement_text(o, pairs); o.agreement.least > 0.0 && !text.empty()) {
    stages.push_back({"agreement" + pairs.stage.substr(std::string("annotate").size()), "reward", text,
                      [pairs](const Context& context) { return run_agreement_stage(context, pairs); }});
  }
  std::set<std::string> known;
  for (const ArmOptions& arm : arms) {
    if (!known.insert(labels_of(arm)).second) continue;
    stages.push_back({"reward-" + labels_of(arm), "reward",
                      "up to " +
                          count_text(o.annotate.prompts * pairs_a_prompt(o) * o.reward.epochs /
                                         std::max<std::int64_t>(1, o.reward.batch),
                                     "steps of ") +
                          count_text(o.reward.batch, "pairs"),
                      [arm](const Context& context) { return run_reward_stage(context, arm); }, reward_parts(o, arm)});
  }
  for (const ArmOptions& arm : arms) {
    if (o.policy_reward == PolicyReward::rules && o.judge_named(arm.judge).kind != JudgeKind::rules) {
      throw usage_error("ppo.reward = rules: judge '" + arm.judge + "' of arm '" + arm.name +
                        "' has no file of rules; kind = rules was expected");
    }
    stages.push_back({"ppo-" + arm.name, "ppo",
                      count_text(o.ppo.steps, "steps of ") + count_text(o.ppo.prompts_per_step, "responses"),
                      [arm](const Context& context) { return run_ppo_stage(context, arm); }, ppo_parts(o, arm)});
  }
}

}  // namespace

std::vector<Stage> plan_stages(const StudyOptions& o) {
  std::vector<Stage> stages;
  stages.push_back({"tokenizer", "sft",
                    o.tokenizer.file.empty() && !o.model.folder.empty() ? (o.model.folder / "tokenizer.json").string()
                    : o.tokenizer.file.empty()
                        ? "byte-level BPE, at most " + count_text(o.tokenizer.vocab_size, "tokens")
                        : o.tokenizer.file.string(),
                    run_tokenizer_stage, tokenizer_parts()});
  const std::int64_t sft_steps = o.sft.drawn() * o.sft.epochs / std::max<std::int64_t>(1, o.sft.training.batch);
  stages.push_back({"sft", "sft",
                    o.pretrained_policy()
                        ? o.model.folder.string() + " as it is"
                        : count_text(sft_steps, "steps of ") + count_text(o.sft.training.batch, "examples"),
                    run_sft_stage, sft_parts(o)});
  for (const JudgeModel& model : o.judge_models) {
    if (!is_needed(o, model)) continue;
    const train::LanguageModelOptions& training = model.training.training;
    stages.push_back(
        {model.stage(), "sft", count_text(training.steps, "steps of ") + count_text(training.batch, "pairs"),
         [model](const Context& context) { return run_judge_model_stage(context, model); }, judge_model_parts(model)});
  }
  stages.push_back(annotate_stage(o, first_pairs(o)));
  if (o.arms.empty()) {
    if (o.judges.empty()) throw usage_error("study.judges: at least one name was expected");
    stages.push_back(
        {"judges", "evaluate", "every judge against the yardstick on the held-out pairs", run_judges_stage});
    return stages;
  }
  if (o.reward_start == RewardStart::network) {
    if (o.reward_adapter.rank > 0)
      throw usage_error("reward.start = network: reward.lora_rank = 0 was expected, adapters are over the policy");
    stages.push_back({"sft-reward", "reward",
                      count_text(sft_steps, "steps of ") + count_text(o.sft.training.batch, "examples"),
                      run_reward_network_stage, reward_network_parts(o)});
  }
  for (const PairSet& pairs : pair_sets(o)) add_arm_stages(stages, o, pairs);
  stages.push_back({"evaluate",
                    "evaluate",
                    count_text(o.evaluate.prompts, "prompts x ") + count_text(o.evaluate.samples, "responses of ") +
                        count_text(static_cast<std::int64_t>(o.arms.size()) + 2, "policies"),
                    [](const Context& context) {
                      Json facts;
                      facts["results"] = run_evaluate_stage(context);
                      return facts;
                    },
                    {{}, {}, {"evaluation"}}});
  return stages;
}

std::string describe_plan(const StudyOptions& options, const ResolvedDeck& deck, int ranks) {
  std::string text = "# " + options.name + ", " + std::to_string(ranks) + " rank(s), run directory " +
                     options.run.directory.string() + "\n";
  std::string section;
  for (const auto& entry : deck.entries) {
    const std::size_t dot = entry.key.rfind('.');
    if (entry.key.substr(0, dot) != section) {
      section = entry.key.substr(0, dot);
      text += "\n[" + section + "]\n";
    }
    text += entry.key.substr(dot + 1) + " = " + deck_value(entry.text) + "\n";
  }
  text += "\n# deck hash " + deck.hash() + "\n";
  if (const auto& set = options.run.instruction_set; set && *set > best_instruction_set()) {
    text += "# run.instruction_set = " + std::string(to_string(*set)) + ": this machine has " +
            instruction_set_names() + " alone\n";
  }
  text += "# stages\n";
  for (const Stage& stage : plan_stages(options)) {
    text +=
        "#   " + stage.name + std::string(stage.name.size() < 20 ? 20 - stage.name.size() : 1, ' ') + stage.size + "\n";
  }
  if (!deck.missing.empty()) text += "# files that are expected and are not there\n";
  for (const auto& [key, file] : deck.missing) text += "#   " + key + " = " + file.string() + "\n";
  text += describe_resources(options, ranks);
  return text;
}

void run_study(const std::string& command, const StudyOptions& options, const ResolvedDeck& deck,
               const comm::Communicator& comm, const std::function<bool()>& stop_requested) {
  const comm::DevicePlan device = comm::choose_device(comm, options.run.device);
  if (comm.is_root() && options.run.device != comm::DeviceChoice::cpu) log::info(device.description);
  std::vector<Stage> stages;
  std::unique_ptr<Task> task;
  RunLock lock;
  const RunDirectory directory(options.run.directory);
  comm.agree([&] {
    stages = plan_stages(options);
    task = std::make_unique<Task>(options.task);
    check_model_folder(options);
    std::optional<double> memory;
    if (!device.cuda) memory = machine_memory_bytes() / comm.local_size();
    require_memory(options, comm.size(), memory);
  });
  comm.on_root([&] {
    lock = RunLock(options.run.directory);
    directory.open(deck, options, comm.size(), taken_instruction_sets());
    record_start(directory, comm.size());
  });
  const comm::Watchdog watchdog(comm, 60.0 * options.run.watchdog_minutes, options.run.directory / ".watchdog");
  if (comm.size() > options.run.grains) {
    log::info(std::to_string(comm.size()) + " ranks share run.grains = " + std::to_string(options.run.grains) +
              " pieces of a batch: " + std::to_string(comm.size() - options.run.grains) +
              " of them idle while training");
  }
  std::optional<comm::DeviceCommunicator> device_comm;
  if (device.cuda && !device.shared) device_comm.emplace(comm, device);
  const Context context{
      options, directory, deck.hash(), comm, *task, device, device_comm ? &*device_comm : nullptr, stop_requested};
  std::vector<Json> markers = read_markers(context, stages);
  std::vector<RunDirectory::Begun> begun = read_begun(context, stages, markers);
  bool goes_on = false;
  forget_damaged(context, command, stages, markers);
  const SharedStages shared(context, deck);
  for (std::size_t s = 0; s < stages.size(); ++s) {
    if (command != "study" && stages[s].command != command) {
      // An earlier stage must be there; a later one is none of this command's business.
      const bool earlier = std::any_of(stages.begin() + static_cast<std::ptrdiff_t>(s), stages.end(),
                                       [&](const Stage& later) { return later.command == command; });
      if (earlier && markers[s].is_null()) {
        comm.on_root([&] {
          throw usage_error("stage " + stages[s].name + " is not done in " + options.run.directory.string() +
                            ": run `rlaif " + stages[s].command + "` with this deck first");
        });
      }
      continue;
    }
    const Json inputs = digests(stages, markers, s);
    if (const std::string changed = changed_input(begun[s].inputs, inputs); !changed.empty()) {
      log::info(stages[s].name + ": is run again, stage " + changed + " came out otherwise");
      comm.on_root([&] { directory.forget_stage(stages[s].name, stages[s].parts.makes); });
      begun[s].instruction_sets.clear();
    } else if (!markers[s].is_null()) {
      log::info(stages[s].name + ": done before");
      shared.offer(stages[s].name, stages[s].parts, markers[s]);
      continue;
    }
    if (!std::exchange(goes_on, true)) say_other_sets(context, stages, begun);
    // A stage whose marker was damaged is made from what is there as well: who computed that, the marker said.
    markers[s] = shared.run(stages[s].name, stages[s].parts, inputs,
                            [&] { return run_stage(stages[s], context, inputs, begun[s].instruction_sets); });
  }
  if (command == "study" || command == "evaluate") write_report(context, markers);
}

}  // namespace rlaif::pipeline
