#include "escalation.hpp"

namespace rlaif::judge {

std::unique_ptr<Judge> make_hierarchy(std::string name, std::vector<Member> levels, double gate) {
  require_members("hierarchy", name, levels);
  require_confidence("hierarchy", name, gate);
  std::vector<double> gates(levels.size() - 1, gate);
  return std::make_unique<Escalation>(std::move(name), std::move(levels), std::move(gates), OnFailure::stands,
                                      OnTie::ask_next);
}

}  // namespace rlaif::judge
