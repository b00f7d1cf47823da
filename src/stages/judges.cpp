// A study without arms: its judges against the yardstick on the held-out pairs.
#include "planning.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/stages/judge_facts.hpp"
#include "rlaif/stages/stages.hpp"

namespace rlaif::stages {
namespace {

Json run(const Context& context, int resamples) {
  Json facts;
  context.comm.on_root([&] {
    const DataSet set = first_pairs(context.study);
    const JudgedPairs pairs = read_judged_pairs(context, set);
    facts["results"]["yardstick"] = context.task.yardstick();
    facts["results"]["judges"] = judges_facts(context, set, pairs, resamples);
    facts["results"]["agreement_differences"] = agreement_differences(context, pairs, resamples);
  });
  return facts;
}

}  // namespace

void plan_judges(StudyPlan& plan, const Study& study) {
  if (study.judges.labelling.empty()) throw usage_error("study.judges: at least one name was expected");
  run::Stage stage{.name = "judges",
                   .kind = "judges",
                   .of = "",
                   .command = "evaluate",
                   .size = "every judge against the yardstick on the held-out pairs",
                   .run = in_study(study, [resamples = plan.options().evaluate.resamples](const Context& context) {
                     return run(context, resamples);
                   })};
  const DataSet pairs = first_pairs(study);
  for (const JudgeOptions& judge : pairs.judges) {
    stage.reads.push_back("preferences/" + pairs.store(judge.name));
    stage.reads.push_back("preferences/" + heldout_store(pairs.store(judge.name)));
  }
  plan.add(std::move(stage));
}

}  // namespace rlaif::stages
