// Reward models and policies from preferences.
#include <cmath>
#include <limits>
#include <optional>

#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/model/adapter.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/pipeline/spotcheck.hpp"
#include "rlaif/pipeline/stages.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/train/ppo.hpp"
#include "rlaif/train/reward.hpp"

namespace rlaif::pipeline {
namespace {

struct LabelledPairs {
  std::vector<train::RewardPair> pairs;
  std::int64_t by_people = 0;  // of them, those whose label is a person's
};

// A person's label takes the place of the judge's, also where the judge has none. Returns whether there is one.
bool relabel(const Context& context, const std::map<std::uint64_t, Preference>& people, Preference& record) {
  const auto found = people.find(record.comparison.id);
  if (found == people.end()) return false;
  if (!same_texts(found->second.comparison, record.comparison)) {
    throw input_error(context.directory.preferences("spotcheck-" + context.options.people.name),
                      "pair " + std::to_string(record.comparison.id) +
                          " has other texts than in the judge's store: labels of another run");
  }
  record.verdict = found->second.verdict;
  return true;
}

// Usable pairs of a store; every rank reads it whole (checksums are compared first).
LabelledPairs reward_pairs(const Context& context, const Language& language, const ArmOptions& arm,
                           std::int64_t max_positions) {
  LabelledPairs labelled;
  std::vector<train::RewardPair>& pairs = labelled.pairs;
  std::int64_t unusable = 0, too_long = 0, used = 0;
  const std::int64_t most =
      context.options.reward_labels > 0 ? context.options.reward_labels : std::numeric_limits<std::int64_t>::max();
  const PeopleOptions& by = context.options.people;
  const bool asks_people = !by.name.empty() && arm.start == first_policy;  // spot checks are of the first pairs
  context.comm.agree([&] {
    std::map<std::uint64_t, Preference> people;
    if (asks_people) people = read_people_labels(context.directory, by.name);
    const auto folder = context.directory.preferences(labels_of(arm));
    for (Preference& record : preferences::read_store(folder)) {
      const bool is_persons = relabel(context, people, record);
      if (record.verdict.status != VerdictStatus::ok) {
        ++unusable;
        continue;
      }
      if (used++ == most) break;
      const Comparison& comparison = record.comparison;
      train::RewardPair pair{reward_tokens(language, comparison.prompt, comparison.first),
                             reward_tokens(language, comparison.prompt, comparison.second), record.verdict.p_first,
                             comparison.prompt.id, is_persons ? by.weight : 1.0};
      if (static_cast<std::int64_t>(std::max(pair.first.size(), pair.second.size())) > max_positions) {
        ++too_long;
        continue;
      }
      pairs.push_back(std::move(pair));
      labelled.by_people += is_persons;
    }
    if (asks_people && labelled.by_people == 0) {
      throw input_error(context.directory.preferences("spotcheck-" + by.name),
                        "holds no label of a pair of " + folder.string() + " that can be used");
    }
    if (pairs.empty())
      throw input_error(folder, "holds no preference with a usable verdict; at least one was expected");
  });
  if (unusable)
    log::info("reward-" + labels_of(arm) + ": " + std::to_string(unusable) +
              " records without a usable verdict were left out");
  if (too_long)
    log::info("reward-" + labels_of(arm) + ": " + std::to_string(too_long) +
              " records longer than the context were left out");
  return labelled;
}

// Which part of the seed belongs to which adapter.
constexpr std::uint64_t reward_adapter_key = 11, policy_adapter_key = 12, value_adapter_key = 13;

std::shared_ptr<model::Adapter> new_adapter(const Context& context, const model::Transformer& base,
                                            const LowRankOptions& options, std::uint64_t key) {
  return std::make_shared<model::Adapter>(base.config(), context.options.adapter(options),
                                          hash_words({context.options.run.seed, key}), base.device());
}

// The models of PPO. The reward model is the caller's.
struct Actors {
  model::Transformer policy, reference;
  model::ScalarModel value;
  bool reward_shares_trunk = false;
};

// Full fine-tuning: policy and value model are copies; the value model starts from the reward model, in the units of
// the standardised score. With adapters: views of the one base, each with an adapter of its own or none. A value model of
// the reward model's rank starts from its adapter; its head starts at 0, so that the first values are the mean score.
Actors make_actors(const Context& context, const model::Transformer& sft, const model::ScalarModel& reward) {
  if (context.options.policy_adapter.rank == 0) {
    model::ScalarModel value = reward.body.adapter
                                   ? model::ScalarModel{reward.body.merged().clone(), reward.head_1d.clone(), 0.0, 1.0}
                                   : reward.clone();
    value.head_1d = (reward.head_1d / reward.scale).detach().clone();
    value.offset = reward.offset / reward.scale;
    value.scale = 1.0;
    return {sft.clone(), sft.share(), std::move(value), false};
  }
  model::Transformer policy = sft.share();
  policy.adapter = new_adapter(context, sft, context.options.policy_adapter, policy_adapter_key);
  model::ScalarModel value = model::ScalarModel::over(sft, context.options.run.seed);
  value.head_1d.zero_();
  if (context.options.value_adapter.rank > 0) {
    const bool same =
        reward.body.adapter && reward.body.adapter->options() == context.options.adapter(context.options.value_adapter);
    value.body.adapter = same ? std::make_shared<model::Adapter>(reward.body.adapter->clone())
                              : new_adapter(context, sft, context.options.value_adapter, value_adapter_key);
  }
  return {std::move(policy), sft.share(), std::move(value),
          reward.body.adapter && context.options.lora.first_layer > 0};
}

// A file of rules as a reward: its score in standard deviations over responses of the policy's start.
struct RulesReward {
  judge::RuleBook book;
  double mean = 0.0, deviation = 1.0;

