#include "escalation.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::judge {

std::unique_ptr<Judge> make_cascade(std::string name, std::vector<Member> members, std::vector<double> thresholds) {
  require_members("cascade", name, members);
  if (thresholds.size() + 1 != members.size()) {
    throw usage_error("cascade '" + name + "': a threshold for each member but the last was expected, " +
                      std::to_string(members.size() - 1) + " in all, found " + std::to_string(thresholds.size()));
  }
  for (const double threshold : thresholds) require_confidence("cascade", name, threshold);
  return std::make_unique<Escalation>(std::move(name), std::move(members), std::move(thresholds), OnFailure::ask_next,
                                      OnTie::by_confidence);
}

}  // namespace rlaif::judge
