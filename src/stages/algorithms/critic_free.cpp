#include "critic_free.hpp"

#include <cmath>
#include <optional>

#include "../learning.hpp"
#include "../planning.hpp"
#include "critic_free_choices.hpp"
#include "policy_gradient.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/check_options.hpp"

namespace rlaif::stages {
namespace {

class CriticFree final : public Algorithm {
 public:
  explicit CriticFree(CriticFreeKind kind) : kind_(std::move(kind)), options_(kind_.defaults) {}

  DataKind learns_from() const override { return trains_reward_model() ? DataKind::preferences : DataKind::prompts; }
  LowRankOptions policy_adapter() const override { return adapter_; }
  bool trains_reward_model() const override { return reward().from_model; }
  void bind(OptionTable& table, const std::string& section) override;
  void check(const Study& study, const ArmOptions& arm) const override;
  void plan_before(StudyPlan& plan, const Study& study, const ArmOptions& arm) const override {
    if (trains_reward_model()) plan_reward_model(plan, study, arm);
  }
  void plan(StudyPlan& plan, const Study& study, const ArmOptions& arm) const override;

 private:
  std::string key(const std::string& name) const { return kind_.name + "." + name; }
  const RewardEntry& reward() const { return reward_named(key("reward"), reward_); }
  // With the choices of deck, preset and algorithm.
  train::PolicyGradientOptions resolved(const ArmOptions& arm) const;
  run::Needs needs(const Study& study, const ArmOptions& arm, const run::Assumed& assumed) const;
  Json run_stage(const Context& context, const ArmOptions& arm) const;

