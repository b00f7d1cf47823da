#include "remote.hpp"

#include "rlaif/core/error.hpp"
#include "rlaif/study/judges.hpp"

namespace rlaif::study {

void bind_remote(OptionTable& table, const std::string& section, JudgeOptions& o) {
  judge::RemoteOptions& r = o.remote;
  table.add(section + ".model", &o.model, "", "the model's name");
  table.add_input(section + ".style", &o.style, "judge_styles/chain_of_thought_constitution.txt",
                  "the conversation that asks; those of judge_styles/ are zero_shot, few_shot, chain_of_thought, each "
                  "also with _constitution, and cases_constitution");
  bind_principles(table, section, o);
  bind_price(table, section, o);
  bind_orders(table, section, o);
  table.add_input(section + ".tokenizer", &o.tokenizer, "",
                  "tokenizer.json of the judge's model, to count tokens before asking; empty: a byte a token is held, "
                  "four are expected");
  table.add(section + ".url", &r.base_url, "", "address before /chat/completions or /messages; empty: the vendor's");
  table.add(section + ".key_variable", &r.key_variable, "",
            "environment variable that holds the key; empty: the vendor's own, none where url is given");
  table.add(section + ".max_output_tokens", &r.max_output_tokens, "tokens", "longest answer, reasoning included")
      .at_least(1);
  table.add(section + ".samples", &r.samples, "answers", "an order; P(first) is their mean").at_least(1).at_most(128);
  table.add(section + ".temperature", &r.temperature, "", "of sampling; empty: not sent").at_least(0).at_most(2);
  table.add(section + ".top_p", &r.top_p, "", "of sampling; empty: not sent").above(0).at_most(1);
  table
      .add(section + ".context_tokens", &r.context_tokens, "tokens",
           "longer comparisons are not asked; 0: the server decides")
      .at_least(0);
  table.add(section + ".concurrency", &r.http.concurrency, "requests", "in flight, a rank")
      .at_least(1)
      .at_most(4096)
      .no_result();
  table.add(section + ".requests_per_minute", &r.http.requests_per_minute, "requests", "over all ranks; 0: no limit")
      .at_least(0)
      .no_result();
  table.add(section + ".tokens_per_minute", &r.http.tokens_per_minute, "tokens", "over all ranks; 0: no limit")
      .at_least(0)
      .no_result();
  table.add(section + ".max_retries", &r.http.max_retries, "", "of one request").at_least(0).no_result();
  table.add(section + ".attempt_seconds", &r.http.attempt_seconds, "seconds", "longest attempt")
      .above(0)
      .below(1e6)
      .no_result();
  table.add(section + ".total_seconds", &r.http.total_seconds, "seconds", "a request with all its attempts")
      .above(0)
      .below(1e6)
      .no_result();
}

void check_remote(const std::string& section, const JudgeOptions& o) {
  const judge::RemoteOptions& r = o.remote;
  const auto expect = [&](bool holds, const std::string& key, const std::string& message) {
    if (!holds) throw usage_error(section + key + ": " + message);
  };
  const std::string& url = r.base_url;
  expect(url.empty() || url.starts_with("http://") || url.starts_with("https://"), ".url",
         "an address that begins with http:// or https:// was expected, found '" + url + "'");
  expect(!o.model.empty(), ".model", "the name of a model was expected");
  expect(r.top_logprobs == 0 || r.samples == 1, ".samples",
         "1 was expected where log-probabilities are asked for (" + section + ".top_logprobs), found " +
             std::to_string(r.samples));
  expect(r.context_tokens == 0 || r.context_tokens > r.max_output_tokens, ".context_tokens",
         "0 or more than " + section + ".max_output_tokens (" + std::to_string(r.max_output_tokens) +
             ") was expected, found " + std::to_string(r.context_tokens) + ": no comparison fits");
}

RemoteJudgeParts remote_judge_parts(const JudgeOptions& o, const JudgeParts& parts) {
  const Context& context = parts.context;
  RemoteJudgeParts result{remote_options(context.study, o), remote_parts(context.study.judges, o)};
  result.parts.answers = parts.spending.answers(o.name);
  result.parts.meter = parts.spending.meter();
  result.options.http.requests_per_minute /= context.comm.size();
  result.options.http.tokens_per_minute /= context.comm.size();
  result.options.http.interrupted = context.stop_requested;
  return result;
}

}  // namespace rlaif::study
