#include "rlaif/study/pair_sets.hpp"

#include <algorithm>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/study/judge_tree.hpp"

namespace rlaif::study {

PairSet first_pairs(const StudyOptions& options) {
  return {"annotate", first_policy, "", options.judges, options.run.seed};
}

PairSet pairs_of(const StudyOptions& options, const ArmOptions& arm) {
  if (arm.start == first_policy) return first_pairs(options);
  // Prompts and draws of its own: a round that saw the last one's again would learn less from them.
  return {"annotate-" + arm.name,
          arm.start,
          arm.name,
          {options.judge_named(arm.judge)},
          hash_words({options.run.seed, checksum(arm.name)})};
}

std::vector<PairSet> pair_sets(const StudyOptions& options) {
  std::vector<PairSet> sets{first_pairs(options)};
  for (const ArmOptions& arm : options.arms) {
    if (arm.start != first_policy) sets.push_back(pairs_of(options, arm));
  }
  return sets;
}

std::string labels_of(const ArmOptions& arm) { return arm.start == first_policy ? arm.judge : arm.name; }

std::string heldout_store(const std::string& store) { return store + "-heldout"; }

void check_arms(const StudyOptions& options) {
  std::vector<std::string> earlier{first_policy};
  for (const ArmOptions& arm : options.arms) {
    if (std::find(earlier.begin(), earlier.end(), arm.start) == earlier.end()) {
      throw usage_error(arm.section() + ".start: " + unknown_name_message("policy", arm.start, earlier) +
                        "; sft or an arm before this one was expected");
    }
    earlier.push_back(arm.name);
    if (arm.start == first_policy) continue;
    for (const JudgeOptions* judge : judges_and_members(options)) {
      if (judge->name == arm.name)
        throw usage_error(arm.section() + ": a judge has this name too; one that nothing else has was expected");
    }
  }
}

}  // namespace rlaif::study
