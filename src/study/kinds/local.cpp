// A model in this process.
#include "rlaif/judge/kinds/local.hpp"
#include "kinds.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/study/judges.hpp"

namespace rlaif::study {
namespace {

void bind(OptionTable& table, const std::string& section, JudgeOptions& o) {
  table.add(section + ".model", &o.model, "",
            "a model of the run (one of study.judge_models, sft), or policy: the one whose responses are judged");
  table.add_input(
      section + ".template", &o.prompt_template, "judge_rationale_first.txt",
      "the conversation that asks; for chat models those of judge_templates/ (zero_shot, few_shot, "
      "chain_of_thought, each also with _constitution; score, score_constitution and score_reasoned give one "
      "response a number)");
  bind_principles(table, section, o);
  bind_price(table, section, o);
  bind_orders(table, section, o);
  table.add(section + ".max_rationale_tokens", &o.local.max_rationale_tokens, "tokens", "longest rationale")
      .at_least(1);
  table.add(section + ".label_clamp_low", &o.local.label_clamp_low, "", "soft labels are not below")
      .at_least(0)
      .at_most(1);
  table.add(section + ".label_clamp_high", &o.local.label_clamp_high, "", "soft labels are not above")
      .at_least(0)
      .at_most(1);
  bind_scores(table, section, o);
  table.add(section + ".slots", &o.local.slots, "sequences", "sequences judged together").at_least(1);
}

void check(const std::string& section, const JudgeOptions& o) {
  if (o.local.label_clamp_low > o.local.label_clamp_high)
    throw usage_error(section + ".label_clamp_low: at most " + section + ".label_clamp_high was expected");
  check_scores(section, o, o.prompt_template);
}

std::unique_ptr<judge::Judge> make(const JudgeOptions& o, const JudgeParts& parts) {
  judge::LocalJudgeOptions local = o.local;
  local.seed = parts.context.study.run.seed;
  local.orders = o.orders;
  local.principle_use = o.principle_use;
  local.scores = o.scores;
  text::Conversation prompt = text::Conversation::load(o.prompt_template);
  const judge::Constitution principles = prompt.has_principles() ? principles_of(o) : judge::Constitution();
  return judge::make_local_judge(o.name, *parts.network, parts.language->chat, std::move(prompt), principles, local,
                                 judge_price(parts.context.study.judges, o));
}

}  // namespace

JudgeKindEntry local_kind() { return {JudgeKind::local, "local", "a model in this process", false, bind, check, make}; }

}  // namespace rlaif::study
