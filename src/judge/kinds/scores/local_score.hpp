// A language model in this process that scores one response (kinds/local.hpp). Private to judge.
#pragma once

#include <memory>
#include <string>

#include "rlaif/judge/kinds/local.hpp"

namespace rlaif::judge {

// Model and chat encoder must outlive it. Throws as make_local_judge.
std::shared_ptr<ResponseScorer> make_local_scorer(const std::string& name, const model::Transformer& model,
                                                  const text::ChatEncoder& chat, text::Conversation prompt,
                                                  Constitution principles, LocalJudgeOptions options);

}  // namespace rlaif::judge
