// Demonstrations by the closed world's behaviours, texts that state its register, pairs with the verdict and responses with the
// score that gold gives: what the first policy and the judge models learn from.
//   mixture::sft_example(context, language, item);   // the item-th, the same on every rank
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "demonstrations.hpp"
#include "rlaif/judge/prompts/training_text.hpp"
#include "rlaif/stages/judge_model.hpp"
#include "rlaif/study/context.hpp"
#include "rlaif/train/language_model.hpp"

namespace rlaif::stages::mixture {

Demonstration demonstration(const Context& context, std::int64_t item);
train::Example sft_example(const Context& context, const Language& language, std::int64_t item);
train::Example register_example(const Context& context, const Language& language, std::uint64_t item);

// What a judge is trained on: pairs with their verdict and, where the options have a share of them, responses with their score.
class JudgeEncoders {
 public:
  // Throws Error(input) as judge::JudgeEncoder.
  JudgeEncoders(const Language& language, const JudgeModelOptions& options);
  // At once, or after reasons.
  const judge::JudgeEncoder& verdict(bool at_once) const { return at_once ? verdict_first_ : rationale_first_; }
  const judge::JudgeEncoder& score(bool at_once) const { return at_once ? *score_ : *score_reasoned_; }

 private:
  judge::JudgeEncoder verdict_first_, rationale_first_;
  std::optional<judge::JudgeEncoder> score_, score_reasoned_;
};

// The score that gold gives a response on 1 to 10: 1 + 4.5 (U + 1), rounded; utilities below -1 have 1.
int score_of_utility(double utility);

// A fresh pair labelled by gold or, as often as score_share says, a response with its score, as judge training text; both styles
// half and half. Responses are drawn until their score is one that is drawn evenly from 1 to 10, a hundred at most; then the nearest.
// All is drawn by `key`, which no other text of the run has.
train::Example judge_example(const Context& context, const Language& language, const JudgeModelOptions& options,
                             const JudgeEncoders& encoders, std::uint64_t key);

// Throws Error(usage) naming `what` for a text longer than the context.
void require_fits(const train::Example& example, const model::Transformer& model, const std::string& what);

}  // namespace rlaif::stages::mixture