  CriticFreeKind kind_;
  train::PolicyGradientOptions options_;
  GivenChoices given_;
  LowRankOptions adapter_;
  std::string reward_ = "model";
};

void CriticFree::bind(OptionTable& table, const std::string& section) {
  train::PolicyGradientOptions& o = options_;
  bind_adapter(table, section + ".lora", adapter_, "the policy's adapter; 0: all weights are trained");
  table.add_choice<std::string>(section + ".reward", &reward_, names_of(stages::rewards()),
                                "what policies learn from: the reward model of their judge, the judge itself on "
                                "pairs (judge) or on each response (judge_score), or its file of rules");
  bind_steps(table, section, o, "prompts of a step, with `responses` each");
  table.add(section + ".responses", &o.rollout.responses, "responses", "responses drawn for each prompt: its group")
      .at_least(kind_.least_responses)
      .at_most(1e4);
  given_.bind(table, section, kind_);
  if (kind_.least_responses > 1)
    table.add(section + ".redraws", &o.rollout.redraws, "draws", "most draws of a prompt, where silent_groups = redraw")
        .at_least(1)
        .at_most(100);
  table.add(section + ".kl_coefficient", &o.kl.coefficient, "1/nat", "weight of the KL a token").at_least(0);
  table.add(section + ".missing_end_penalty", &o.rollout.missing_end_penalty, "",
            "added to the score of a response without end token");
  table
      .add(section + ".overlong_penalty", &o.rollout.overlong_penalty, "",
           "taken off the score of a response of max_new_tokens, with overlong_share")
      .at_least(0);
  table.add(section + ".mask_truncated", &o.loss.mask_truncated, "", "responses without end token have no loss");
  bind_sampling(table, section, o.rollout);
  bind_schedule(table, section, o.schedule, o.adam);
}

train::PolicyGradientOptions CriticFree::resolved(const ArmOptions& arm) const {
  train::PolicyGradientOptions options = options_;
  apply(given_.resolve(kind_, arm.section()), options);
  return options;
}

void CriticFree::check(const Study& study, const ArmOptions& arm) const {
  train::check_policy_gradient_options(resolved(arm), arm.section());
  check_response_length(study.policy, key("max_new_tokens"), options_.rollout.max_new_tokens);
  check_reward(key("reward"), reward(), options_.rollout.responses, study, arm);
}

Json CriticFree::run_stage(const Context& context, const ArmOptions& arm) const {
  const std::string name = kind_.name + "-" + arm.name;
  train::PolicyGradientOptions options = resolved(arm);
  options.seed = data_of(context.study, arm).seed;  // a round's prompts and draws are its own
  if (options.kl.place == train::KlPlace::loss && options.kl.estimator == train::KlEstimator::k3 &&
      context.comm.is_root()) {
    log::warning(name +
                 ": kl = k3_in_loss: its gradient is biased, it is that of KL(reference || policy); k2_in_loss has "
                 "the gradient of KL(policy || reference)");
  }
  const auto language = load_language(context);
  const model::Transformer start = load_run_model(context, arm.start, *language);
  std::optional<model::ScalarModel> reward_model;
  if (trains_reward_model()) reward_model = load_run_reward(context, "reward-" + labels_of(arm), start);
  model::Transformer policy = policy_from(context, start, adapter_);
  const model::Transformer reference = start.share();
  const bool shares_trunk =
      policy.adapter && reward_model && reward_model->body.adapter && context.study.lora.first_layer > 0;
  const auto scorer =
      reward().make(context, arm, {*language, start, reward_model ? &*reward_model : nullptr, shares_trunk});
  const auto callbacks =
      policy_gradient_callbacks(context, *language, name, kind_.name, options, start.config().max_positions, *scorer);
  train::train_policy_gradient({policy, reference}, callbacks, options, context.stage_run(name));
  save_trained_policy(context, arm, *language, policy);
  return policy_gradient_facts(context, name, options.steps, *scorer);
}

run::Needs CriticFree::needs(const Study& study, const ArmOptions& arm, const run::Assumed& assumed) const {
  const Sizes sizes(study, assumed);
  const train::PolicyGradientOptions o = resolved(arm);
  const train::RolloutOptions& rollout = o.rollout;
  const double weights = sizes.weights;
  const bool low_rank = adapter_.rank > 0;
  const Sizes::Adapter actor = sizes.adapter(adapter_);
  const double length = sizes.prompt_length + rollout.max_new_tokens;
  const double a_step = static_cast<double>(rollout.responses_per_step());
  const double tokens = sizes.trained_tokens(static_cast<double>(o.minibatch), length);
  run::Needs sum;
  add_policy_parts(sum, sizes, adapter_, std::ceil(a_step / sizes.ranks) * length);
  if (trains_reward_model()) add_reward_model_part(sum, sizes);
  sizes.add_training(sum, "policy", low_rank ? actor.parameters : weights, tokens, sizes.trained_layers(adapter_));
  add_part(sum, "cache", sizes.cache_bytes(rollout.slots, length));
  add_part(sum, "logits", sizes.logits_bytes(std::max<double>(rollout.slots, tokens)));
  const double greedy =
      o.advantage == train::AdvantageEstimator::greedy ? 1.0 : 0.0;  // drawn and scored, not trained on
  const double responses = static_cast<double>(o.steps) * a_step;
  const double drawn = responses * (1.0 + greedy / rollout.responses);
  sum.generated_tokens = drawn * rollout.max_new_tokens;
  if (reward().asks_judge) sum.asked.push_back(asked_by(reward(), arm, drawn, rollout.responses));
  const double share = sizes.trained_layers(adapter_) / static_cast<double>(sizes.policy.num_layers);
  const double scoring = trains_reward_model() ? drawn / responses : 0.0;
  const double passes =
      low_rank ? (1.0 - share) + share * (1.0 + scoring + 2.0 * o.epochs) : 1.0 + scoring + 3.0 * o.epochs;
  sum.flops = 2.0 * weights * (sum.generated_tokens + responses * length * passes);
  if (reward().asks_judge) sizes.add_reward_judges(sum, arm.judge, drawn, length);
  return sum;
}

void CriticFree::plan(StudyPlan& plan, const Study& study, const ArmOptions& arm) const {
  const train::RolloutOptions& rollout = options_.rollout;
  run::Stage stage = stage_on_rollouts(study, arm, kind_.name, reward());
  stage.size = count_text(options_.steps, "steps of ") + count_text(rollout.prompts_per_step, "prompts with ") +
               count_text(rollout.responses, rollout.responses == 1 ? "response" : "responses");
  stage.needs = [this, how = arm.how, arm, &study](const run::Assumed& assumed) { return needs(study, arm, assumed); };
  stage.run = in_study(study, [this, arm](const Context& context) { return run_stage(context, arm); });
  plan.add(std::move(stage));
}

}  // namespace

train::PolicyGradientOptions critic_free_defaults() {
  train::PolicyGradientOptions options;
  options.critic.only_steps = 0;
  options.whiten_advantages = false;
  options.rollout.redraws = 4;
  return options;
}

Choices critic_free_choices(train::AdvantageEstimator advantage) {
  return {.advantage = advantage,
          .ratio = train::RatioLevel::token,
          .sum = train::LossSum::constant,
          .kl = KlTerm{train::KlPlace::reward, train::KlEstimator::k1},
          .silent_groups = SilentGroups::keep,
          .whiten_advantages = false,
          .clip = 0.2,
          .dual_clip = 0.0,
          .overlong_share = 0.0};
}

std::unique_ptr<Algorithm> make_critic_free(CriticFreeKind kind) {
  return std::make_unique<CriticFree>(std::move(kind));
}

}  // namespace rlaif::stages
