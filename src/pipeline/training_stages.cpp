// Reward models and policies from preferences.
#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/pipeline/stages.hpp"
#include "rlaif/preferences/store.hpp"

namespace rlaif::pipeline {
namespace {

// Usable pairs of a store; every rank reads it whole (checksums are compared first).
std::vector<train::RewardPair> reward_pairs(const Context& context, const Language& language, const std::string& judge,
                                            std::int64_t max_positions) {
  std::vector<train::RewardPair> pairs;
  std::int64_t unusable = 0, too_long = 0;
  context.comm.agree([&] {
    const auto folder = context.directory.preferences(judge);
    for (const Preference& record : preferences::read_store(folder)) {
      if (record.verdict.status != VerdictStatus::ok) {
        ++unusable;
        continue;
      }
      const Comparison& comparison = record.comparison;
      train::RewardPair pair{reward_tokens(language, comparison.prompt, comparison.first),
                             reward_tokens(language, comparison.prompt, comparison.second), record.verdict.p_first};
      if (static_cast<std::int64_t>(std::max(pair.first.size(), pair.second.size())) > max_positions) {
        ++too_long;
        continue;
      }
      pairs.push_back(std::move(pair));
    }
    if (pairs.empty()) throw input_error(folder, "holds no preference with a usable verdict; at least one was expected");
  });
  if (unusable) log::info("reward-" + judge + ": " + std::to_string(unusable) + " records without a usable verdict were left out");
  if (too_long) log::info("reward-" + judge + ": " + std::to_string(too_long) + " records longer than the context were left out");
  return pairs;
}

}  // namespace

Json run_reward_stage(const Context& context, const std::string& judge) {
  const auto language = load_language(context);
  const model::Transformer sft = load_run_model(context, "sft", *language);
  const std::vector<train::RewardPair> pairs = reward_pairs(context, *language, judge, sft.config().max_positions);
  train::RewardOptions options = context.options.reward;
  options.seed = context.options.run.seed;
  // The same head for every judge's labels: arms differ in their labels alone.
  model::ScalarModel reward = model::ScalarModel::from_body(sft, context.options.run.seed);
  train::train_reward_model(reward, pairs, options, context.stage_run("reward-" + judge));
  save_run_reward(context, "reward-" + judge, reward);
  Json facts;
  facts["pairs"] = pairs.size();
  facts["score_standard_deviation"] = reward.scale;
  return facts;
}

Json run_ppo_stage(const Context& context, const ArmOptions& arm) {
  const auto language = load_language(context);
  const model::Transformer reference = load_run_model(context, "sft", *language);
  model::Transformer policy = reference.clone();
  const model::ScalarModel reward = load_run_reward(context, "reward-" + arm.judge);

  // The value model starts from the reward model, in the units of the standardised score.
  model::ScalarModel value = reward.clone();
  value.head_1d = (reward.head_1d / reward.scale).detach().clone();
  value.offset = reward.offset / reward.scale;
  value.scale = 1.0;

  train::PpoOptions options = context.options.ppo;
  options.seed = context.options.run.seed;
  const TokenId end = language->chat.end_token();

  train::PpoCallbacks callbacks;
  callbacks.prompt = [&](std::int64_t i) {
    // A prompt that does not fit the context gives way to the next draw for its place.
    for (std::int64_t attempt = 0; attempt < 100; ++attempt) {
      Prompt prompt = context.task.draw(Task::Purpose::ppo, Split::train, context.options.run.seed, i + (attempt << 40));
      prompt.id = (static_cast<std::uint64_t>(Task::Purpose::ppo) << 56) | static_cast<std::uint64_t>(i);
      std::vector<TokenId> tokens = language->chat.prompt(prompt.text);
      if (static_cast<std::int64_t>(tokens.size()) <= longest_prompt(policy, options.max_new_tokens)) {
        return std::make_pair(std::move(prompt), std::move(tokens));
      }
    }
    throw input_error("ppo: no prompt leaves room for ppo.max_new_tokens in the model's context");
  };
  callbacks.reward = [&](std::span<const train::Rollout> rollouts) {
    std::vector<std::vector<TokenId>> sequences;
    for (const train::Rollout& rollout : rollouts) {
      std::vector<TokenId> tokens = rollout.prompt_tokens;
      tokens.insert(tokens.end(), rollout.completion.tokens.begin(), rollout.completion.tokens.end());
      if (rollout.completion.ended) tokens.push_back(end);
      sequences.push_back(std::move(tokens));
    }
    return train::score_sequences(reward, sequences);
  };
  callbacks.monitor = [&](std::span<const train::Rollout> rollouts) {
    std::vector<double> scores;
    for (const train::Rollout& rollout : rollouts) {
      Completion completion = rollout.completion;
      completion.text = language->tokenizer.decode_text(completion.tokens);
      const auto gold = context.task.gold(rollout.prompt, completion);
      scores.push_back(gold ? gold->utility : 0.0);
    }
    return scores;
  };
  train::train_ppo(policy, reference, value, callbacks, options, context.stage_run("ppo-" + arm.name));
  save_run_model(context, arm.name, policy);
  Json facts;
  facts["steps"] = options.steps;
  return facts;
}

}  // namespace rlaif::pipeline
