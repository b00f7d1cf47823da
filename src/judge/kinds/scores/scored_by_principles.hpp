// A response's score by its principles, whoever is asked for it. Private to judge.
//   score_by_principles(responses, constitution, how, [&](std::span<const ShownResponse> shown) { return ask(shown); });
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "rlaif/judge/constitution/constitution.hpp"
#include "rlaif/judge/prompts/scores.hpp"
#include "rlaif/judge/scorer.hpp"

namespace rlaif::judge {

struct ShownResponse {
  const Response* response;
  std::vector<const Principle*> principles;  // that it is held against in this question
};
// One a question, on the scale.
using AskScores = std::function<std::vector<ResponseScore>(std::span<const ShownResponse>)>;

struct ScoringBy {
  PrincipleUse use = PrincipleUse::sample;
  double level_gate = 0.0;
  ScoreScale scale;
  std::uint64_t seed = 0;
};

// Rewards: scores from the scale onto [-1, 1]. sample: one question, by a principle drawn by weight and keyed by (seed, prompt), the
// same for all responses to it; all: one question by all of them. each: a question a principle, level after level, all responses
// of a level at once; levels behind one whose mean is below the gate are not asked and worth the scale's least. A response of which
// one question has no score has none, and the status of that question. Usage is the sum over the questions.
std::vector<ResponseScore> score_by_principles(std::span<const Response> responses, const Constitution& principles,
                                               const ScoringBy& by, const AskScores& ask);

// All the questions that may be asked about the responses: what a bill is made of.
std::vector<ShownResponse> questions_by_principles(std::span<const Response> responses, const Constitution& principles,
                                                   const ScoringBy& by);

}  // namespace rlaif::judge
