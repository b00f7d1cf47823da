// A file of rules.
#include "rlaif/judge/kinds/rules.hpp"

#include "kinds.hpp"
#include "rlaif/study/judges.hpp"

namespace rlaif::study {
namespace {

void bind(OptionTable& table, const std::string& section, JudgeOptions& o) {
  table.add_input(section + ".rules", &o.rules, "rules_brief.json", "the file of rules");
  bind_price(table, section, o);
}

std::unique_ptr<judge::Judge> make(const JudgeOptions& o, const JudgeParts& parts) {
  return judge::make_rules_judge(o.name, judge::RuleBook::load(o.rules), judge_price(parts.context.study.judges, o));
}

}  // namespace

JudgeKindEntry rules_kind() { return {JudgeKind::rules, "rules", "a file of rules", false, bind, nullptr, make}; }

}  // namespace rlaif::study
