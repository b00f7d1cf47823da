// Policies, judges and reward models against the study's yardstick on held-out prompts and pairs.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "planning.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/evaluate/statistics.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/run/blocks.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/stages/judge_facts.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/prompt_room.hpp"
#include "rlaif/text/jsonl.hpp"
#include "rlaif/train/reward.hpp"

namespace rlaif::stages {
namespace {

// Numbers of draws, summed by prompt: a prompt that was drawn twice is one group of the bootstrap.
class ByPrompt {
 public:
  void add(const std::string& prompt, double value, double weight = 1.0) {
    auto& [sum, count] = groups_[prompt];
    sum += value * weight;
    count += weight;
  }
  evaluate::Interval mean(std::uint64_t seed, int resamples) const {
    std::vector<double> sums, counts;
    for (const auto& [prompt, group] : groups_) {
      sums.push_back(group.first);
      counts.push_back(group.second);
    }
    return evaluate::bootstrap_ratio(sums, counts, seed, resamples);
  }

 private:
  std::map<std::string, std::pair<double, double>> groups_;
};

// Scored samples of one policy: rows are draws of prompts, the same for every policy.
struct PolicySamples {
  std::vector<Json> lines;                     // what evaluation/<name>.jsonl holds
  std::vector<std::string> prompts;            // of the draws that have gold utilities
  std::vector<std::vector<double>> utilities;  // of those draws, by sample
  std::map<std::string, ByPrompt> numbers;     // "helpful", ..., "kl" (nats a response), "length" (tokens), "utility"
};

struct BlockJob {
  const Context& context;
  const Language& language;
  const model::Transformer& policy;
  const model::Transformer& reference;
  generate::Engine engine;
  std::uint64_t sampling_seed;
};

// Sum of a response's log-probabilities under the reference, for every response in order, after the prompt that
// `prompt_of` names for the request.
std::vector<double> reference_log_probs(
    const BlockJob& job, const std::vector<std::vector<generate::Generated>>& generated,
    const std::function<const std::vector<TokenId>&(std::size_t request)>& prompt_of) {
  std::vector<ScoredSequence> sequences;
  for (std::size_t r = 0; r < generated.size(); ++r) {
    for (const generate::Generated& one : generated[r]) {
      ScoredSequence sequence{prompt_of(r), one.tokens};
      if (one.ended) sequence.completion.push_back(one.end_token);
      sequences.push_back(std::move(sequence));
    }
  }
  std::vector<double> sums;
  for (const auto& log_probs :
       completion_log_probs(job.reference, sequences, job.context.options.evaluate.temperature)) {
    sums.push_back(std::accumulate(log_probs.begin(), log_probs.end(), 0.0));
  }
  return sums;
}

// What the reference model says of a response: nats by which the policy likes it more, and nats a token by which it fits
// its own question better than another one (pointwise mutual information, where asked for).
struct ReferenceView {
  std::vector<double> kl, specificity;
};

ReferenceView reference_view(const BlockJob& job, const std::vector<generate::GenerationRequest>& requests,
                             const std::vector<std::vector<generate::Generated>>& generated) {
  ReferenceView view;
  const bool specificity = job.context.options.evaluate.specificity;
  std::vector<double> policy;
  for (const auto& samples : generated) {
    for (const generate::Generated& one : samples) {
      policy.push_back(std::accumulate(one.log_probs.begin(), one.log_probs.end(), 0.0));
    }
  }
  const bool same = &job.policy == &job.reference;  // then the engine has already said it
  const std::vector<double> own =
      same ? policy : reference_log_probs(job, generated, [&](std::size_t r) -> const auto& {
        return requests[r].prompt_tokens;
      });
  for (std::size_t s = 0; s < own.size(); ++s) view.kl.push_back(policy[s] - own[s]);
  if (!specificity) return view;
  // The other question is the block's next one with another text.
  const auto other_of = [&](std::size_t r) -> const auto& {
    for (std::size_t step = 1; step < requests.size(); ++step) {
      const auto& tokens = requests[(r + step) % requests.size()].prompt_tokens;
      if (tokens != requests[r].prompt_tokens) return tokens;
    }
    return requests[r].prompt_tokens;
  };
  const std::vector<double> other = reference_log_probs(job, generated, other_of);
  for (std::size_t s = 0; s < own.size(); ++s) view.specificity.push_back(own[s] - other[s]);
  return view;
}

Json sample_line(const BlockJob& job, const Prompt& prompt, const std::vector<generate::Generated>& generated,
                 const ReferenceView& view, std::size_t first) {
  Json line;
  line["prompt_id"] = prompt.id & 0xffffffffull;
  line["family"] = prompt.family;
  line["prompt"] = prompt.text;
  line["samples"] = Json::array();
  for (std::size_t k = 0; k < generated.size(); ++k) {
    const Completion completion{
        generated[k].sample, job.language.tokenizer.decode_text(generated[k].tokens), {}, {}, generated[k].ended};
    Json sample;
    sample["response"] = completion.text;
    sample["ended"] = completion.ended;
    sample["tokens"] = generated[k].tokens.size() + (completion.ended ? 1 : 0);
    sample["kl"] = view.kl[first + k];
    if (!view.specificity.empty()) {
      sample["specificity"] = view.specificity[first + k] / std::max(1.0, sample["tokens"].get<double>());
    }
    if (const auto grade = job.context.task.grade(prompt, completion)) {
      sample["utility"] = grade->score;
      for (const auto& [name, mark] : grade->marks) sample[name] = mark;
    }
    line["samples"].push_back(sample);
  }
  return line;
}

std::vector<Json> evaluate_block(BlockJob& job, std::int64_t begin, std::int64_t end) {
  const EvaluateOptions& options = job.context.options.evaluate;
  std::vector<Prompt> prompts;
  std::vector<generate::GenerationRequest> requests;
  for (std::int64_t item = begin; item < end; ++item) {
    Prompt prompt = job.context.task.draw(Task::Purpose::evaluate, Split::heldout, job.context.options.run.seed, item);
    std::vector<TokenId> tokens = job.language.chat.prompt(prompt.text);
    if (static_cast<std::int64_t>(tokens.size()) > longest_prompt(job.policy, options.max_new_tokens)) continue;
    generate::GenerationRequest request{std::move(tokens), prompt.id, {}};
    for (int k = 0; k < options.samples; ++k) request.samples.push_back(static_cast<std::uint32_t>(k));
    requests.push_back(std::move(request));
    prompts.push_back(std::move(prompt));
  }
  const auto generated = job.engine.generate(requests, {options.temperature, 0, 1.0, options.max_new_tokens,
                                                        job.policy.config().end_tokens.ids(), job.sampling_seed});
  const ReferenceView view = reference_view(job, requests, generated);
  std::vector<Json> lines;
  std::size_t at = 0;
  for (std::size_t r = 0; r < requests.size(); ++r) {
    lines.push_back(sample_line(job, prompts[r], generated[r], view, at));
    at += generated[r].size();
  }
  return lines;
}

void add_to_samples(PolicySamples& samples, const Json& line, const std::vector<std::string>& marks) {
  const auto prompt = line["prompt"].get<std::string>();
  std::vector<double> utilities;
  for (const Json& sample : line["samples"]) {
    samples.numbers["kl"].add(prompt, sample["kl"].get<double>());
    samples.numbers["length"].add(prompt, sample["tokens"].get<double>());
    samples.numbers["ended"].add(prompt, sample["ended"].get<bool>());
    for (const std::string& mark : marks) {
      if (sample.contains(mark)) samples.numbers[mark].add(prompt, sample[mark].get<bool>());
    }
    if (sample.contains("specificity")) {
      const double nats = sample["specificity"].get<double>();
      samples.numbers["specificity"].add(prompt, nats);
      samples.numbers["specific"].add(prompt, nats > 0.0 ? 1.0 : nats < 0.0 ? 0.0 : 0.5);
    }
    if (!sample.contains("utility")) continue;
    utilities.push_back(sample["utility"].get<double>());
    samples.numbers["utility"].add(prompt, utilities.back());
  }
  if (utilities.empty()) return;
  samples.prompts.push_back(prompt);
  samples.utilities.push_back(std::move(utilities));
}

// Collective; the result is whole on the root only.
PolicySamples sample_policy(const Context& context, const Language& language, const std::string& name,
                            const model::Transformer& policy, const model::Transformer& reference,
                            std::uint64_t sampling_seed) {
  const EvaluateOptions& options = context.options.evaluate;
  require_a_prompt_that_fits(
      context, language, policy, "evaluate", "evaluate.max_new_tokens", options.max_new_tokens, options.prompts,
      [&](std::int64_t item) {
        return context.task.draw(Task::Purpose::evaluate, Split::heldout, context.options.run.seed, item).text;
      });
  BlockJob job{context, language, policy, reference, generate::Engine(policy, {options.slots, 1024}), sampling_seed};
  PolicySamples samples;
  samples.lines = work_by_blocks(context.comm,
                                 {"evaluate " + name, options.prompts, options.block,
                                  context.directory.checkpoints("evaluate") / name, context.stop_requested},
                                 [&](std::int64_t begin, std::int64_t end) { return evaluate_block(job, begin, end); });
  const std::vector<std::string> marks = context.task.mark_names();
  for (const Json& line : samples.lines) add_to_samples(samples, line, marks);
  return samples;
}

void write_samples(const Context& context, const std::string& name, const PolicySamples& samples) {
  std::string text;
  for (const Json& line : samples.lines) text += text::to_json_line(line) + "\n";
  write_file_atomic(context.directory.evaluation(name), text);
}

Json policy_facts(const PolicySamples& samples, const std::vector<std::string>& marks, std::uint64_t seed,
                  int resamples) {
  Json facts;
  std::vector<std::string> names = marks;
  for (const char* name : {"ended", "utility", "kl", "length", "specific", "specificity"}) names.emplace_back(name);
  for (const std::string& name : names) {
    const auto found = samples.numbers.find(name);
    if (found == samples.numbers.end()) continue;
    const evaluate::Interval interval = found->second.mean(seed, resamples);
    facts[name] = interval.value;
    facts[name + "_low"] = interval.low;
    facts[name + "_high"] = interval.high;
  }
  return facts;
}

// Win rate of a over b: all pairs of the samples of a draw, ties half; interval by prompt.
evaluate::Interval policy_win_rate(const PolicySamples& a, const PolicySamples& b, std::uint64_t seed, int resamples) {
  ByPrompt wins;
  for (std::size_t draw = 0; draw < a.utilities.size(); ++draw) {
    wins.add(a.prompts[draw], evaluate::win_share(a.utilities[draw], b.utilities[draw]));
  }
  return wins.mean(seed, resamples);
}

Json interval_facts(const evaluate::Interval& interval, const char* name) {
  Json facts;
  facts[name] = interval.value;
  facts["ci_low"] = interval.low;
  facts["ci_high"] = interval.high;
  return facts;
}

// Share of held-out pairs on which a reward model prefers the side that gold does, and the side its labels do.
Json reward_facts(const Context& context, const Language& language, const model::Transformer& base,
                  const ArmOptions& arm, const std::vector<Preference>& heldout) {
  const model::ScalarModel reward = load_run_reward(context, "reward-" + labels_of(arm), base);
  std::vector<std::vector<TokenId>> sequences;
  for (const Preference& record : heldout) {
    const std::vector<TokenId> prompt = language.chat.prompt(record.comparison.prompt.text);
    sequences.push_back(reward_tokens(language, prompt, record.comparison.first));
    sequences.push_back(reward_tokens(language, prompt, record.comparison.second));
  }
  const std::vector<double> scores = train::score_sequences(reward, sequences);
  std::vector<double> sides, golds, label_sides, labels;
  for (std::size_t i = 0; i < heldout.size(); ++i) {
    const double side = scores[2 * i] > scores[2 * i + 1] ? 1.0 : scores[2 * i] < scores[2 * i + 1] ? 0.0 : 0.5;
    const double gold = gold_side(context, heldout[i].comparison);
    if (std::isfinite(gold) && gold != 0.5) {
      sides.push_back(side);
      golds.push_back(gold);
    }
    if (heldout[i].verdict.status == VerdictStatus::ok) {
      label_sides.push_back(side);
      labels.push_back(heldout[i].verdict.p_first);
    }
  }
  Json facts;
  facts["gold_accuracy"] = evaluate::agreement(sides, golds);
  facts["label_accuracy"] = evaluate::agreement(label_sides, labels);
  return facts;
}

// Where an arm learns from some of its judge's labels: how many, and what they cost.
void keep_first_labels(std::int64_t most, const std::vector<Preference>& training, Json& facts) {
  if (most == 0) return;
  std::int64_t labels = 0;
  double usd = 0.0;
  for (const Preference& record : training) {
    if (labels == most) break;
    labels += record.verdict.status == VerdictStatus::ok;
    usd += record.verdict.usage.cost_usd;
  }
  facts["labels"] = labels;
  facts["cost_usd"] = std::round(usd * 1e6) / 1e6;
}

// Judges and reward models, on the root: the held-out pairs are few. "judges" are those of the first pairs; "labels" what
// each arm's judge did on the pairs that the arm learns from.
Json preference_facts(const Context& context, const Language& language, const model::Transformer& sft) {
  const StudyOptions& options = context.options;
  Json facts;
  for (const DataSet& set : data_sets(options)) {
    if (set.kind != DataKind::preferences) continue;
    JudgedPairs pairs;
    context.comm.agree([&] { pairs = read_judged_pairs(context, set); });
    const Json judges = judges_facts(context, set, pairs);
    if (set.name.empty()) facts["judges"] = judges;
    for (const ArmOptions& arm : options.arms) {
      if (!set.feeds(arm)) continue;
      facts["labels"][arm.name] = judges[arm.judge];
      keep_first_labels(options.reward.labels, pairs.training.at(arm.judge), facts["labels"][arm.name]);
      const model::Transformer base =
          arm.start == first_policy ? sft.share() : load_policy(context, arm.start, sft, language);
      if (!algorithm_of(arm).trains_reward_model()) continue;
      facts["reward_model"][arm.name] = reward_facts(context, language, base, arm, pairs.heldout.at(arm.judge));
    }
  }
  return facts;
}

// What the arm's judge did on the pairs that it learns from; empty for one that learns from something else.
Json labels_facts(const Json& judged, const ArmOptions& arm) {
  return judged.value("labels", Json::object()).value(arm.name, Json::object());
}

// Round by round: who judged it and how well, and what it came to against the last one.
Json rounds_facts(const StudyOptions& options, const Json& judged,
                  const std::function<Json(const std::string&, const std::string&)>& versus) {
  Json rounds = Json::array();
  for (const ArmOptions& arm : options.arms) {
    if (!arm.is_round) continue;
    Json row = versus(arm.name, arm.start);
    row["round"] = arm.name;
    row["start"] = arm.start;
    row["judge"] = arm.judge;
    const Json labels = labels_facts(judged, arm);
    for (const char* key : {"gold_agreement", "gold_agreement_low", "gold_agreement_high", "same_position_rate"}) {
      if (labels.contains(key)) row[key] = labels[key];
    }
    if (judged.value("reward_model", Json::object()).contains(arm.name))
      row["reward_gold_accuracy"] = judged["reward_model"][arm.name]["gold_accuracy"];
    rounds.push_back(row);
  }
  return rounds;
}

Json run(const Context& context) {
  const StudyOptions& options = context.options;
  const auto language = load_language(context);
  const model::Transformer sft = load_run_model(context, "sft", *language);
  const std::uint64_t seed = options.run.seed;
  const int resamples = options.evaluate.resamples;

  std::map<std::string, PolicySamples> samples;
  samples["sft"] = sample_policy(context, *language, "sft", sft, sft, seed);
  samples["sft-again"] = sample_policy(context, *language, "sft-again", sft, sft, seed + 0x5eed);
  for (const ArmOptions& arm : options.arms) {
    const model::Transformer policy = load_policy(context, arm.name, sft, *language);
    samples[arm.name] = sample_policy(context, *language, arm.name, policy, sft, seed);
  }
  const Json judged = preference_facts(context, *language, sft);

  Json facts;
  context.comm.on_root([&] {
    if (samples["sft"].utilities.empty()) {
      throw input_error(
          "evaluate: no held-out prompt has a gold utility or fits the context; at least one was expected");
    }
    const std::vector<std::string> marks = context.task.mark_names();
    facts["yardstick"] = context.task.yardstick();
    facts["marks"] = marks;
    for (const auto& [name, one] : samples) write_samples(context, name, one);
    const auto versus = [&](const std::string& a, const std::string& b) {
      return policy_win_rate(samples[a], samples[b], seed, resamples);
    };
    facts["arms"]["sft"] = policy_facts(samples["sft"], marks, seed, resamples);
    for (const ArmOptions& arm : options.arms) {
      Json row = interval_facts(versus(arm.name, "sft"), "win_rate_vs_sft");
      row.update(policy_facts(samples[arm.name], marks, seed, resamples));
      row["algorithm"] = arm.algorithm;
      row["start"] = arm.start;
      if (!arm.data.empty()) row["data"] = arm.data;
      if (const Json labels = labels_facts(judged, arm); !labels.empty()) {
        row["judge"] = arm.judge;
        row["labels"] = labels["labels"];
        row["cost_usd"] = labels["cost_usd"];
      }
      facts["arms"][arm.name] = row;
    }
    facts["sft_against_itself"] = interval_facts(versus("sft-again", "sft"), "win_rate");
    for (std::size_t i = 0; i < options.arms.size(); ++i) {
      for (std::size_t j = i + 1; j < options.arms.size(); ++j) {
        const std::string &a = options.arms[i].name, &b = options.arms[j].name;
        facts["head_to_head"][a + "_vs_" + b] = interval_facts(versus(a, b), "win_rate");
      }
    }
    for (const JudgeOptions& judge : options.judges) {
      if (judge.kind != JudgeKind::local && !is_combined(judge.kind)) continue;
      facts["judge"] = judged["judges"][judge.name];
      facts["judge"]["name"] = judge.name;
      break;
    }
    facts["judges"] = judged["judges"];
    facts["reward_model"] = judged.value("reward_model", Json::object());
    const Json rounds = rounds_facts(options, judged, [&](const auto& a, const auto& b) {
      return interval_facts(versus(a, b), "win_rate_vs_start");
    });
    if (!rounds.empty()) facts["rounds"] = rounds;
  });
  return facts;
}

run::Needs evaluate_needs(const StudyOptions& options, int ranks) {
  const Sizes sizes(options, ranks);
  const EvaluateOptions& e = options.evaluate;
  const double length = sizes.prompt_length() + e.max_new_tokens;
  run::Needs needs;
  add_part(needs, "base: weights", sizes.weight_bytes(sizes.weights));
  add_part(needs, "cache", sizes.cache_bytes(e.slots, length));
  add_part(needs, "logits", sizes.logits_bytes(e.slots));
  double policy = 0.0;  // the largest: one is there at a time
  for (const ArmOptions& arm : options.arms) {
    const LowRankOptions adapter = algorithm_of(arm).policy_adapter();
    policy = std::max(policy, adapter.rank > 0 ? sizes.adapter(adapter).touched_weights : sizes.weights);
  }
  add_part(needs, "policy: weights", sizes.weight_bytes(policy));
  const double policies = static_cast<double>(options.arms.size()) + 2.0;
  const double responses = policies * static_cast<double>(e.prompts) * e.samples;
  needs.generated_tokens = responses * e.max_new_tokens;
  needs.flops = 2.0 * sizes.weights * (needs.generated_tokens + responses * length * (e.specificity ? 2.0 : 1.0));
  return needs;
}

}  // namespace

void plan_evaluate(StagePlan& plan, const Study& study) {
  const StudyOptions& options = study.options;
  run::Stage stage{.name = "evaluate",
                   .kind = "evaluate",
                   .of = "",
                   .command = "evaluate",
                   .size = count_text(options.evaluate.prompts, "prompts x ") +
                           count_text(options.evaluate.samples, "responses of ") +
                           count_text(static_cast<std::int64_t>(options.arms.size()) + 2, "policies"),
                   .reads = {tokenizer_file, "models", "preferences"},
                   .makes = {"evaluation"},
                   .needs = [&options](int ranks) { return evaluate_needs(options, ranks); },
                   .run = in_study(study, [](const Context& context) {
                     Json facts;
                     facts["results"] = run(context);
                     return facts;
                   })};
  plan.add(std::move(stage));
}

void bind_evaluate(OptionTable& table, EvaluateOptions& o) {
  table.add("evaluate.prompts", &o.prompts, "prompts", "held-out ones, drawn with the families' weights")
      .at_least(1)
      .at_most(most_items);
  table.add("evaluate.samples", &o.samples, "responses", "a prompt").at_least(1);
  table.add("evaluate.temperature", &o.temperature, "", "of sampling").at_least(0);
  table.add("evaluate.block", &o.block, "prompts", "a block of work").at_least(1).at_most(most_items);
  table.add("evaluate.max_new_tokens", &o.max_new_tokens, "tokens", "longest response").at_least(1);
  table.add("evaluate.slots", &o.slots, "sequences", "decoded together").at_least(1);
  table.add("evaluate.resamples", &o.resamples, "", "of the bootstrap over prompts").at_least(1);
  table.add("evaluate.specificity", &o.specificity, "",
            "also ask the SFT model whether a response fits its own question better than another one");
}

}  // namespace rlaif::stages
