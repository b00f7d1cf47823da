#include "sampling.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "rlaif/core/files.hpp"
#include "rlaif/core/ids.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/run/blocks.hpp"
#include "rlaif/study/prompt_room.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::stages {
namespace {

struct BlockJob {
  const Context& context;
  const EvaluateOptions& options;
  const Language& language;
  const model::Transformer& policy;
  const model::Transformer& reference;
  generate::Engine engine;
  std::uint64_t sampling_seed, prompt_seed;
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
  for (const auto& log_probs : completion_log_probs(job.reference, sequences, job.options.temperature)) {
    sums.push_back(std::accumulate(log_probs.begin(), log_probs.end(), 0.0));
  }
  return sums;
}

// What the reference model says of a response: nats by which the policy likes it more, and nats a token by which it
// fits its own question better than another one (pointwise mutual information, where asked for).
struct ReferenceView {
  std::vector<double> kl, specificity;
};

ReferenceView reference_view(const BlockJob& job, const std::vector<generate::GenerationRequest>& requests,
                             const std::vector<std::vector<generate::Generated>>& generated) {
  ReferenceView view;
  const bool specificity = job.options.specificity;
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
  line["prompt_id"] = prompt_item(prompt.id);
  line["family"] = prompt.family;
  line["prompt"] = text::prompt_json(prompt);
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
  const EvaluateOptions& options = job.options;
  std::vector<Prompt> prompts;
  std::vector<generate::GenerationRequest> requests;
  for (std::int64_t item = begin; item < end; ++item) {
    Prompt prompt = job.context.task.draw(Task::Purpose::evaluate, Split::heldout, job.prompt_seed, item);
    std::vector<TokenId> tokens = job.language.chat.prompt(prompt);
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

void add_to_samples(PolicySamples& samples, const Json& line, const std::vector<Mark>& marks) {
  const std::string prompt = prompt_key(line);
  std::vector<double> utilities;
  for (const Json& sample : line["samples"]) {
    samples.numbers["kl"].add(prompt, sample["kl"].get<double>());
    samples.numbers["length"].add(prompt, sample["tokens"].get<double>());
    samples.numbers["ended"].add(prompt, sample["ended"].get<bool>());
    for (const Mark& mark : marks) {
      if (sample.contains(mark.name)) samples.numbers[mark.name].add(prompt, sample[mark.name].get<bool>());
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

}  // namespace

std::string prompt_key(const Json& line) {
  const Json& prompt = line["prompt"];
  return prompt.is_string() ? prompt.get<std::string>() : text::to_json_line(prompt);
}

void ByPrompt::add(const std::string& prompt, double value, double weight) {
  auto& [sum, count] = groups_[prompt];
  sum += value * weight;
  count += weight;
}

evaluate::Interval ByPrompt::mean(std::uint64_t seed, int resamples) const {
  std::vector<double> sums, counts;
  for (const auto& [prompt, group] : groups_) {
    sums.push_back(group.first);
    counts.push_back(group.second);
  }
  return evaluate::bootstrap_ratio(sums, counts, seed, resamples);
}

HeldoutDraws evaluation_draws(const Context& context) {
  return {"evaluate", context.study.run.seed, context.directory.evaluation("sft").parent_path()};
}

PolicySamples sample_policy(const Context& context, const EvaluateOptions& options, const Language& language,
                            const HeldoutDraws& draws, const std::string& name, const model::Transformer& policy,
                            const model::Transformer& reference, std::uint64_t sampling_seed) {
  require_a_prompt_that_fits(context, language, policy, draws.stage, "evaluate.max_new_tokens", options.max_new_tokens,
                             options.prompts, [&](std::int64_t item) {
                               return context.task.draw(Task::Purpose::evaluate, Split::heldout, draws.prompt_seed,
                                                        item);
                             });
  BlockJob job{context,       options,          language,
               policy,        reference,        generate::Engine(policy, {options.slots, 1024}),
               sampling_seed, draws.prompt_seed};
  PolicySamples samples;
  samples.lines = work_by_blocks(context.comm,
                                 {draws.stage + " " + name, options.prompts, options.block,
                                  context.directory.checkpoints(draws.stage) / name, context.stop_requested},
                                 [&](std::int64_t begin, std::int64_t end) { return evaluate_block(job, begin, end); });
  const std::vector<Mark> marks = context.task.marks();
  for (const Json& line : samples.lines) add_to_samples(samples, line, marks);
  return samples;
}

void write_samples(const HeldoutDraws& draws, const std::string& name, const std::vector<Json>& lines) {
  std::string text;
  for (const Json& line : lines) text += text::to_json_line(line) + "\n";
  make_folders(draws.folder);
  write_file_atomic(draws.folder / (name + ".jsonl"), text);
}

evaluate::Interval policy_win_rate(const PolicySamples& a, const PolicySamples& b, std::uint64_t seed, int resamples) {
  ByPrompt wins;
  for (std::size_t draw = 0; draw < a.utilities.size(); ++draw) {
    wins.add(a.prompts[draw], evaluate::win_share(a.utilities[draw], b.utilities[draw]));
  }
  return wins.mean(seed, resamples);
}

}  // namespace rlaif::stages
