// The verdict on the policies of a study: judges that compare their responses to held-out prompts, without being told whose
// they are.
//   [evaluate]  by = referee  pairs = all  judged_samples = 1  stop_error_rate = 0.05
//   CompareOptions compare;  bind_compare(table, compare);  check_compare(study, compare, evaluate);  plan_compare(plan, study);
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "rlaif/core/option_table.hpp"
#include "rlaif/stages/plan.hpp"
#include "rlaif/study/study.hpp"

namespace rlaif::stages {

struct EvaluateOptions;  // stages/stages.hpp

enum class ComparedPairs { sft, all };

struct CompareOptions {
  std::vector<std::string> by;  // judges of the study, or their members; empty: nobody is asked
  bool by_own_judges = false;
  ComparedPairs pairs = ComparedPairs::all;
  int judged_samples = 1;
  double stop_error_rate = 0.0;  // 0: all prompts are asked about
  std::int64_t look_every = 2;   // blocks
};
void bind_compare(OptionTable& table, CompareOptions& options);
// Whether all of evaluate.by can be asked about policies of this study. Throws Error(usage) naming the key: no judge of the
// study, one with recorded verdicts or who is the policy itself, one that an arm learns from (naming the arm), a study
// without arms, more samples than evaluate.samples.
void check_compare(const Study& study, const CompareOptions& options, const EvaluateOptions& evaluate);

// Whether a judge can be asked about policies that did not learn from it. Throws Error(usage) naming `key` as above.
struct StrangerTo {
  std::function<bool(const std::string& arm)> counts;  // the arms that it must be a stranger to
  std::string expected, otherwise = {};                // "no arm learns from"; what would do instead
};
void check_stranger(const std::string& key, const Study& study, const std::string& name, const StrangerTo& whom);

// Of the k-th samples of two policies for a prompt, by the policies' names: it stands in shards, which do not say who wrote what.
std::uint64_t comparison_id(std::uint64_t prompt, const std::string& a, const std::string& b, std::uint32_t sample);

// A judge that an arm has learned from: itself, a judge that either asks, or the same model asked in other words.
struct LearnedFrom {
  std::string arm, key, judge;  // of [arm.NAME] or [data.NAME]: who it learns from there
};
// Of the judge `by`, in the order of the arms. An arm has learned what its start has, and whoever wrote its data.
std::vector<LearnedFrom> learned_from(const Study& study, const std::string& by);

// The samples that `evaluate` has written, compared by every judge of evaluate.by -> comparisons/<judge>. Nothing where the
// deck names none.
void plan_compare(StudyPlan& plan, const Study& study);

}  // namespace rlaif::stages
