// Whatever gives one response a number: a reward model, rules, a language model that is asked for a score.
//   for (const ResponseScore& one : scorer.score(responses))
//     if (one.status == VerdictStatus::ok) use(one.score);
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rlaif/core/types.hpp"
#include "rlaif/cost/prices.hpp"

namespace rlaif::judge {

class Judge;

// A completion and what it answers. Both must outlive it.
struct Response {
  const Prompt* prompt;
  const Completion* completion;
};

// Only `ok` carries a score: whoever is not understood, refuses or does not finish has given none.
struct ResponseScore {
  VerdictStatus status = VerdictStatus::missing;
  double score = std::numeric_limits<double>::quiet_NaN();  // meaningful only where ok
  Usage usage = {};
  std::string rationale = {};
  // False where the response does not fit the context of who scores: nothing was read, and nothing is paid.
  bool was_asked() const { return status != VerdictStatus::truncated || usage.input_tokens > 0; }
};

// Of judges that ask a language model for scores.
struct ScoreOptions {
  double temperature = 0.25;  // of the preference between two responses: rewards differ by 2 at most
  double least_mass = 0.5;    // on the scale's numbers, below which log-probabilities hold no score
  double level_gate =
      0.0;  // principle_use = each: mean on the scale that a level must reach for those behind it to count
};

class ResponseScorer {
 public:
  virtual ~ResponseScorer() = default;
  // One a response, in order. A score depends on the responses of this call alone. Never throws for what was said.
  virtual std::vector<ResponseScore> score(std::span<const Response> responses) = 0;
};

// A judge whose preference is the difference of two scores: P(first is better) = sigmoid(difference / temperature) (Bradley and
// Terry 1952). A response is scored once a call, in however many comparisons it stands. It is shown alone, so that there is no
// order to prefer: p_first_by_order says the same for both, and no comparison counts as won by a position. A comparison has the
// status of the first of its responses without a score. Its scorer is this one.
// `price`: a comparison costs one label of it, and so does a response that is scored alone; what is truncated costs nothing.
// Without one `scorer` says what its scores have cost, and that counts where a response first stands in a call.
// Throws Error(usage) for a temperature that is not above 0.
std::unique_ptr<Judge> make_scoring_judge(std::string name, std::shared_ptr<ResponseScorer> scorer, double temperature,
                                          std::optional<cost::Price> price);

}  // namespace rlaif::judge
