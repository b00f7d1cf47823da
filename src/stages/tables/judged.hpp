// What the labels of a study came to: every judge and reward model against the yardstick.
#pragma once

#include "rlaif/core/json.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/study/context.hpp"

namespace rlaif::stages {

// {"judges": of the first pairs, by judge; "labels": what each arm's judge did on the pairs that the arm learns from,
// by arm; "reward_model": by arm that has one}. Collective. Throws Error(input) naming a shard.
Json judged_facts(const Context& context, const Language& language, const model::Transformer& sft, int resamples);

// What the arm's judge did on the pairs that it learns from; empty for one that learns from something else.
Json labels_facts(const Json& judged, const ArmOptions& arm);

}  // namespace rlaif::stages
