// What judges in this process have in common, whether they compare or score. Private to judge.
#pragma once

#include <string>

#include "rlaif/generate/engine.hpp"
#include "rlaif/judge/kinds/local.hpp"
#include "rlaif/judge/prompts/training_text.hpp"

namespace rlaif::judge {

// Throws Error(usage) for options out of range, Error(input) where template, principles and tokenizer do not fit the judge.
void check_local(const std::string& name, const LocalJudgeOptions& options, const JudgeEncoder& encoder,
                 const Constitution& principles, const text::ChatEncoder& chat, const generate::Engine& engine);
// Greedy decoding of a rationale, to the end of its line.
generate::SamplingOptions rationale_sampling(const LocalJudgeOptions& options, const JudgeEncoder& encoder,
                                             const generate::Engine& engine);

}  // namespace rlaif::judge
