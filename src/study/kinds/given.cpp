// The labels that recorded pairs come with.
#include "rlaif/judge/kinds/given.hpp"

#include "kinds.hpp"
#include "rlaif/study/judges.hpp"

namespace rlaif::study {
namespace {

void bind(OptionTable& table, const std::string& section, JudgeOptions& o) { bind_price(table, section, o); }

std::unique_ptr<judge::Judge> make(const JudgeOptions& o, const JudgeParts& parts) {
  return judge::make_given_judge(o.name, judge_price(parts.context.study.judges, o));
}

}  // namespace

JudgeKindEntry given_kind() {
  return {JudgeKind::given, "given", "the labels that recorded pairs come with", false, bind, nullptr, make};
}

}  // namespace rlaif::study
