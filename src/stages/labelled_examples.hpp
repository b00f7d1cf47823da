// Pairs of a file that people have labelled, as what a judge model learns from.
//   const LabelledExamples examples(seed, language, model, judge.config().max_positions);
//   examples.at(i);   // the i-th of the run, the same on every rank
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "rlaif/judge/constitution/constitution.hpp"
#include "rlaif/judge/kinds/shown_comparison.hpp"
#include "rlaif/judge/prompts/training_text.hpp"
#include "rlaif/stages/judge_model.hpp"
#include "rlaif/study/context.hpp"
#include "rlaif/train/language_model.hpp"

namespace rlaif::evaluate {
struct LabelledPair;
}

namespace rlaif::stages {

// P(the first is better) by the votes of single people where the file has them, else by the label: a tie is 0.5.
double share_of_votes(const evaluate::LabelledPair& pair);

// What the keys of a judge model that learns from people must be to each other. Throws Error(usage) naming the key.
void check_labelled_examples(const JudgeModel& model);

class LabelledExamples {
 public:
  // Every rank reads the file. Throws Error(input) with file, line and key, or naming the file where no pair fits the
  // context. Keeps a reference to the language.
  LabelledExamples(std::uint64_t seed, const Language& language, const JudgeModel& model, std::int64_t max_positions);

  // Every pair once, in an order drawn anew, then every pair once again. Which response is shown first is drawn, and the
  // verdict is drawn by the votes: over many draws the loss is cross-entropy against their share. It ends with the
  // verdict, as there is no reason to learn.
  train::Example at(std::int64_t item) const;

  std::int64_t pairs() const { return static_cast<std::int64_t>(pairs_.size()); }
  std::int64_t too_long() const { return too_long_; }
  std::int64_t soft() const { return soft_; }  // labels that are neither 0 nor 1

 private:
  struct Pair {
    Comparison comparison;
    double p_first;
  };
  train::Example example(const Pair& pair, judge::ShownFirst shown_first, bool shown_first_is_better) const;

  const std::vector<std::size_t>& order_of(std::uint64_t pass) const;

  std::uint64_t seed_, model_;  // what draws are keyed by: judges of other names see other orders
  JudgeModelOptions options_;
  judge::Constitution principles_;
  judge::JudgeEncoder encoder_;
  std::vector<Pair> pairs_;
  std::int64_t too_long_ = 0, soft_ = 0;
  mutable std::map<std::uint64_t, std::vector<std::size_t>> orders_;  // of the passes in use
};

}  // namespace rlaif::stages
