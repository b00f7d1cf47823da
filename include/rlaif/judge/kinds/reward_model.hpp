// A reward model as judge: it scores each response by itself, and the difference of two scores is the preference.
//   const auto judge = make_reward_model_judge("rm", scorer, temperature, price);
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rlaif/cost/prices.hpp"
#include "rlaif/judge/judge.hpp"

namespace rlaif::judge {

// A completion and what it answers. Both must outlive it.
struct Response {
  const Prompt* prompt;
  const Completion* completion;
};

struct ResponseScore {
  double score = 0.0;       // NaN where it does not fit
  std::int64_t tokens = 0;  // that it is read as
  bool fits = true;         // into the model's context
};

// Whatever gives one response a number. A score depends on the response alone.
class ResponseScorer {
 public:
  virtual ~ResponseScorer() = default;
  virtual std::vector<ResponseScore> score(std::span<const Response> responses) const = 0;
};

// P(first is better) = sigmoid((score of first - score of second) / temperature) (Bradley and Terry 1952). A response is
// scored once a call, in however many comparisons it stands. It is shown alone, so that there is no order to prefer:
// p_first_by_order says the same for both, and no comparison counts as won by a position. Status truncated where a
// response does not fit the context (it costs nothing), not_a_number where a score is not finite. No rationale;
// input_tokens of both responses, a label's price. Throws Error(usage) for a temperature that is not above 0.
std::unique_ptr<Judge> make_reward_model_judge(std::string name, std::shared_ptr<const ResponseScorer> scorer,
                                               double temperature, cost::Price price);

}  // namespace rlaif::judge
