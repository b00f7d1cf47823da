// Demonstrations by the closed world's behaviours, texts that state its register, pairs with the verdict that gold
// gives: what the first policy and the judge models learn from.
//   mixture::sft_example(context, language, item);   // the item-th, the same on every rank
#pragma once

#include <cstdint>
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

// A fresh pair labelled by gold, as judge training text; both styles half and half.
struct JudgeEncoders {
  judge::JudgeEncoder verdict_first, rationale_first;
};

// A pair is drawn by `key`, which no other text of the run has.
train::Example judge_example(const Context& context, const Language& language, const JudgeModelOptions& options,
                             const JudgeEncoders& encoders, std::uint64_t key);

// Throws Error(usage) naming `what` for a text longer than the context.
void require_fits(const train::Example& example, const model::Transformer& model, const std::string& what);

}  // namespace rlaif::stages::mixture
