// Every key of a deck: each struct binds its own.
#include "rlaif/run/options.hpp"
#include "rlaif/cli/deck.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/stages/maker.hpp"
#include "rlaif/stages/resources.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/bill.hpp"
#include "rlaif/study/canaries.hpp"
#include "rlaif/study/judge_kinds.hpp"
#include "rlaif/study/task.hpp"
#include "rlaif/tools/calibrate.hpp"
#include "rlaif/tools/file_commands.hpp"

namespace rlaif::cli {
namespace {

// The lists were read before all other keys, because they decide which sections there are; here they are only listed.
void list_names(OptionTable& table, study::Study& study, const std::vector<stages::JudgeModel>& judge_models) {
  const auto names = [](const auto& items) {
    std::string text;
    for (const auto& item : items) text += (text.empty() ? "" : " ") + item.name;
    return text;
  };
  table.add_listed("study.judges", names(study.judges.labelling),
                   "names of judges that label all pairs; each has a section [judge.NAME]");
  table.add_listed(
      "study.members", names(study.judges.members),
      "names of judges that label no pairs of their own: asked as members of others, or by evaluate.by; each has a "
      "section [judge.NAME]");
  table.add_listed("study.judge_models", names(judge_models),
                   "judges that are trained: judge has [judge_network] and [judge_model], others [judge_network.NAME] "
                   "and [judge_model.NAME]");
  table
      .add("study.pairs", &study.pairs, "",
           "section [data.NAME] of recorded pairs that all judges label and arms learn from; empty: pairs of sft's "
           "responses, by [annotate]")
      .listed_where_set();
  std::vector<study::ArmOptions> arms, rounds;
  for (const auto& arm : study.arms) (arm.is_round ? rounds : arms).push_back(arm);
  table.add_listed("study.rounds", names(rounds),
                   "names of rounds, each from the policy of the last one; each has a section [round.NAME]");
  table.add_listed(
      "study.arms", names(arms),
      "names of arms; each has a section [arm.NAME]; empty: judges are compared and nothing learns from them");
}

}  // namespace

// The order is that of the resolved deck, whose text names a run: a new section goes last.
void register_options(Resolved& resolved) {
  OptionTable& table = resolved.table;
  study::Study& study = resolved.study;
  stages::StageOptions& stages = resolved.stages;
  run::bind_run(table, study.run);
  stages::bind_plan(table, resolved.plan);
  study::bind_task(table, study.task);
  study::bind_costs(table, study.judges.costs);
  stages::bind_tokenizer(table, study.policy.tokenizer);
  study::bind_model(table, "model", study.policy.network, "the policy");
  stages::bind_sft(table, study.policy.texts, stages.sft);
  for (auto& model : stages.judge_models) stages::bind_judge_model(table, model);
  stages::bind_annotate(table, study.annotate);
  stages::bind_agreement(table, stages.agreement);
  for (auto* judges : {&study.judges.labelling, &study.judges.members}) {
    for (auto& judge : *judges) study::bind_judge(table, judge);
  }
  study::bind_canaries(table, study.judges.canaries);
  study::bind_lora(table, study.lora);
  stages::bind_reward_model(table, study.reward, study.labels, stages.reward);
  resolved.algorithms = stages::bind_algorithms(table, study.arms);
  stages::bind_evaluate(table, stages.evaluate);
  stages::bind_compare(table, stages.compare);
  stages::bind_rounds(table, stages.rounds);
  tools::bind_io(table, resolved.io);
  tools::bind_calibrate(table, resolved.calibrate);
  for (auto& arm : study.arms) stages::bind_arm(table, arm);
  for (auto& data : study.data) stages::bind_data(table, data);
  for (auto& writer : study.writers) study::bind_writer(table, writer);
  list_names(table, study, stages.judge_models);
}

}  // namespace rlaif::cli
