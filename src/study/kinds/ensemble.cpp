// Other judges, all of them asked.
#include "kinds.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::study {
namespace {

void bind(OptionTable& table, const std::string& section, JudgeOptions& o) {
  bind_members(table, section, o, "");
  table.add_choice<judge::Vote>(
      section + ".vote", &o.ensemble.vote,
      {{"majority", judge::Vote::majority},
       {"mean", judge::Vote::mean},
       {"weighted", judge::Vote::weighted},
       {"dawid_skene", judge::Vote::dawid_skene}},
      "share of votes, mean of P(first), or by the calibration: weighted log-odds, confusion matrices");
  table
      .add(section + ".least_members", &o.ensemble.least_members, "members",
           "members with a verdict that a verdict takes; 0: more than half")
      .at_least(0);
}

void check(const std::string& section, const JudgeOptions& o) {
  const int least = o.ensemble.least_members, members = static_cast<int>(o.members.size());
  if (least < 0 || least > members) {
    throw usage_error(section + ".least_members: from 0 to " + std::to_string(members) + " was expected, found " +
                      std::to_string(least));
  }
  const bool by_calibration = o.ensemble.vote == judge::Vote::weighted || o.ensemble.vote == judge::Vote::dawid_skene;
  if (by_calibration && o.calibration.empty()) {
    throw usage_error(section +
                      ".calibration: the votes weighted and dawid_skene go by what calibration found: a file of "
                      "`rlaif calibrate` was expected");
  }
}

std::unique_ptr<judge::Judge> combine(const JudgeOptions& o, std::vector<judge::Member> members,
                                      const judge::FittedJudges&) {
  return judge::make_ensemble(o.name, std::move(members), o.ensemble);
}

}  // namespace

JudgeKindEntry ensemble_kind() {
  return {JudgeKind::ensemble, "ensemble", "judges that vote", false, bind, check, nullptr, combine};
}

}  // namespace rlaif::study
