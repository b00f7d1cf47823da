// Proximal policy optimisation: a policy from prompts alone, its responses scored by a reward.
#include <cmath>

#include "../learning.hpp"
#include "../planning.hpp"
#include "algorithms.hpp"
#include "policy_gradient.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/stages/resources.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/check_options.hpp"

namespace rlaif::stages {
namespace {

// The models of PPO. The reward model is the caller's.
struct Actors {
  model::Transformer policy, reference;
  model::ScalarModel value;
  bool reward_shares_trunk = false;
};

class Ppo final : public Algorithm {
 public:
  DataKind learns_from() const override { return DataKind::preferences; }  // its reward model does
  LowRankOptions policy_adapter() const override { return policy_adapter_; }
  bool trains_reward_model() const override { return true; }
  void bind(OptionTable& table, const std::string& section) override;
  void check(const Study& study, const ArmOptions& arm) const override;
  void plan_before(StudyPlan& plan, const Study& study, const ArmOptions& arm) const override {
    plan_reward_model(plan, study, arm);
  }
  void plan(StudyPlan& plan, const Study& study, const ArmOptions& arm) const override;

 private:
  Actors make_actors(const Context& context, const model::Transformer& sft, const model::ScalarModel& reward) const;
  run::Needs needs(const Study& study, const ArmOptions& arm, const run::Assumed& assumed) const;
  Json run_stage(const Context& context, const ArmOptions& arm) const;

