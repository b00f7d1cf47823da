// Whether prompts fit a model's context at all, asked before a stage begins: one that would skip every prompt has nothing to do.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "rlaif/study/context.hpp"

namespace rlaif::study {

// `prompt` draws the prompts 0 to count - 1; it is called until one fits. Collective. Throws Error(input) where none does: `what`
// is the stage, `key` says how many tokens a response may have.
void require_a_prompt_that_fits(const Context& context, const Language& language, const model::Transformer& policy,
                                const std::string& what, const std::string& key, int max_new_tokens, std::int64_t count,
                                const std::function<Prompt(std::int64_t item)>& prompt);

}  // namespace rlaif::study
