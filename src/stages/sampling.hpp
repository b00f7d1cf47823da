// Responses of a policy to held-out prompts, scored: what every table about policies is made from.
//   const PolicySamples samples = sample_policy(context, options, language, evaluation_draws(context), "rlaif", policy, sft, seed);
//   policy_win_rate(samples, others, seed, 2000);   // by gold, with its interval
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/evaluate/statistics.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/context.hpp"

namespace rlaif::stages {

// Numbers of draws, summed by prompt: a prompt that was drawn twice is one group of the bootstrap.
class ByPrompt {
 public:
  void add(const std::string& prompt, double value, double weight = 1.0);
  evaluate::Interval mean(std::uint64_t seed, int resamples) const;

 private:
  std::map<std::string, std::pair<double, double>> groups_;
};

// What groups the draws of a prompt: its text, or of a conversation its turns as they stand in the line.
std::string prompt_key(const Json& line);

// Scored samples of one policy: rows are draws of prompts, the same for every policy.
struct PolicySamples {
  std::vector<Json> lines;                     // what evaluation/<name>.jsonl holds
  std::vector<std::string> prompts;            // of the draws that have gold utilities
  std::vector<std::vector<double>> utilities;  // of those draws, by sample
  std::map<std::string, ByPrompt> numbers;     // "helpful", ..., "kl" (nats a response), "length" (tokens), "utility"
};

// Which held-out prompts are drawn, and where their samples are kept.
struct HeldoutDraws {
  std::string stage;              // of checkpoints and messages
  std::uint64_t prompt_seed = 0;  // of the draw of prompts
  std::filesystem::path folder;   // <policy>.jsonl
};
// Those of the results.
HeldoutDraws evaluation_draws(const Context& context);

// `reference`: whose log-probabilities KL is taken to. Collective; the result is whole on the root only. Throws
// Error(input) where no prompt fits the context.
PolicySamples sample_policy(const Context& context, const EvaluateOptions& options, const Language& language,
                            const HeldoutDraws& draws, const std::string& name, const model::Transformer& policy,
                            const model::Transformer& reference, std::uint64_t sampling_seed);
void write_samples(const HeldoutDraws& draws, const std::string& name, const std::vector<Json>& lines);

// evaluate.best_of_n responses of sft to every held-out prompt that the yardstick knows, as every reward model over sft
// scores them. A line a prompt: prompt_id, prompt, samples, each with utility, tokens, ended and scores, by the labels
// that the reward model learned from. Collective; whole on the root only. Nothing where the deck asks for none or no
// reward model is there.
std::vector<Json> sample_best_of_n(const Context& context, const EvaluateOptions& options, const Language& language,
                                   const model::Transformer& sft);

// Win rate of a over b: all pairs of the samples of a draw, ties half; interval by prompt.
evaluate::Interval policy_win_rate(const PolicySamples& a, const PolicySamples& b, std::uint64_t seed, int resamples);

}  // namespace rlaif::stages
