// Tiny models, folders and tasks for the tests of train, unit and MPI.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/train/dpo.hpp"
#include "rlaif/train/kto.hpp"
#include "rlaif/train/language_model.hpp"
#include "rlaif/train/online_dpo.hpp"
#include "rlaif/train/policy_gradient.hpp"
#include "rlaif/train/reward.hpp"
#include "support/rounding.hpp"

namespace rlaif::train::test {

inline constexpr TokenId kEnd = 1;
inline constexpr TokenId kBegin = 2;
inline constexpr TokenId kWanted = 5;
inline constexpr std::int64_t kVocabulary = 12;

inline model::Transformer tiny_model(std::uint64_t seed) {
  model::ModelConfig config;
  config.vocab_size = kVocabulary;
  config.hidden_size = 16;
  config.num_layers = 2;
  config.num_heads = 2;
  config.num_kv_heads = 1;
  config.head_dim = 8;
  config.intermediate_size = 24;
  config.max_positions = 24;
  config.end_tokens = EndTokens({kEnd});
  model::Transformer model(config);
  model.initialize(seed);
  return model;
}

// Of numbers of about `size` that come from the tiny model's outputs, and from its gradients over `rows`, found in two
// ways.
inline double allowed_forward(double size) {
  return 2.0 * size * rounding::of_forward(rounding::decoder_of(tiny_model(1).config(), 24));
}
inline double allowed_backward(double size, double rows) {
  return 2.0 * size * rounding::of_backward(rounding::decoder_of(tiny_model(1).config(), 24), rows);
}

// A folder that is gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    static int count = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("rlaif-train-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline StageRun stage_run(const comm::Communicator& comm, const std::filesystem::path& folder) {
  StageRun run;
  run.comm = &comm;
  run.name = "stage";
  run.checkpoint_folder = folder / "checkpoints";
  run.metrics_file = folder / "stage.jsonl";
  run.checkpoint_every_steps = 0;
  return run;
}

inline std::string bytes_of(const std::vector<model::NamedTensor>& tensors) {
  std::string bytes;
  for (const auto& [name, tensor] : tensors) {
    const auto whole = tensor.detach().contiguous();
    bytes += name + " ";
    bytes.append(static_cast<const char*>(whole.data_ptr()), whole.nbytes());
  }
  return bytes;
}

