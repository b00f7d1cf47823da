// Makers: where the data that an arm learns from comes from. A new one is a class in a file of its own under
// src/stages/makers/ and a line in its registry.cpp.
//   [data.best]  maker = file  file = best.jsonl        [arm.tuned]  algorithm = sft  data = best
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "rlaif/core/option_table.hpp"
#include "rlaif/stages/plan.hpp"
#include "rlaif/study/context.hpp"
#include "rlaif/study/data_sets.hpp"

namespace rlaif::stages {

class Maker {
 public:
  virtual ~Maker() = default;
  virtual DataKind makes() const = 0;
  // Registers its keys in the section of the data set, bound to fields of this object; data.policy where it samples
  // one.
  virtual void bind(OptionTable& table, DataOptions& data) = 0;
  // What the deck says of this data set that cannot be. Throws Error(usage) naming the key.
  virtual void check(const Study&, const DataOptions&) const {}
  // Judges that its keys name, whose labels or verdicts decide what the data is; of labelled pairs it is the arm's judge.
  virtual std::vector<std::string> judges() const { return {}; }
  // Adds the stage that makes the data: preferences/<store>, or data/<name>.
  virtual void plan(StudyPlan& plan, const Study& study, const DataSet& data) const = 0;
};

struct MakerEntry {
  const char* name;   // data.NAME.maker
  const char* about;  // for --help
  std::unique_ptr<Maker> (*make)();
};
const std::vector<MakerEntry>& makers();
// Throws Error(usage) naming `key` and the nearest name.
const MakerEntry& maker_named(const std::string& key, const std::string& name);
// The keys of [data.NAME]: which maker, and its own.
void bind_data(OptionTable& table, DataOptions& data);
// The set's own maker, or the one of the study's pairs.
const Maker& maker_of(const DataSet& data);

}  // namespace rlaif::stages
