// A study without arms: its judges against the yardstick on the held-out pairs.
#include <algorithm>
#include <map>

#include "planning.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/stages/judge_facts.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "tables/judge_scores.hpp"

namespace rlaif::stages {
namespace {

Json run(const Context& context, int resamples) {
  Json facts;
  const DataSet set = first_pairs(context.study);
  JudgedPairs pairs;
  context.comm.agree([&] { pairs = read_judged_pairs(context, set); });
  const bool reads = std::any_of(set.judges.begin(), set.judges.end(), [&](const JudgeOptions& judge) {
    return needs_language(context.study.judges, judge);
  });
  const auto language = reads ? load_language(context) : nullptr;
  std::map<std::string, Json> scores;
  for (const JudgeOptions& judge : set.judges)
    scores[judge.name] = judge_scores_facts(context, language.get(), judge, pairs.heldout.at(judge.name), resamples);
  context.comm.on_root([&] {
    facts["results"]["yardstick"] = context.task.yardstick();
    facts["results"]["judges"] = judges_facts(context, set, pairs, resamples);
    for (auto& [judge, of_judge] : scores)
      if (!of_judge.is_null()) facts["results"]["judges"][judge]["scores"] = std::move(of_judge);
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
    if (score_units(study.judges, judge) == ScoreUnits::none) continue;
    add_judge_models(study, judge, stage.reads);
    add_judge(study, judge, stage.sections);
  }
  plan.add(std::move(stage));
}

}  // namespace rlaif::stages
