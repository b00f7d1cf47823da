// Judges made from the deck, with the models they need.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "rlaif/pipeline/context.hpp"

namespace rlaif::pipeline {

// A judge and what must outlive it.
struct BoundJudge {
  std::unique_ptr<model::Transformer> network;
  std::unique_ptr<judge::Judge> judge;
};
// Collective. Throws Error(usage) or Error(input) for a price, template, principle file or model that does not fit.
BoundJudge make_judge(const Context& context, const JudgeOptions& options, const Language& language);

}  // namespace rlaif::pipeline
