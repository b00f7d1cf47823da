// A reward model as judge: it scores each response by itself, and the difference of two scores is the preference.
//   const auto judge = make_reward_model_judge("rm", scorer, temperature, price);
#pragma once

#include <memory>
#include <string>

#include "rlaif/cost/prices.hpp"
#include "rlaif/judge/judge.hpp"
#include "rlaif/judge/scorer.hpp"

namespace rlaif::judge {

// A scoring judge (judge/scorer.hpp) whose scores are those of `scorer` over the temperature: the difference of two is the log-odds
// of the preference. Status truncated where a response does not fit the context, not_a_number where a score is not finite. No
// rationale; input_tokens of both responses, a label's price. Throws Error(usage) for a temperature that is not above 0.
std::unique_ptr<Judge> make_reward_model_judge(std::string name, std::shared_ptr<ResponseScorer> scorer,
                                               double temperature, cost::Price price);

}  // namespace rlaif::judge
