#include "remote.hpp"

#include "rlaif/core/error.hpp"
#include "rlaif/study/judges.hpp"
#include "rlaif/study/server_keys.hpp"

namespace rlaif::study {

void bind_remote(OptionTable& table, const std::string& section, JudgeOptions& o) {
  judge::RemoteOptions& r = o.remote;
  table.add(section + ".model", &o.model, "", "the model's name");
  table.add_input(
      section + ".style", &o.style, "judge_styles/chain_of_thought_constitution.txt",
      "the conversation that asks; those of judge_styles/ are zero_shot, few_shot, chain_of_thought, each "
      "also with _constitution, and cases_constitution; score, score_constitution and score_reasoned give one "
      "response a number");
  bind_principles(table, section, o);
  bind_price(table, section, o);
  bind_orders(table, section, o);
  bind_address(table, section, "judge", r, o.tokenizer);
  bind_scores(table, section, o);
  table
      .add(section + ".samples", &r.samples, "answers",
           "answers in each order, or for a score; P(first), or the score, is their mean")
      .at_least(1)
      .at_most(128);
  bind_draws(table, section, r);
  table
      .add(section + ".context_tokens", &r.context_tokens, "tokens",
           "longer comparisons are not asked; 0: the server decides")
      .at_least(0);
  bind_traffic(table, section, r.http);
}

void check_remote(const std::string& section, const JudgeOptions& o) {
  const judge::RemoteOptions& r = o.remote;
  const auto expect = [&](bool holds, const std::string& key, const std::string& message) {
    if (!holds) throw usage_error(section + key + ": " + message);
  };
  check_address(section, r, o.model);
  expect(r.top_logprobs == 0 || r.samples == 1, ".samples",
         "1 was expected where log-probabilities are asked for (" + section + ".top_logprobs), found " +
             std::to_string(r.samples));
  expect(r.context_tokens == 0 || r.context_tokens > r.max_output_tokens, ".context_tokens",
         "0 or more than " + section + ".max_output_tokens (" + std::to_string(r.max_output_tokens) +
             ") was expected, found " + std::to_string(r.context_tokens) + ": no comparison fits");
  check_scores(section, o, o.style);
}

RemoteJudgeParts remote_judge_parts(const JudgeOptions& o, const JudgeParts& parts) {
  const Context& context = parts.context;
  RemoteJudgeParts result{remote_options(context.study, o), remote_parts(context.study.judges, o)};
  result.parts.answers = parts.spending.answers(o.name);
  result.parts.meter = parts.spending.meter();
  share_limits(result.options.http, context);
  return result;
}

}  // namespace rlaif::study
