#include "rlaif/study/bind_judge.hpp"

#include <string>

namespace rlaif::study {
namespace {

void bind_remote_judge(OptionTable& table, const std::string& section, JudgeOptions& o) {
  judge::RemoteOptions& r = o.remote;
  const std::string who = "openai, anthropic: ";
  table.add_input(section + ".style", &o.style, "judge_styles/chain_of_thought_constitution.txt",
                  who +
                      "the conversation that asks; those of judge_styles/ are zero_shot, few_shot, chain_of_thought, "
                      "each also with "
                      "_constitution, and cases_constitution");
  table.add_input(section + ".tokenizer", &o.tokenizer, "",
                  who +
                      "tokenizer.json of the judge's model, to count tokens before asking; empty: a byte a token is "
                      "held, four are expected");
  table.add(section + ".url", &r.base_url, "",
            who + "address before /chat/completions or /messages; empty: the vendor's");
  table.add(section + ".key_variable", &r.key_variable, "",
            who + "environment variable that holds the key; empty: the vendor's own, none where url is given");
  table.add(section + ".max_output_tokens", &r.max_output_tokens, "tokens", who + "longest answer, reasoning included")
      .at_least(1);
  table.add_choice<judge::OutputLimit>(section + ".output_limit", &r.output_limit,
                                       {{"max_completion_tokens", judge::OutputLimit::max_completion_tokens},
                                        {"max_tokens", judge::OutputLimit::max_tokens}},
                                       "openai: the field that says so");
  table
      .add(section + ".top_logprobs", &r.top_logprobs, "",
           "openai: log-probabilities asked for, up to 20 at the vendor, 1000 elsewhere; 0: verdicts are read from the "
           "text")
      .at_least(0)
      .at_most(1000);
  table
      .add(section + ".least_label_mass", &r.least_label_mass, "",
           "openai: probability of both labels below which there is no verdict")
      .at_least(0)
      .at_most(1);
  table.add(section + ".samples", &r.samples, "answers", who + "an order; P(first) is their mean")
      .at_least(1)
      .at_most(128);
  table.add(section + ".samples_in_one_request", &r.samples_in_one_request, "", "openai: ask for all samples at once");
  table.add_optional_number(section + ".temperature", &o.temperature, "", who + "of sampling; empty: not sent")
      .at_least(0)
      .at_most(2);
  table.add_optional_number(section + ".top_p", &o.top_p, "", who + "of sampling; empty: not sent").above(0).at_most(1);
  table.add(section + ".send_seed", &r.send_seed, "", "openai: send a seed");
  table.add(section + ".reasoning_effort", &r.reasoning_effort, "", "openai: empty: not sent");
  table.add_choice<judge::PrincipleUse>(section + ".principle_use", &r.principle_use,
                                        {{"sample", judge::PrincipleUse::sample}, {"all", judge::PrincipleUse::all}},
                                        "local, openai, anthropic: one principle drawn a pair, or all of them");
  table.add(section + ".cache_prompt", &r.cache_prompt, "",
            "anthropic: mark the conversation's constant beginning for the server's cache");
  table.does_not_decide_results(section + ".cache_prompt");
  table
      .add(section + ".context_tokens", &r.context_tokens, "tokens",
           who + "longer comparisons are not asked; 0: the server decides")
      .at_least(0);
  table.add(section + ".concurrency", &r.http.concurrency, "requests", who + "in flight, a rank")
      .at_least(1)
      .at_most(4096);
  table
      .add(section + ".requests_per_minute", &r.http.requests_per_minute, "requests",
           who + "over all ranks; 0: no limit")
      .at_least(0);
  table.add(section + ".tokens_per_minute", &r.http.tokens_per_minute, "tokens", who + "over all ranks; 0: no limit")
      .at_least(0);
  table.add(section + ".max_retries", &r.http.max_retries, "", who + "of one request").at_least(0);
  table.add(section + ".attempt_seconds", &r.http.attempt_seconds, "seconds", who + "longest attempt")
      .above(0)
      .below(1e6);
  table.add(section + ".total_seconds", &r.http.total_seconds, "seconds", who + "a request with all its attempts")
      .above(0)
      .below(1e6);
  for (const char* key :
       {"concurrency", "requests_per_minute", "tokens_per_minute", "max_retries", "attempt_seconds", "total_seconds"}) {
    table.does_not_decide_results(section + "." + key);
  }
  table.add_input(section + ".verdicts", &o.verdicts, "", "replay: recorded verdicts, JSON Lines");
  table.add(section + ".recorded_judge", &o.recorded_judge, "", "replay: whose");
  table.add(section + ".recorded_style", &o.recorded_style, "", "replay: of which style");
}

void bind_combined_judge(OptionTable& table, const std::string& section, JudgeOptions& o) {
  table.add(section + ".members", &o.members, "",
            "ensemble, cascade, hierarchy: names of judges; a cascade's from cheap to dear, a hierarchy's first the "
            "one to be obeyed first");
  table.add_choice<judge::Vote>(
      section + ".vote", &o.ensemble.vote,
      {{"majority", judge::Vote::majority},
       {"mean", judge::Vote::mean},
       {"weighted", judge::Vote::weighted},
       {"dawid_skene", judge::Vote::dawid_skene}},
      "ensemble: share of votes, mean of P(first), or by the calibration: weighted log-odds, confusion matrices");
  table
      .add(section + ".least_members", &o.ensemble.least_members, "members",
           "ensemble: with a verdict, for there to be one; 0: more than half")
      .at_least(0);
  table.add(
      section + ".thresholds", &o.thresholds, "",
      "cascade: confidence from which a member's verdict stands, for each but the last; empty: the calibration's");
  table
      .add(section + ".gate", &o.gate, "",
           "hierarchy: confidence from which a level decides; a tie or less passes to the next, no verdict ends it")
      .at_least(0.5)
      .at_most(1);
  table.add_input(section + ".calibration", &o.calibration, "",
                  "what `rlaif calibrate` found out about this judge and its members");
  table.add(section + ".length_correction", &o.length_correction, "",
            "take the preference for length that the calibration found off the log-odds");
}

}  // namespace

void bind_judge(OptionTable& table, JudgeOptions& o) {
  const std::string section = "judge." + o.name;
  table.add_choice<JudgeKind>(
      section + ".kind", &o.kind,
      {{"local", JudgeKind::local},
       {"annotators", JudgeKind::annotators},
       {"rules", JudgeKind::rules},
       {"openai", JudgeKind::openai},
       {"anthropic", JudgeKind::anthropic},
       {"replay", JudgeKind::replay},
       {"ensemble", JudgeKind::ensemble},
       {"cascade", JudgeKind::cascade},
       {"hierarchy", JudgeKind::hierarchy}},
      "a model in this process, simulated people, a file of rules, a server that speaks "
      "OpenAI's chat completions or Anthropic's messages, recorded verdicts, or other judges combined");
  table.add(section + ".model", &o.model, "",
            "local: a model of the run (one of study.judge_models, sft), or policy: the one whose responses are "
            "judged; openai, anthropic: the model's name");
  table.add_input(
      section + ".template", &o.prompt_template, "judge_rationale_first.txt",
      "local: prompt template; for chat models those of judge_templates/ (zero_shot, few_shot, chain_of_thought, "
      "each also with _constitution)");
  table.add_input(section + ".principles", &o.principles, "principles.txt",
                  "local, openai, anthropic: principles, one a line or a constitution such as constitution.json");
  table
      .add(section + ".level", &o.level, "",
           "local, openai, anthropic: principles of this level alone (1 to 3); 0: all")
      .at_least(0)
      .at_most(judge::Constitution::levels);
  table.add_input(section + ".rules", &o.rules, "rules_brief.json", "rules: the file");
  table.add(section + ".price", &o.price, "", "name in the price table");
  table.add_choice<judge::Orders>(section + ".orders", &o.local.orders,
                                  {{"both", judge::Orders::both}, {"first_only", judge::Orders::first_only}},
                                  "orders asked and averaged");
  bind_combined_judge(table, section, o);
  bind_remote_judge(table, section, o);
  table.add(section + ".max_rationale_tokens", &o.local.max_rationale_tokens, "tokens", "local: longest rationale")
      .at_least(1);
  table.add(section + ".label_clamp_low", &o.local.label_clamp_low, "", "local: soft labels are not below")
      .at_least(0)
      .at_most(1);
  table.add(section + ".label_clamp_high", &o.local.label_clamp_high, "", "local: soft labels are not above")
      .at_least(0)
      .at_most(1);
  table.add(section + ".slots", &o.local.slots, "sequences", "local: judged together").at_least(1);
  table.add(section + ".people", &o.annotators.people, "people", "annotators: how many").at_least(1);
  table
      .add(section + ".utility_noise", &o.annotators.utility_noise, "",
           "annotators: deviation of noise on the utility difference")
      .at_least(0);
  table
      .add(section + ".length_weight", &o.annotators.length_weight, "1/word",
           "annotators: deviation over people of their taste for length")
      .at_least(0);
  table.add(section + ".flip_rate", &o.annotators.flip_rate, "", "annotators: share of labels turned round")
      .at_least(0)
      .at_most(1);
}

}  // namespace rlaif::study
