// Simulated people.
#include "kinds.hpp"
#include "rlaif/study/judges.hpp"

namespace rlaif::study {
namespace {

void bind(OptionTable& table, const std::string& section, JudgeOptions& o) {
  bind_price(table, section, o);
  table.add(section + ".people", &o.annotators.people, "people", "number of simulated people").at_least(1);
  table.add(section + ".utility_noise", &o.annotators.utility_noise, "", "deviation of noise on the utility difference")
      .at_least(0);
  table
      .add(section + ".length_weight", &o.annotators.length_weight, "1/word",
           "deviation over people of their taste for length")
      .at_least(0);
  table.add(section + ".flip_rate", &o.annotators.flip_rate, "", "share of labels turned round").at_least(0).at_most(1);
}

std::unique_ptr<judge::Judge> make(const JudgeOptions& o, const JudgeParts& parts) {
  judge::AnnotatorOptions annotators = o.annotators;
  annotators.seed = parts.context.study.run.seed;
  return judge::make_annotators(
      o.name, annotators,
      [&task = parts.context.task](const Prompt& prompt, const Completion& completion) {
        return task.utility(prompt, completion);
      },
      judge_price(parts.context.study.judges, o));
}

}  // namespace

JudgeKindEntry annotators_kind() {
  return {JudgeKind::annotators, "annotators", "simulated people", false, bind, nullptr, make};
}

}  // namespace rlaif::study
