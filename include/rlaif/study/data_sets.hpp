// What the arms of a study learn from, and where it is kept: pairs with verdicts, or demonstrations.
//   for (const DataSet& data : data_sets(study))  if (data.feeds(arm)) ...   // data.store("ai"): preferences/ai
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rlaif/study/study.hpp"

namespace rlaif::study {

struct DataSet {
  std::string name;                   // of its section, or the arm that alone learns from it; empty: the first pairs
  std::string policy = first_policy;  // whose responses: a model of the run
  std::vector<JudgeOptions> judges;   // each labels all pairs; demonstrations have none
  std::uint64_t seed = 0;             // of prompts and sampling
  DataKind kind = DataKind::preferences;
  std::shared_ptr<const stages::Maker> maker = {};  // nullptr: the study's pairs, by [annotate]
  std::string section = "annotate";                 // of the deck, that says how it is made

  bool feeds(const ArmOptions& arm) const;
  std::string stage(const std::string& kind) const { return name.empty() ? kind : kind + "-" + name; }
  std::string store(const std::string& judge) const { return name.empty() ? judge : name; }  // preferences/<store>
};

// The study's pairs, labelled by every judge of study.judges: by sft, or those of study.pairs.
DataSet first_pairs(const Study& study);
// What an arm learns from: the data set that it names, else the first pairs, else pairs of its own by the arm that it
// starts from, labelled by its judge.
DataSet data_of(const Study& study, const ArmOptions& arm);
// A section [data.NAME] as a data set that nobody learns from yet. Throws Error(usage) naming `key` where there is none.
DataSet data_named(const Study& study, const std::string& key, const std::string& name);
// The first pairs, then those that arms name or have of their own, in the order of the arms.
std::vector<DataSet> data_sets(const Study& study);

// The store that an arm learns from, and in "reward-<labels>" its reward model.
std::string labels_of(const ArmOptions& arm);
std::string heldout_store(const std::string& store);  // "<store>-heldout"

// Starts name earlier arms, data sets are there and by earlier arms, and no name stands for two things. Throws
// Error(usage).
void check_arms(const Study& study);

}  // namespace rlaif::study
