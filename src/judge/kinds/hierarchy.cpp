#include <cmath>

#include "escalation.hpp"
#include "rlaif/core/error.hpp"
#include "scores/combined_scores.hpp"

namespace rlaif::judge {

std::unique_ptr<Judge> make_hierarchy(std::string name, std::vector<Member> levels, HierarchyGates gates) {
  require_members("hierarchy", name, levels);
  require_confidence("hierarchy", name, gates.confidence);
  if (!(std::abs(gates.score) <= 1.0)) {
    throw usage_error("hierarchy '" + name + "': a score_gate from -1 to 1 was expected, found " +
                      std::to_string(gates.score));
  }
  std::vector<double> confidences(levels.size() - 1, gates.confidence);
  std::unique_ptr<ResponseScorer> scorer = all_score(levels) ? make_gated_scorer(levels, gates.score) : nullptr;
  return std::make_unique<Escalation>(std::move(name), std::move(levels), std::move(confidences), OnFailure::stands,
                                      OnTie::ask_next, std::move(scorer));
}

}  // namespace rlaif::judge