  train::PolicyGradientOptions options_;
  double clip_ = 0.2;
  LowRankOptions policy_adapter_, value_adapter_;
  std::string reward_ = "model";
};

void Ppo::bind(OptionTable& table, const std::string& section) {
  train::PolicyGradientOptions& p = options_;
  train::CriticOptions& critic = p.critic;
  bind_adapter(table, section + ".lora", policy_adapter_,
               "the policy's adapter; 0: all weights of policy and value model are trained");
  bind_adapter(table, section + ".value_lora", value_adapter_,
               "the value model's adapter where the policy has one; 0: a head on the reference's states");
  table.add_choice<std::string>(
      section + ".reward", &reward_, names_of(stages::rewards()),
      "what policies learn from: the reward model of their judge, the score that the judge gives "
      "each response, or its file of rules itself; the value model starts from the reward model in any case");
  bind_steps(table, section, p, "prompts of a step, with one response each");
  table
      .add(section + ".value_learning_rate_scale", &critic.learning_rate_scale, "",
           "rate of the value model against that of the policy")
      .at_least(0);
  table
      .add(section + ".value_only_steps", &critic.only_steps, "steps",
           "steps at the start that train the value model alone")
      .at_least(0);
  table.add(section + ".kl_coefficient", &p.kl.coefficient, "1/nat", "KL penalty a token in the reward").at_least(0);
  table.add_choice<train::KlEstimator>(
      section + ".kl_estimator", &p.kl.estimator,
      {{"k1", train::KlEstimator::k1}, {"k2", train::KlEstimator::k2}, {"k3", train::KlEstimator::k3}},
      "estimator of the KL in the penalty");
  table
      .add(section + ".kl_target", &p.kl.target, "nats",
           "KL of a response that the coefficient adapts to; 0: it stays as it is")
      .at_least(0);
  table.add(section + ".kl_horizon", &p.kl.horizon, "responses", "responses over which the coefficient adapts")
      .above(0);
  table.add(section + ".gamma", &critic.gamma, "", "discount of later rewards").at_least(0).at_most(1);
  table.add(section + ".lambda", &critic.lambda, "", "lambda of generalised advantage estimation")
      .at_least(0)
      .at_most(1);
  table.add(section + ".clip", &clip_, "", "furthest that the probability ratio counts from 1").above(0);
  table.add(section + ".value_clip", &critic.clip, "", "furthest that the value's move counts").above(0);
  table.add(section + ".missing_end_penalty", &p.rollout.missing_end_penalty, "",
            "added to the score of a response without end token");
  table.add(section + ".whiten_advantages", &p.whiten_advantages, "", "whiten advantages over the global batch");
  bind_sampling(table, section, p.rollout);
  bind_schedule(table, section, p.schedule, p.adam);
}

void Ppo::check(const Study& study, const ArmOptions& arm) const {
  check_response_length(study.policy, "ppo.max_new_tokens", options_.rollout.max_new_tokens);
  if (value_adapter_.rank > 0) study.lora.adapter(value_adapter_).validate(planned_policy(study.policy));
  check_reward("ppo.reward", reward_named("ppo.reward", reward_), 1, study, arm);
}

// Full fine-tuning: policy and value model are copies; the value model starts from the reward model, in the units of
// the standardised score. With adapters: views of the one base, each with an adapter of its own or none. A value model
// of the reward model's rank starts from its adapter; its head starts at 0, so that the first values are the mean
// score.
Actors Ppo::make_actors(const Context& context, const model::Transformer& sft, const model::ScalarModel& reward) const {
  if (policy_adapter_.rank == 0) {
    model::ScalarModel value = reward.body.adapter
                                   ? model::ScalarModel{reward.body.merged().clone(), reward.head_1d.clone(), 0.0, 1.0}
                                   : reward.clone();
    value.head_1d = (reward.head_1d / reward.scale).detach().clone();
    value.offset = reward.offset / reward.scale;
    value.scale = 1.0;
    return {sft.clone(), sft.share(), std::move(value), false};
  }
  model::Transformer policy = policy_from(context, sft, policy_adapter_);
  model::ScalarModel value = model::ScalarModel::over(sft, context.study.run.seed);
  value.head_1d.zero_();
  if (value_adapter_.rank > 0) {
    const bool same =
        reward.body.adapter && reward.body.adapter->options() == context.study.lora.adapter(value_adapter_);
    value.body.adapter = same ? std::make_shared<model::Adapter>(reward.body.adapter->clone())
                              : new_adapter(context, sft, value_adapter_, AdapterKey::value);
  }
  return {std::move(policy), sft.share(), std::move(value), reward.body.adapter && context.study.lora.first_layer > 0};
}

Json Ppo::run_stage(const Context& context, const ArmOptions& arm) const {
  const auto language = load_language(context);
  const model::Transformer start = load_run_model(context, arm.start, *language);
  const model::ScalarModel reward = load_run_reward(context, "reward-" + labels_of(arm), start);
  Actors actors = make_actors(context, start, reward);
  const std::string name = "ppo-" + arm.name;
  train::PolicyGradientOptions options = options_;
  options.loss.clip_low = options.loss.clip_high = clip_;
  options.seed = data_of(context.study, arm).seed;  // a round's prompts and draws are its own
  const auto scorer =
      reward_named("ppo.reward", reward_).make(context, arm, {*language, start, &reward, actors.reward_shares_trunk});
  const auto callbacks =
      policy_gradient_callbacks(context, *language, name, "ppo", options, start.config().max_positions, *scorer);
  train::train_policy_gradient({actors.policy, actors.reference, &actors.value}, callbacks, options,
                               context.stage_run(name));
  save_trained_policy(context, arm, *language, actors.policy);
  return policy_gradient_facts(context, name, options.steps, *scorer);
}

run::Needs Ppo::needs(const Study& study, const ArmOptions& arm, const run::Assumed& assumed) const {
  const Sizes sizes(study, assumed);
  const train::PolicyGradientOptions& p = options_;
  const train::RolloutOptions& rollout = p.rollout;
  const double weights = sizes.weights;
  const bool low_rank = policy_adapter_.rank > 0;
  const Sizes::Adapter actor = sizes.adapter(policy_adapter_);
  const Sizes::Adapter critic = sizes.adapter(value_adapter_);
  const Sizes::Adapter judge = sizes.adapter(study.reward.adapter);
  const double length = sizes.prompt_length + rollout.max_new_tokens;
  const double rollout_tokens = std::ceil(static_cast<double>(rollout.prompts_per_step) / sizes.ranks) * length;
  const double tokens = sizes.trained_tokens(static_cast<double>(p.minibatch), length);
  run::Needs sum;
  add_policy_parts(sum, sizes, policy_adapter_, rollout_tokens);
  if (!low_rank) add_part(sum, "value model: weights", sizes.weight_bytes(weights));
  if (judge.parameters == 0.0) add_part(sum, "reward model: weights", sizes.weight_bytes(weights));
  sizes.add_training(sum, "policy", low_rank ? actor.parameters : weights, tokens,
                     sizes.trained_layers(policy_adapter_));
  if (!low_rank) sizes.add_training(sum, "value model", weights, 0.0, 0.0);
  if (critic.parameters > 0.0) sizes.add_training(sum, "value model", critic.parameters, 0.0, 0.0);
  add_part(sum, "cache", sizes.cache_bytes(rollout.slots, length));
  add_part(sum, "logits", sizes.logits_bytes(std::max<double>(rollout.slots, tokens)));
  const double responses = static_cast<double>(p.steps) * static_cast<double>(rollout.prompts_per_step);
  sum.generated_tokens = responses * rollout.max_new_tokens;
  const double share = sizes.trained_layers(policy_adapter_) / static_cast<double>(sizes.policy.num_layers);
  const double passes = low_rank
                            ? (1.0 - share) + share * (3.0 + 2.0 * p.epochs * (critic.parameters > 0.0 ? 2.0 : 1.0))
                            : 3.0 + 3.0 * p.epochs * 2.0;  // forward passes: reference, value, reward; then the updates
  sum.flops = 2.0 * weights * (sum.generated_tokens + responses * length * passes);
  const RewardEntry& reward = reward_named("ppo.reward", reward_);
  if (reward.asks_judge) {
    sum.asked.push_back(asked_by(reward, arm, responses, 1.0));
    sizes.add_reward_judges(sum, arm.judge, responses, length);
  }
  return sum;
}

void Ppo::plan(StudyPlan& plan, const Study& study, const ArmOptions& arm) const {
  const std::string name = "ppo-" + arm.name;
  run::Stage stage{
      .name = name,
      .kind = "ppo",
      .of = arm.name,
      .command = "ppo",
      .size = count_text(options_.steps, "steps of ") + count_text(options_.rollout.prompts_per_step, "responses"),
      .sections = sections_with({"ppo", "lora", arm.section()}),
      .reads = {tokenizer_file, "models/sft", "models/" + arm.start, "models/reward-" + labels_of(arm),
                "preferences/" + labels_of(arm)},
      .makes = {"models/" + arm.name, "metrics/" + name + ".jsonl"},
      .needs = [this, how = arm.how, arm, &study](const run::Assumed& assumed) { return needs(study, arm, assumed); },
      .run = in_study(study, [this, arm](const Context& context) { return run_stage(context, arm); })};
  add_untouched_policy(study, stage.sections);
  add_judge(study, study.judges.named(arm.judge), stage.sections);
  if (reward_named("ppo.reward", reward_).asks_judge) {
    add_judge_models(study, study.judges.named(arm.judge), stage.reads);
    stage.sections.push_back("cost.prices");
  }
  plan.add(std::move(stage));
}

}  // namespace

std::unique_ptr<Algorithm> make_ppo() { return std::make_unique<Ppo>(); }

}  // namespace rlaif::stages
