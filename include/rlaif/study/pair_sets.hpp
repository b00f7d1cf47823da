// The pairs of a study: whose responses are compared, by whom, and where the verdicts are kept.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rlaif/study/options.hpp"

namespace rlaif::study {

struct PairSet {
  std::string stage;                 // draws and labels them: "annotate", "annotate-<arm>"
  std::string policy;                // whose responses: a model of the run
  std::string arm;                   // the one that learns from them; empty: all that start from sft
  std::vector<JudgeOptions> judges;  // each labels all pairs
  std::uint64_t seed = 0;            // of prompts and sampling
  bool feeds(const ArmOptions& learner) const {
    return arm.empty() ? learner.start == first_policy : learner.name == arm;
  }
  std::string store(const std::string& judge) const { return arm.empty() ? judge : arm; }  // preferences/<store>
};

// By sft, labelled by every judge of study.judges.
PairSet first_pairs(const StudyOptions& options);
// What an arm learns from: the first pairs, or pairs by the arm it starts from, labelled by its own judge alone.
PairSet pairs_of(const StudyOptions& options, const ArmOptions& arm);
// The first pairs, then those of arms that start from another arm.
std::vector<PairSet> pair_sets(const StudyOptions& options);

// The store that an arm learns from, and in "reward-<labels>" its reward model.
std::string labels_of(const ArmOptions& arm);
std::string heldout_store(const std::string& store);  // "<store>-heldout"

// Starts name earlier arms, and no store is named twice. Throws Error(usage).
void check_arms(const StudyOptions& options);

}  // namespace rlaif::study
