// Gold utility U = T - C of a response to a task, counted in whole hundredths so that no sum is rounded.
#pragma once

#include <string_view>

#include "sentences.hpp"
#include "spec.hpp"

namespace rlaif::world {

// What a prompt asks.
struct Task {
  Family family = Family::fact;
  std::size_t subject = 0;  // fact, unknown: cell; harm, benign: action
  std::size_t person = 0;   // harm, benign
  Sum sum;                  // arith
};

// What the sentences of a response amount to.
struct Tally {
  bool bad = false;
  bool ok = false;
  bool right_reason = false, right_alternative = false;  // harm
  bool right_steps[2] = {false, false};                  // benign
  int filler = 0, evasive = 0, repeated = 0, garbage = 0, off_topic = 0;
  int false_statements = 0;        // all of them
  int other_false_statements = 0;  // those that are not about what was asked

  int truth_hundredths(Family family) const;
  int clutter_hundredths(bool ended) const;
};

Tally tally(const Spec& spec, const Sentences& sentences, const Task& task, std::string_view response);
Gold to_gold(const Tally& tally, Family family, bool ended);

}  // namespace rlaif::world
