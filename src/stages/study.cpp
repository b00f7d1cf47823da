#include "rlaif/stages/study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "rlaif/comm/watchdog.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/remote/paid_sums.hpp"
#include "rlaif/run/deck_file.hpp"
#include "rlaif/run/instruction_sets.hpp"
#include "rlaif/run/plan_file.hpp"
#include "rlaif/run/runner.hpp"
#include "rlaif/run/starts.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/stages/maker.hpp"
#include "rlaif/stages/model_card.hpp"
#include "rlaif/stages/report.hpp"
#include "rlaif/stages/resources.hpp"
#include "rlaif/stages/rounds.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/check_options.hpp"
#include "rlaif/study/context.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/templates/chat_template.hpp"

namespace rlaif::stages {
namespace {

bool is_needed(const Judges& of_study, const JudgeModel& model) {
  const std::vector<const JudgeOptions*> judges = judges_and_members(of_study);
  return model.training.training.steps > 0 && std::any_of(judges.begin(), judges.end(), [&](const JudgeOptions* judge) {
           return judge->kind == JudgeKind::local && judge->model == model.name;
         });
}

// Adapters fit the policy. Of one whose folder is not there yet nothing is known.
void check_adapters(const Study& study) {
  const std::filesystem::path& folder = study.policy.network.folder;
  if (!folder.empty() && !std::filesystem::exists(folder / "config.json")) return;
  const model::ModelConfig policy = planned_policy(study.policy);
  std::vector<LowRankOptions> adapters{study.reward.adapter};
  for (const ArmOptions& arm : study.arms) adapters.push_back(algorithm_of(arm).policy_adapter());
  for (const LowRankOptions& adapter : adapters) {
    if (adapter.rank == 0) continue;
    if (study.lora.first_layer >= policy.num_layers) {
      throw usage_error("lora.first_layer: at most " + std::to_string(policy.num_layers - 1) +
                        " was expected, as the policy has " + std::to_string(policy.num_layers) + " layers" +
                        (folder.empty() ? " (model.num_layers)" : "") + "; found " +
                        std::to_string(study.lora.first_layer));
    }
    study.lora.adapter(adapter).validate(policy);
  }
}

// What can be known of a model's folder before anything is computed.
void check_model_folder(const Study& study) {
  if (!study.task.date.empty() && !templates::is_template_date(study.task.date))
    throw usage_error("task.date = '" + study.task.date + "' is no day; expected one as YYYY-MM-DD");
  if (!study.policy.network.folder.empty() && !study.task.chat_format)
    text::read_chat_style(study.policy.network.folder);
}

// The first stage that reads a model of the run and stands before all that make it; nullptr: there is none.
const Stage* reader_before_maker(const std::vector<Stage>& stages, const std::string& name) {
  const std::string model = "models/" + name;
  const auto holds = [&](const std::vector<std::string>& paths) {
    return std::find(paths.begin(), paths.end(), model) != paths.end();
  };
  for (const Stage& stage : stages) {
    if (holds(stage.makes)) return nullptr;
    if (holds(stage.reads)) return &stage;
  }
  return nullptr;
}

// A model of the run is asked after the stage that makes it.
void check_asked_models(const Study& study, const std::vector<Stage>& stages) {
  for (const JudgeOptions* judge : judges_and_members(study.judges)) {
    const std::string& name = judge->reward_model.model;
    if (judge->kind != JudgeKind::reward_model || name.empty()) continue;
    if (const Stage* stage = reader_before_maker(stages, name))
      throw usage_error(
          "judge." + judge->name + ".model: stage " + stage->name + " asks this judge, but no stage before it makes '" +
          name + "'; a reward model of an earlier stage was expected, or a folder in judge." + judge->name + ".folder");
  }
  for (const WriterOptions& writer : study.writers) {
    const std::string& name = writer.model;
    if (writer.is_remote() || name == first_policy || std::filesystem::is_directory(name)) continue;
    if (const Stage* stage = reader_before_maker(stages, name))
      throw usage_error("writer." + writer.name + ".model: stage " + stage->name +
                        " asks this writer, but no stage before it makes '" + name +
                        "'; a model of an earlier stage was expected, a folder, or policy");
  }
}

bool is_simulated(const Judges& judges, const JudgeOptions& judge) {
  const auto leaves = leaves_of(judges, judge);
  return std::any_of(leaves.begin(), leaves.end(),
                     [](const JudgeOptions* one) { return one->kind == JudgeKind::annotators; });
}

// Results need somebody who knows the held-out prompts, and simulated people know the world's alone.
void expect_known_prompts(const Study& study, const StageOptions& options) {
  if (study.arms.empty()) return;
  const Task& task = study.loaded_task();
  bool is_known = false, is_all_known = true;
  for (std::int64_t item = 0; item < options.evaluate.prompts && (!is_known || is_all_known); ++item) {
    const Prompt prompt = task.draw(Task::Purpose::evaluate, Split::heldout, study.run.seed, item);
    const bool knows = task.grade(prompt, {}).has_value();
    is_known = is_known || knows;
    is_all_known = is_all_known && knows;
  }
  if (!is_known && options.compare.by.empty()) {
    throw usage_error(
        "evaluate.by: none of the held-out prompts is the world's, and there are no rules (task.rules): a judge that "
        "can "
        "compare the policies was expected");
  }
  for (const std::string& name : options.compare.by) {
    if (is_all_known || task.yardstick() != "gold" || !is_simulated(study.judges, study.judges.named(name))) continue;
    throw usage_error("evaluate.by: simulated people (judge '" + name +
                      "') know the world's prompts alone, and not all of the held-out ones are");
  }
}

// What arms learn from, then the arms.
void plan_arms_of(StudyPlan& plan, const Study& study, const DataSet& data, const std::vector<ArmOptions>& arms) {
  maker_of(data).plan(plan, study, data);
  if (data.kind == DataKind::preferences) plan_agreement(plan, study, data);
  for (const ArmOptions& arm : arms) algorithm_of(arm).plan_before(plan, study, arm);
  for (const ArmOptions& arm : arms) {
    algorithm_of(arm).plan(plan, study, arm);
    plan_round_end(plan, study, arm);
  }
}

// Data set by data set, each with the arms whose starts are made: an arm starts from an earlier one, so that every pass
// over the sets makes some.
void plan_arms(StudyPlan& plan, const Study& study) {
  std::vector<ArmOptions> waiting = study.arms;
  std::set<std::string> made{first_policy};
  while (!waiting.empty()) {
    const std::size_t before = waiting.size();
    for (const DataSet& data : data_sets(study)) {
      std::vector<ArmOptions> arms, others;
      for (const ArmOptions& arm : waiting) {
        const bool is_next = data.feeds(arm) && made.contains(arm.start) && made.contains(data.policy);
        (is_next ? arms : others).push_back(arm);
      }
      if (arms.empty()) continue;
      plan_arms_of(plan, study, data, arms);
      for (const ArmOptions& arm : arms) made.insert(arm.name);
      waiting = std::move(others);
    }
    RLAIF_CHECK(waiting.size() < before, "arms must start from earlier ones: " + waiting.front().name);
  }
}

// Progress says what asked judges and writers have cost, over all ranks and starts.
void show_paid_answers(const Study& study) {
  const std::vector<const JudgeOptions*> judges = judges_and_members(study.judges);
  const bool asks = std::any_of(judges.begin(), judges.end(),
                                [&](const JudgeOptions* judge) { return asks_a_server(study.judges, *judge); }) ||
                    std::any_of(study.writers.begin(), study.writers.end(),
                                [](const WriterOptions& writer) { return writer.is_remote(); });
  if (!asks) return;
  const auto sums = std::make_shared<remote::PaidSums>(RunDirectory(study.run.directory).answers());
  show_paid([sums] { return remote::paid_text(sums->read()); });
}

}  // namespace

std::vector<Stage> plan_stages(const Study& study, const StageOptions& options) {
  StudyPlan plan(options);
  plan_tokenizer(plan, study);
  plan_sft(plan, study);
  for (const JudgeModel& model : options.judge_models) {
    if (is_needed(study.judges, model)) plan_judge_model(plan, study, model);
  }
  const DataSet pairs = first_pairs(study);
  maker_of(pairs).plan(plan, study, pairs);
  if (study.arms.empty()) {
    plan_judges(plan, study);
  } else {
    plan_arms(plan, study);
    plan_evaluate(plan, study);
    plan_compare(plan, study);
  }
  check_asked_models(study, plan.stages());
  check_adapters(study);
  std::vector<Stage> stages = plan.stages();
  for (Stage& stage : stages) stage.unless_ended_by = round_ends_before(study, options.rounds, stage.of);
  return stages;
}

void check_stages(const Study& study, const StageOptions& options) {
  for (const JudgeModel& model : options.judge_models) check_judge_model(model);
  if (!study.arms.empty())
    check_response_length(study.policy, "evaluate.max_new_tokens", options.evaluate.max_new_tokens);
}

std::string describe_plan(const Study& study, const StageOptions& options, const PlanOptions& plan,
                          const ResolvedDeck& deck, int ranks) {
  std::string text = "# " + study.name + ", " + std::to_string(ranks) + " rank(s), run directory " +
                     study.run.directory.string() + "\n";
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
  if (const auto& set = study.run.instruction_set; set && *set > best_instruction_set()) {
    text += "# run.instruction_set = " + std::string(to_string(*set)) + ": this machine has " +
            instruction_set_names() + " alone\n";
  }
  text += "# stages\n";
  const std::vector<Stage> stages = plan_stages(study, options);
  for (const Stage& stage : stages) text += fmt::format("#   {:<19} {}\n", stage.name, stage.size);
  if (!deck.missing.empty()) text += "# files that are expected and are not there\n";
  for (const auto& [key, file] : deck.missing) text += "#   " + key + " = " + file.string() + "\n";
  text += describe_resources(study, plan, stages, ranks);
  return text;
}

void run_study(const std::string& command, Study& study, const StageOptions& options, const PlanOptions& plan,
               const ResolvedDeck& deck, const comm::Communicator& comm, const std::function<bool()>& stop_requested) {
  const comm::DevicePlan device = comm::choose_device(comm, study.run.device);
  if (comm.is_root() && study.run.device != comm::DeviceChoice::cpu) log::info(device.description);
  std::vector<Stage> stages;
  RunLock lock;
  const RunDirectory directory(study.run.directory);
  comm.agree([&] {
    stages = plan_stages(study, options);
    load_study(study);
    if (command == "study" || command == "evaluate") expect_known_prompts(study, options);
    check_model_folder(study);
    std::optional<double> memory;
    if (!device.cuda) memory = machine_memory_bytes() / comm.local_size();
    require_memory(plan, stages, comm.size(), memory);
  });
  comm.on_root([&] {
    lock = RunLock(study.run.directory);
    directory.open(deck, study.name, study.run.seed, comm.size(), taken_instruction_sets());
    record_start(directory, comm.size());
    write_plan(directory, stages, comm.size());
    keep_progress_in(directory.progress());
    show_paid_answers(study);
  });
  const comm::Watchdog watchdog(comm, 60.0 * study.run.watchdog_minutes, study.run.directory / ".watchdog");
  if (comm.size() > study.run.grains) {
    log::info(std::to_string(comm.size()) + " ranks share run.grains = " + std::to_string(study.run.grains) +
              " pieces of a batch: " + std::to_string(comm.size() - study.run.grains) + " of them idle while training");
  }
  std::optional<comm::DeviceCommunicator> device_comm;
  if (device.cuda && !device.shared) device_comm.emplace(comm, device);
  const Here here{study.run,     directory, deck.hash(), comm, device, device_comm ? &*device_comm : nullptr,
                  stop_requested};
  // A policy that was not made is not evaluated.
  const auto left_out = [&](const Stage& stage) {
    std::erase_if(study.arms, [&](const ArmOptions& arm) { return arm.name == stage.of; });
  };
  std::vector<Json> markers = run_stages(here, deck, stages, command, left_out);
  std::erase_if(markers, [](const Json& marker) { return marker.is_null(); });
  if (command == "study" || command == "evaluate") write_report(study.context(here), markers);
  write_model_cards(study.context(here), deck);
}

}  // namespace rlaif::stages
