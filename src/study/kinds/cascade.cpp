// Other judges from cheap to dear, asked until one is sure.
#include "kinds.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/study/judge_tree.hpp"

namespace rlaif::study {
namespace {

void bind(OptionTable& table, const std::string& section, JudgeOptions& o) {
  bind_members(table, section, o, ", from cheap to dear");
  table
      .add(section + ".thresholds", &o.thresholds, "",
           "confidence from which a member's verdict stands, for each but the last; empty: the calibration's")
      .at_least(0.5)
      .at_most(1);
}

void check(const std::string& section, const JudgeOptions& o) {
  const std::size_t found = o.thresholds.size();
  if (found > 0 && found + 1 != o.members.size()) {
    throw usage_error(section + ".thresholds: one for each member but the last was expected, " +
                      std::to_string(o.members.size() - 1) + " in all, found " + std::to_string(found));
  }
  if (found == 0 && o.calibration.empty()) {
    throw usage_error(section +
                      ".thresholds: confidences from 0.5 to 1 were expected, or a calibration file that "
                      "holds them in " +
                      section + ".calibration");
  }
}

std::unique_ptr<judge::Judge> combine(const JudgeOptions& o, std::vector<judge::Member> members,
                                      const judge::FittedJudges& calibration) {
  return judge::make_cascade(o.name, std::move(members), cascade_thresholds(o, calibration));
}

}  // namespace

JudgeKindEntry cascade_kind() {
  return {JudgeKind::cascade, "cascade", "judges from cheap to dear", false, bind, check, nullptr, combine};
}

}  // namespace rlaif::study
