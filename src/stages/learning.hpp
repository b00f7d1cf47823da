// What trainers of this study share: labelled pairs as token sequences, and new adapters over a model.
//   const LabelledPairs labelled = read_labelled_pairs(context, language, arm, "reward-ai", policy.config().max_positions);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rlaif/model/adapter.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/study/context.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/train/pairs.hpp"

namespace rlaif::stages {

struct LabelledPairs {
  std::vector<train::TokenPair> pairs;
  std::int64_t by_people = 0;  // of them, those whose label is a person's
};
// The usable pairs of the store that the arm learns from; every rank reads it whole (checksums are compared first). Collective.
// `stage`: for what is said. Throws Error(input) naming the store where there is none.
LabelledPairs read_labelled_pairs(const Context& context, const Language& language, const ArmOptions& arm,
                                  const std::string& stage, std::int64_t max_positions);

// Which part of the seed belongs to which adapter.
enum class AdapterKey : std::uint64_t { reward = 11, policy = 12, value = 13 };
std::shared_ptr<model::Adapter> new_adapter(const Context& context, const model::Transformer& base,
                                            const LowRankOptions& options, AdapterKey key);

// What is trained from `start`: all weights of a copy or, with a rank, a new adapter over the weights of `start` themselves.
model::Transformer policy_from(const Context& context, const model::Transformer& start, const LowRankOptions& adapter);

// An adapter is kept as one over sft only; over another adapter it would not say what it is.
void save_trained_policy(const Context& context, const ArmOptions& arm, const Language& language,
                         const model::Transformer& policy);

}  // namespace rlaif::stages
