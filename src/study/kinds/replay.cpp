// Recorded verdicts.
#include "rlaif/judge/kinds/replay.hpp"

#include "kinds.hpp"

namespace rlaif::study {
namespace {

void bind(OptionTable& table, const std::string& section, JudgeOptions& o) {
  table.add_input(section + ".verdicts", &o.verdicts, "", "recorded verdicts, JSON Lines");
  table.add(section + ".recorded_judge", &o.recorded_judge, "", "whose verdicts; empty: the file holds one judge's");
  table.add(section + ".recorded_style", &o.recorded_style, "", "style of the verdicts; empty: the file holds one");
  bind_price(table, section, o);
  bind_orders(table, section, o);
}

std::unique_ptr<judge::Judge> make(const JudgeOptions& o, const JudgeParts& parts) {
  return judge::make_replay_judge(o.name, {o.verdicts, o.recorded_judge, o.recorded_style, o.orders, parts.pair_id});
}

}  // namespace

JudgeKindEntry replay_kind() { return {JudgeKind::replay, "replay", "recorded verdicts", false, bind, nullptr, make}; }

}  // namespace rlaif::study
