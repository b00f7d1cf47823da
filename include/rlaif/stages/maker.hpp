// Makers: where the data that an arm learns from comes from. A new one is a class in a file of its own under
// src/stages/makers/ and a line in its registry.cpp.
//   [data.best]  maker = file  file = best.jsonl        [arm.tuned]  algorithm = sft  data = best
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rlaif/core/option_table.hpp"
#include "rlaif/stages/plan.hpp"
#include "rlaif/study/context.hpp"
#include "rlaif/study/data_sets.hpp"

namespace rlaif::stages {

// Pairs that were there before the study, with the labels that they came with (Comparison::label).
struct RecordedPairs {
  std::map<Split, std::vector<Comparison>> pairs;
  std::map<Split, std::vector<Prompt>> prompts;  // each once, in the order of the pairs
  // Of all pairs of labels that two people gave one pair: how many there are, and how many are the same.
  std::int64_t vote_pairs = 0, votes_agree = 0;
};

// Where such pairs come from. Any judge may label them, and they may be the study's pairs (study.pairs).
class RecordedSource {
 public:
  virtual ~RecordedSource() = default;
  virtual bool is_there() const = 0;  // a deck is planned before its files are there
  // How many pairs there are; by what the deck says where the files are not there.
  virtual std::int64_t count(Split split) const = 0;
  // Read once. Throws Error(input) naming file and line.
  virtual const RecordedPairs& read() const = 0;
};

// Chains of revisions that a maker keeps beside its demonstrations, for other makers to learn from.
struct ChainSource {
  int turns = 2;  // revisions of an answer, at most
  std::int64_t prompts = 2000, heldout_prompts = 0, block = 50;
  double helpful_share = 0.0;  // of the training prompts, answered alone and not revised: they come beside `prompts`
  std::int64_t answers_only() const {
    return std::llround(static_cast<double>(prompts) * helpful_share / (1.0 - helpful_share));
  }
  std::int64_t items(Split split) const { return split == Split::train ? prompts + answers_only() : heldout_prompts; }
  std::int64_t blocks(Split split) const { return (items(split) + block - 1) / block; }
};

class Maker {
 public:
  virtual ~Maker() = default;
  virtual DataKind makes() const = 0;
  // Registers its keys in the section of the data set, bound to fields of this object; data.policy where it samples
  // one.
  virtual void bind(OptionTable& table, DataOptions& data) = 0;
  // What the deck says of this data set that cannot be. Throws Error(usage) naming the key.
  virtual void check(const Study&, const DataOptions&) const {}
  virtual const RecordedSource* recorded() const { return nullptr; }  // where the pairs come from, if they are recorded
  virtual const ChainSource* chains() const { return nullptr; }       // of revisions, if it makes any
  // Whether its pairs come with labels, which a judge of kind = given returns.
  virtual bool gives_labels() const { return recorded() != nullptr; }
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
// Loads the study, and reads the recorded pairs of its data sets before anything is computed; its prompts are those of its
// recorded pairs where no file holds any. Every rank reads. Throws Error(input) naming file and line.
void load_study(Study& study);
// The study's pairs, both parts, where they are recorded and their files are there.
std::vector<Comparison> recorded_pairs(const Study& study);
// A judge that gives the labels of recorded pairs judges such pairs, and the study's pairs are of a maker that reads some. Throws
// Error(usage) naming the key.
void check_recorded(const Study& study);
// The set's own maker, or the one of the study's pairs.
const Maker& maker_of(const DataSet& data);

}  // namespace rlaif::stages
