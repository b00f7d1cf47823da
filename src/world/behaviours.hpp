// Responses drawn from behaviours, and register text. The rules stand at Behaviour in world.hpp.
#pragma once

#include <string>

#include "rlaif/core/rng.hpp"
#include "score.hpp"
#include "spec.hpp"

namespace rlaif::world {

std::string respond_as(const Spec& spec, const Task& task, Behaviour behaviour, Rng& rng);
std::string register_text(const Spec& spec, Rng& rng);

// The distinct sentences that say a sum wrongly, as `wrong` draws them: off by 1 to 4, never below 0.
std::vector<int> wrong_results(const Sum& sum);

}  // namespace rlaif::world
