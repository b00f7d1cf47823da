// Proximal policy optimisation: a policy from prompts alone, its responses scored by a reward.
#include <cmath>

#include "../learning.hpp"
#include "../planning.hpp"
#include "../rewards/rewards.hpp"
#include "algorithms.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/train/ppo.hpp"

namespace rlaif::stages {
namespace {

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
  policy.adapter = new_adapter(context, sft, context.options.policy_adapter, AdapterKey::policy);
  model::ScalarModel value = model::ScalarModel::over(sft, context.options.run.seed);
  value.head_1d.zero_();
  if (context.options.value_adapter.rank > 0) {
    const bool same =
        reward.body.adapter && reward.body.adapter->options() == context.options.adapter(context.options.value_adapter);
    value.body.adapter = same ? std::make_shared<model::Adapter>(reward.body.adapter->clone())
                              : new_adapter(context, sft, context.options.value_adapter, AdapterKey::value);
  }
  return {std::move(policy), sft.share(), std::move(value),
          reward.body.adapter && context.options.lora.first_layer > 0};
}

Json run(const Context& context, const ArmOptions& arm) {
  const auto language = load_language(context);
  const model::Transformer start = load_run_model(context, arm.start, *language);
  const model::ScalarModel reward = load_run_reward(context, "reward-" + labels_of(arm), start);
  Actors actors = make_actors(context, start, reward);
  const std::uint64_t seed = pairs_of(context.options, arm).seed;  // a round's prompts and draws are its own
  model::Transformer& policy = actors.policy;

  train::PpoOptions options = context.options.ppo;
  options.seed = seed;

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
  const RewardEntry& entry = reward_named("ppo.reward", context.options.policy_reward);
  const auto scorer = entry.make(context, arm, {*language, start, &reward, actors.reward_shares_trunk});
  callbacks.reward = [&](std::span<const train::Rollout> rollouts) { return scorer->score(rollouts); };
  callbacks.monitor = [&](std::span<const train::Rollout> rollouts) {
    std::vector<double> scores;
    for (const train::Rollout& rollout : rollouts) {
      const auto grade = context.task.grade(rollout.prompt, with_text(*language, rollout));
      scores.push_back(grade ? grade->score : 0.0);
    }
    return scores;
  };
  train::train_ppo(policy, actors.reference, actors.value, callbacks, options, context.stage_run("ppo-" + arm.name));
  save_trained_policy(context, arm, *language, policy);
  Json facts;
  facts["steps"] = options.steps;
  if (const Json reward_facts = scorer->facts(); !reward_facts.empty()) facts["reward"] = reward_facts;
  return facts;
}

run::Needs ppo_needs(const StudyOptions& options, int ranks) {
  const Sizes sizes(options, ranks);
  const train::PpoOptions& p = options.ppo;
  const double weights = sizes.weights;
  const bool low_rank = options.policy_adapter.rank > 0;
  const Sizes::Adapter actor = sizes.adapter(options.policy_adapter);
  const Sizes::Adapter critic = sizes.adapter(options.value_adapter);
  const Sizes::Adapter judge = sizes.adapter(options.reward_adapter);
  const double length = sizes.prompt_length() + p.max_new_tokens;
  const double rollout_tokens = std::ceil(static_cast<double>(p.prompts_per_step) / ranks) * length;
  const double tokens = sizes.trained_tokens(static_cast<double>(p.minibatch), length);
  run::Needs needs;
  add_part(needs, "base, also reference: weights", sizes.weight_bytes(weights));
  if (low_rank) {
    add_part(needs, "policy: adapter", sizes.weight_bytes(actor.parameters));
    add_part(needs, "policy: merged weights", sizes.weight_bytes(actor.touched_weights));
    if (options.lora.first_layer > 0)
      add_part(needs, "shared lower layers' states",
               sizes.weight_bytes(rollout_tokens * static_cast<double>(sizes.policy.hidden_size)));
  } else {
    add_part(needs, "policy: weights", sizes.weight_bytes(weights));
    add_part(needs, "value model: weights", sizes.weight_bytes(weights));
  }
  if (judge.parameters == 0.0) add_part(needs, "reward model: weights", sizes.weight_bytes(weights));
  sizes.add_training(needs, "policy", low_rank ? actor.parameters : weights, tokens,
                     sizes.trained_layers(options.policy_adapter));
  if (!low_rank) sizes.add_training(needs, "value model", weights, 0.0, 0.0);
  if (critic.parameters > 0.0) sizes.add_training(needs, "value model", critic.parameters, 0.0, 0.0);
  add_part(needs, "cache", sizes.cache_bytes(p.slots, length));
  add_part(needs, "logits", sizes.logits_bytes(std::max<double>(p.slots, tokens)));
  const double responses = static_cast<double>(p.steps) * static_cast<double>(p.prompts_per_step);
  needs.generated_tokens = responses * p.max_new_tokens;
  const double share = sizes.trained_layers(options.policy_adapter) / static_cast<double>(sizes.policy.num_layers);
  const double passes = low_rank
                            ? (1.0 - share) + share * (3.0 + 2.0 * p.epochs * (critic.parameters > 0.0 ? 2.0 : 1.0))
                            : 3.0 + 3.0 * p.epochs * 2.0;  // forward passes: reference, value, reward; then the updates
  needs.flops = 2.0 * weights * (needs.generated_tokens + responses * length * passes);
  return needs;
}

class Ppo final : public Algorithm {
 public:
  DataKind learns_from() const override { return DataKind::prompts; }

  void check(const StudyOptions& options, const ArmOptions& arm) const override {
    reward_named("ppo.reward", options.policy_reward).check(options, arm);
  }

  void plan_before(StagePlan& plan, const Study& study, const ArmOptions& arm) const override {
    plan_reward_model(plan, study, arm);
  }

  void plan(StagePlan& plan, const Study& study, const ArmOptions& arm) const override {
    const StudyOptions& options = study.options;
    const std::string name = "ppo-" + arm.name;
    run::Stage stage{
        .name = name,
        .kind = "ppo",
        .of = arm.name,
        .command = "ppo",
        .size = count_text(options.ppo.steps, "steps of ") + count_text(options.ppo.prompts_per_step, "responses"),
        .sections = sections_with({"ppo", "lora", arm.section()}),
        .reads = {tokenizer_file, "models/sft", "models/" + arm.start, "models/reward-" + labels_of(arm),
                  "preferences/" + labels_of(arm)},
        .makes = {"models/" + arm.name, "metrics/" + name + ".jsonl"},
        .needs = [&options](int ranks) { return ppo_needs(options, ranks); },
        .run = in_study(study, [arm](const Context& context) { return run(context, arm); })};
    add_untouched_policy(options, stage.sections);
    add_judge(options, options.judge_named(arm.judge), stage.sections);
    plan.add(std::move(stage));
  }
};

}  // namespace

const Algorithm& ppo_algorithm() {
  static const Ppo algorithm;
  return algorithm;
}

}  // namespace rlaif::stages
