// Other judges as levels, the first to be obeyed first.
#include "kinds.hpp"

namespace rlaif::study {
namespace {

void bind(OptionTable& table, const std::string& section, JudgeOptions& o) {
  bind_members(table, section, o, ", first the one to be obeyed first");
  table
      .add(section + ".gate", &o.gates.confidence, "",
           "confidence from which a level decides; a tie or less passes to the next, no verdict ends it")
      .at_least(0.5)
      .at_most(1);
  table
      .add(section + ".score_gate", &o.gates.score, "",
           "where single responses are scored: the reward that a level must reach for those behind it to count")
      .at_least(-1)
      .at_most(1)
      .listed_where_set();
}

std::unique_ptr<judge::Judge> combine(const JudgeOptions& o, std::vector<judge::Member> members,
                                      const judge::FittedJudges&) {
  return judge::make_hierarchy(o.name, std::move(members), o.gates);
}

}  // namespace

JudgeKindEntry hierarchy_kind() {
  return {JudgeKind::hierarchy, "hierarchy", "judges as levels", false, bind, nullptr, nullptr, combine};
}

}  // namespace rlaif::study