inline std::vector<Json> metrics_lines(const StageRun& run) {
  std::vector<Json> lines;
  const std::string text = read_file(run.metrics_file);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(Json::parse(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return lines;
}

// What a finished stage leaves: parameters and metrics, as bytes.
struct Outcome {
  std::string parameters, metrics;
  bool operator==(const Outcome&) const = default;
};

// Question a -> answer (a + 1) mod 8, in tokens 4..11; loss on the answer and the end only.
inline Example successor_example(std::int64_t index) {
  Rng rng(7, Stream::test, {static_cast<std::uint64_t>(index)});
  const auto a = static_cast<TokenId>(rng.below(8));
  return {{kBegin, 4 + a, 3, 4 + (a + 1) % 8, kEnd}, {0, 0, 0, 1, 0.5F}};
}

inline LanguageModelOptions language_model_options(std::int64_t steps) {
  LanguageModelOptions options;
  options.steps = steps;
  options.batch = 10;  // does not divide by 4 grains
  options.schedule = {1e-2, 3, 0.1};
  return options;
}

inline Outcome run_language_model(const StageRun& run, std::int64_t steps,
                                  const std::function<Example(std::int64_t)>& example = successor_example) {
  auto model = tiny_model(3);
  train_language_model(model, example, language_model_options(steps), run);
  return {bytes_of(model.parameters()), run.comm->is_root() ? read_file(run.metrics_file) : ""};
}

// Completions of random tokens 4..11, some with the wanted token; the one with more of it is better.
inline std::vector<TokenPair> wanted_token_pairs(std::size_t count, std::uint64_t seed, double confidence = 1.0) {
  std::vector<TokenPair> pairs;
  for (std::size_t i = 0; i < count; ++i) {
    Rng rng(seed, Stream::test, {i});
    TokenPair pair;
    const auto fill = [&](std::vector<TokenId>& tokens) {
      tokens = {kBegin};
      const auto length = 2 + rng.below(5);
      int wanted = 0;
      for (std::uint64_t t = 0; t < length; ++t) {
        tokens.push_back(static_cast<TokenId>(4 + rng.below(8)));
        if (tokens.back() == kWanted) ++wanted;
      }
      tokens.push_back(kEnd);
      return wanted > 0;
    };
    const bool first = fill(pair.first);
    const bool second = fill(pair.second);
    pair.p_first = first == second ? 0.5 : first ? confidence : 1.0 - confidence;
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

inline RewardOptions reward_options(int epochs) {
  RewardOptions options;
  options.epochs = epochs;
  options.batch = 6;
  options.schedule = {5e-3, 4, 0.1};
  options.head_learning_rate_scale = 2.0;
  options.seed = 11;
  return options;
}

inline Outcome run_reward_model(const StageRun& run, std::span<const TokenPair> pairs, int epochs) {
  auto model = model::ScalarModel::from_body(tiny_model(4), 8);
  train_reward_model(model, pairs, reward_options(epochs), run);
  std::string bytes = bytes_of(model.parameters());
  bytes += Json({model.offset, model.scale}).dump();
  return {bytes, run.comm->is_root() ? read_file(run.metrics_file) : ""};
}

// Two pairs a question, which share their first answer. Answers are random tokens 4..11, of which one with the wanted
// token is better; ties where neither or both have it.
inline std::vector<TokenPair> answer_pairs(std::size_t count, std::uint64_t seed, double confidence = 1.0) {
  constexpr std::int64_t prompt_length = 3;
  const auto answered = [&](std::uint64_t question, std::uint64_t sample) {
    Rng rng(seed, Stream::test, {question, sample});
    std::vector<TokenId> tokens = {kBegin, static_cast<TokenId>(4 + question % 8), 3};
    const auto length = 1 + rng.below(6);
    for (std::uint64_t t = 0; t < length; ++t) tokens.push_back(static_cast<TokenId>(4 + rng.below(8)));
    tokens.push_back(kEnd);
    return tokens;
  };
  const auto has_wanted = [&](const std::vector<TokenId>& tokens) {
    return std::find(tokens.begin() + prompt_length, tokens.end(), kWanted) != tokens.end();
  };
  std::vector<TokenPair> pairs;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t question = i / 2;
    TokenPair pair{answered(question, 0), answered(question, 1 + i % 2)};
    const bool first = has_wanted(pair.first), second = has_wanted(pair.second);
    pair.p_first = first == second ? 0.5 : first ? confidence : 1.0 - confidence;
    pair.prompt_id = 1 + question;
    pair.prompt_length = prompt_length;
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

inline DpoOptions dpo_options(int epochs) {
  DpoOptions options;
  options.epochs = epochs;
  options.batch = 6;
  options.schedule = {5e-3, 4, 0.1};
  options.seed = 13;
  return options;
}

// All weights, or an adapter of rank 4.
enum class Trained { all, adapter };

inline model::Transformer policy_from(const model::Transformer& start, Trained trained) {
  if (trained == Trained::all) return start.clone();
  model::Transformer policy = start.share();
  model::AdapterOptions adapter;
  adapter.rank = 4;
  policy.adapter = std::make_shared<model::Adapter>(start.config(), adapter, 1, start.device());
  return policy;
}

inline Outcome run_dpo(const StageRun& run, std::span<const TokenPair> pairs, const DpoOptions& options,
                       Trained trained = Trained::all) {
  const auto start = tiny_model(5);
  const auto reference = reference_log_probs(start, pairs, run);
  auto policy = policy_from(start, trained);
  train_dpo(policy, reference, pairs, options, run);
  std::string bytes = bytes_of(policy.trainable_parameters());
  bytes.append(reinterpret_cast<const char*>(reference.data()), reference.size() * sizeof(AnswerLogProbs));
  return {bytes, run.comm->is_root() ? read_file(run.metrics_file) : ""};
}

inline KtoOptions kto_options(int epochs) {
  KtoOptions options;
  options.epochs = epochs;
  options.batch = 6;
  options.schedule = {5e-3, 4, 0.1};
  options.seed = 13;
  return options;
}

inline Outcome run_kto(const StageRun& run, std::span<const TokenPair> pairs, const KtoOptions& options,
                       Trained trained = Trained::all) {
  const auto start = tiny_model(5);
  const auto log_probs = reference_log_probs(start, pairs, run);
  auto policy = policy_from(start, trained);
  train_kto(policy, start, log_probs, pairs, options, run);
  return {bytes_of(policy.trainable_parameters()), run.comm->is_root() ? read_file(run.metrics_file) : ""};
}

// The share of wanted tokens among at most six, standing in for a reward model.
inline std::vector<double> wanted_share(std::span<const Drawn> drawn) {
  std::vector<double> scores;
  for (const Drawn& one : drawn) {
    double wanted = 0;
    for (const TokenId token : one.completion.tokens) wanted += token == kWanted ? 1.0 : 0.0;
    scores.push_back(wanted / 3.0);
  }
  return scores;
}

inline PolicyGradientCallbacks ppo_callbacks() {
  PolicyGradientCallbacks callbacks;
  callbacks.prompt = [](std::int64_t i) -> std::pair<Prompt, std::vector<TokenId>> {
    const auto id = static_cast<std::uint64_t>(i) % 5;
    Prompt prompt;
    prompt.id = id;
    prompt.text = "question " + std::to_string(id);
    return {prompt, {kBegin, static_cast<TokenId>(4 + id), 3}};
  };
  callbacks.reward = wanted_share;
  return callbacks;
}

inline PolicyGradientOptions ppo_options(std::int64_t steps) {
  PolicyGradientOptions options;
  options.steps = steps;
  options.rollout.prompts_per_step = 18;  // divides neither by 4 grains nor by the minibatch
  options.minibatch = 8;
  options.epochs = 2;
  options.schedule = {3e-3, 2, 0.5};
  options.critic.only_steps = 1;
  options.rollout.max_new_tokens = 6;
  options.rollout.slots = 8;
  options.kl.coefficient = 0.05;
  options.kl.target = 0.5;
  options.kl.horizon = 100;
  options.seed = 21;
  return options;
}

inline Outcome run_ppo(const StageRun& run, const PolicyGradientOptions& options,
                       const PolicyGradientCallbacks& callbacks) {
  auto policy = tiny_model(5);
  const auto reference = policy.clone();
  auto value = model::ScalarModel::from_body(policy, 9);
  train_policy_gradient({policy, reference, &value}, callbacks, options, run);
  return {bytes_of(policy.parameters()) + bytes_of(value.parameters()),
          run.comm->is_root() ? read_file(run.metrics_file) : ""};
}

// As ppo_options, without a value model; responses in groups of 4 where the advantage is over them, else alone.
inline PolicyGradientOptions critic_free_options(std::int64_t steps, AdvantageEstimator advantage) {
  PolicyGradientOptions options = ppo_options(steps);
  const bool alone = advantage == AdvantageEstimator::batch || advantage == AdvantageEstimator::greedy;
  options.advantage = advantage;
  options.rollout.responses = alone ? 1 : 4;
  options.rollout.prompts_per_step = alone ? 18 : 5;  // divide neither by 4 grains nor, as responses, by the minibatch
  options.critic.only_steps = 0;
  options.kl.target = 0.0;
  options.whiten_advantages = false;
  return options;
}

inline Outcome run_critic_free(const StageRun& run, const PolicyGradientOptions& options,
                               const PolicyGradientCallbacks& callbacks, Trained trained = Trained::all) {
  const auto start = tiny_model(5);
  auto policy = policy_from(start, trained);
  train_policy_gradient({policy, start}, callbacks, options, run);
  return {bytes_of(policy.trainable_parameters()), run.comm->is_root() ? read_file(run.metrics_file) : ""};
}

// The response with more of the wanted token is better.
inline OnlineDpoCallbacks online_callbacks() {
  OnlineDpoCallbacks callbacks;
  callbacks.prompt = ppo_callbacks().prompt;
  callbacks.prefer = [](std::span<const Drawn> pairs) {
    const std::vector<double> shares = wanted_share(pairs);
    std::vector<double> preferred;
    for (std::size_t i = 0; i < shares.size(); i += 2)
      preferred.push_back(shares[i] > shares[i + 1] ? 0.9 : shares[i] < shares[i + 1] ? 0.1 : 0.5);
    return preferred;
  };
  callbacks.monitor = wanted_share;
  return callbacks;
}

inline OnlineDpoOptions online_options(std::int64_t steps) {
  OnlineDpoOptions options;
  options.steps = steps;
  options.rollout.prompts_per_step = 10;  // does not divide by 4 grains
  options.rollout.max_new_tokens = 6;
  options.rollout.slots = 8;
  options.schedule = {5e-3, 2, 0.2};
  options.seed = 21;
  return options;
}

inline Outcome run_online_dpo(const StageRun& run, const OnlineDpoOptions& options, const OnlineDpoCallbacks& callbacks,
                              Trained trained = Trained::all) {
  const auto start = tiny_model(5);
  auto policy = policy_from(start, trained);
  train_online_dpo(policy, start, callbacks, options, run);
  return {bytes_of(policy.trainable_parameters()), run.comm->is_root() ? read_file(run.metrics_file) : ""};
}

}  // namespace rlaif::train::test