  double score(const Prompt& prompt, const Completion& completion) const {
    return book.score(prompt.text, completion.text, completion.ended).score;
  }
  double standardised(const Prompt& prompt, const Completion& completion) const {
    return (score(prompt, completion) - mean) / deviation;
  }
};

RulesReward rules_reward(const Context& context, const ArmOptions& arm) {
  RulesReward reward{judge::RuleBook::load(context.options.judge_named(arm.judge).rules)};
  double sum = 0.0, squares = 0.0, count = 0.0;
  for (const Preference& record : preferences::read_store(context.directory.preferences(labels_of(arm)))) {
    for (const Completion* completion : {&record.comparison.first, &record.comparison.second}) {
      const double score = reward.score(record.comparison.prompt, *completion);
      sum += score;
      squares += score * score;
      count += 1.0;
    }
  }
  if (count == 0.0) return reward;
  reward.mean = sum / count;
  const double variance = squares / count - reward.mean * reward.mean;
  if (variance > 1e-12) reward.deviation = std::sqrt(variance);
  return reward;
}

}  // namespace

Json run_reward_stage(const Context& context, const ArmOptions& arm) {
  const auto language = load_language(context);
  const std::string name = "reward-" + labels_of(arm);
  const bool own_network = context.options.reward_start == RewardStart::network;
  const model::Transformer start = load_run_model(context, own_network ? "sft-reward" : arm.start, *language);
  const LabelledPairs labelled = reward_pairs(context, *language, arm, start.config().max_positions);
  train::RewardOptions options = context.options.reward;
  options.seed = context.options.run.seed;
  // The same head for every judge's labels: arms differ in their labels alone.
  const std::uint64_t seed = context.options.run.seed;
  const bool low_rank = context.options.reward_adapter.rank > 0;
  model::ScalarModel reward =
      low_rank ? model::ScalarModel::over(start, seed) : model::ScalarModel::from_body(start, seed);
  if (low_rank) reward.body.adapter = new_adapter(context, start, context.options.reward_adapter, reward_adapter_key);
  train::train_reward_model(reward, labelled.pairs, options, context.stage_run(name));
  save_run_reward(context, name, *language, reward, arm.start);
  Json facts;
  facts["pairs"] = labelled.pairs.size();
  if (labelled.by_people > 0) {
    facts["people"] = context.options.people.name;
    facts["people_pairs"] = labelled.by_people;
    facts["people_weight"] = context.options.people.weight;
  }
  facts["score_standard_deviation"] = reward.scale;
  return facts;
}

Json run_ppo_stage(const Context& context, const ArmOptions& arm) {
  const auto language = load_language(context);
  const model::Transformer start = load_run_model(context, arm.start, *language);
  const model::ScalarModel reward = load_run_reward(context, "reward-" + labels_of(arm), start);
  Actors actors = make_actors(context, start, reward);
  const std::uint64_t seed = pairs_of(context.options, arm).seed;  // a round's prompts and draws are its own
  model::Transformer& policy = actors.policy;

  train::PpoOptions options = context.options.ppo;
  options.seed = seed;
  // Whichever token ended a response: the reward model has learned from ends as they are written.
  const TokenId end = policy.config().end_tokens.written();

  train::PpoCallbacks callbacks;
  callbacks.prompt = [&](std::int64_t i) {
    // A prompt that does not fit the context gives way to the next draw for its place.
    for (std::int64_t attempt = 0; attempt < 100; ++attempt) {
      Prompt prompt = context.task.draw(Task::Purpose::ppo, Split::train, seed, i + (attempt << 40));
      prompt.id = (static_cast<std::uint64_t>(Task::Purpose::ppo) << 56) | static_cast<std::uint64_t>(i);
      std::vector<TokenId> tokens = language->chat.prompt(prompt.text);
      if (static_cast<std::int64_t>(tokens.size()) <= longest_prompt(policy, options.max_new_tokens)) {
        return std::make_pair(std::move(prompt), std::move(tokens));
      }
    }
    throw input_error(
        "ppo-" + arm.name + ": 100 prompts drawn one after the other are too long: the model's context of " +
        std::to_string(policy.config().max_positions) +
        " tokens less ppo.max_new_tokens = " + std::to_string(options.max_new_tokens) + " leaves too few for them");
  };
  const auto with_text = [&](const train::Rollout& rollout) {
    Completion completion = rollout.completion;
    completion.text = language->tokenizer.decode_text(completion.tokens);
    return completion;
  };
  std::optional<RulesReward> rules;
  if (context.options.policy_reward == PolicyReward::rules)
    context.comm.agree([&] { rules = rules_reward(context, arm); });
  callbacks.reward = [&](std::span<const train::Rollout> rollouts) {
    if (rules) {
      std::vector<double> scores;
      for (const train::Rollout& rollout : rollouts)
        scores.push_back(rules->standardised(rollout.prompt, with_text(rollout)));
      return scores;
    }
    std::vector<std::vector<TokenId>> sequences;
    std::vector<torch::Tensor> trunks;
    for (const train::Rollout& rollout : rollouts) {
      if (actors.reward_shares_trunk) trunks.push_back(rollout.trunk_Td);
      std::vector<TokenId> tokens = rollout.prompt_tokens;
      tokens.insert(tokens.end(), rollout.completion.tokens.begin(), rollout.completion.tokens.end());
      if (rollout.completion.ended) tokens.push_back(end);
      sequences.push_back(std::move(tokens));
    }
    return train::score_sequences(reward, sequences, 2048, trunks);
  };
  callbacks.monitor = [&](std::span<const train::Rollout> rollouts) {
    std::vector<double> scores;
    for (const train::Rollout& rollout : rollouts) {
      const auto grade = context.task.grade(rollout.prompt, with_text(rollout));
      scores.push_back(grade ? grade->score : 0.0);
    }
    return scores;
  };
  train::train_ppo(policy, actors.reference, actors.value, callbacks, options, context.stage_run("ppo-" + arm.name));
  // An adapter is kept as one over sft only; over another adapter it would not say what it is.
  if (policy.adapter && arm.start != first_policy)
    save_run_model(context, arm.name, *language, policy.merged());
  else
    save_run_model(context, arm.name, *language, policy);
  Json facts;
  facts["steps"] = options.steps;
  if (rules)
    facts["reward"] = {{"rules", rules->book.name()}, {"mean", rules->mean}, {"standard_deviation", rules->deviation}};
  return facts;
}

}  // namespace rlaif::pipeline
