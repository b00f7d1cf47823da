// Online DPO (Guo et al. 2402.04792): a policy from pairs of its own responses, labelled by the arm's judge or reward model while
// it learns.
#include <algorithm>
#include <optional>

#include "../learning.hpp"
#include "../planning.hpp"
#include "algorithms.hpp"
#include "dpo_loss.hpp"
#include "policy_gradient.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/check_options.hpp"
#include "rlaif/train/online_dpo.hpp"

namespace rlaif::stages {
namespace {

const std::string kind = "online_dpo";

class OnlineDpo final : public Algorithm {
 public:
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
  const RewardEntry& reward() const { return reward_named(kind + ".reward", reward_); }
  run::Needs needs(const Study& study, const ArmOptions& arm, const run::Assumed& assumed) const;
  Json run_stage(const Context& context, const ArmOptions& arm) const;

  train::OnlineDpoOptions options_;
  LowRankOptions adapter_;
  std::string reward_ = "judge";
};

void OnlineDpo::bind(OptionTable& table, const std::string& section) {
  train::OnlineDpoOptions& o = options_;
  bind_adapter(table, section + ".lora", adapter_, "the policy's adapter; 0: all weights are trained");
  table.add_choice<std::string>(section + ".reward", &reward_, names_of(stages::rewards()),
                                "who labels the pairs: the arm's judge, the reward model of its labels, or its file of "
                                "rules");
  table.add(section + ".steps", &o.steps, "steps", "steps of drawing, labelling and updating once")
      .at_least(1)
      .at_most(most_items);
  table
      .add(section + ".prompts_per_step", &o.rollout.prompts_per_step, "prompts",
           "prompts of a step, with two responses each: the pairs of a step")
      .at_least(1)
      .at_most(most_items);
  bind_dpo_loss(table, section, o.loss);
  bind_sampling(table, section, o.rollout);
  bind_schedule(table, section, o.schedule, o.adam);
}

void OnlineDpo::check(const Study& study, const ArmOptions& arm) const {
  train::check_online_dpo_options(options_, arm.section(), kind);
  check_response_length(study.policy, kind + ".max_new_tokens", options_.rollout.max_new_tokens);
  check_reward(kind + ".reward", reward(), options_.rollout.responses, study, arm);
}

Json OnlineDpo::run_stage(const Context& context, const ArmOptions& arm) const {
  const std::string name = kind + "-" + arm.name;
  train::OnlineDpoOptions options = options_;
  options.seed = data_of(context.study, arm).seed;  // a round's prompts and draws are its own
  const auto language = load_language(context);
  const model::Transformer start = load_run_model(context, arm.start, *language);
  std::optional<model::ScalarModel> reward_model;
  if (trains_reward_model()) reward_model = load_run_reward(context, "reward-" + labels_of(arm), start);
  model::Transformer policy = policy_from(context, start, adapter_);
  const auto scorer = reward().make(context, arm, {*language, start, reward_model ? &*reward_model : nullptr, false});
  train::PolicyGradientOptions drawing;
  drawing.rollout = options.rollout;
  drawing.seed = options.seed;
  const auto drawn_by =
      policy_gradient_callbacks(context, *language, name, kind, drawing, start.config().max_positions, *scorer);
  train::train_online_dpo(policy, start,
                          {.prompt = drawn_by.prompt,
                           .prefer = [&](std::span<const train::Drawn> pairs) { return scorer->prefer(pairs); },
                           .asked = drawn_by.asked,
                           .monitor = drawn_by.monitor},
                          options, context.stage_run(name));
  save_trained_policy(context, arm, *language, policy);
  return policy_gradient_facts(context, name, options.steps, *scorer);
}

run::Needs OnlineDpo::needs(const Study& study, const ArmOptions& arm, const run::Assumed& assumed) const {
  const Sizes sizes(study, assumed);
  const train::RolloutOptions& rollout = options_.rollout;
  const bool low_rank = adapter_.rank > 0;
  const double trained = low_rank ? sizes.adapter(adapter_).parameters : sizes.weights;
  const double length = sizes.prompt_length + rollout.max_new_tokens;
  const double a_step = 2.0 * static_cast<double>(rollout.prompts_per_step);
  const double tokens = sizes.trained_tokens(a_step, length);
  run::Needs sum;
  add_policy_parts(sum, sizes, adapter_, 0.0);
  if (!low_rank) add_part(sum, "policy: weights that the engine reads", sizes.weight_bytes(sizes.weights));
  if (trains_reward_model()) add_reward_model_part(sum, sizes);
  sizes.add_training(sum, "policy", trained, tokens, sizes.trained_layers(adapter_));
  add_part(sum, "cache", sizes.cache_bytes(rollout.slots, length));
  add_part(sum, "logits", sizes.logits_bytes(std::max<double>(rollout.slots, tokens)));
  const double responses = static_cast<double>(options_.steps) * a_step;
  sum.generated_tokens = responses * rollout.max_new_tokens;
  if (reward().asks_judge) sum.asked.push_back(asked_by(reward(), arm, responses, 2.0));
  const double share = sizes.trained_layers(adapter_) / static_cast<double>(sizes.policy.num_layers);
  const double reference = train::uses_reference(options_.loss.loss) ? 1.0 : 0.0;
  const double scoring = trains_reward_model() ? 1.0 : 0.0;
  const double passes = reference + scoring + 1.0 + (low_rank ? share : 2.0);
  sum.flops = 2.0 * sizes.weights * (sum.generated_tokens + responses * length * passes);
  if (reward().asks_judge) sizes.add_reward_judges(sum, arm.judge, responses, length);
  return sum;
}

void OnlineDpo::plan(StudyPlan& plan, const Study& study, const ArmOptions& arm) const {
  run::Stage stage = stage_on_rollouts(study, arm, kind, reward());
  stage.size = count_text(options_.steps, "steps of ") +
               count_text(options_.rollout.prompts_per_step, "pairs drawn and labelled");
  stage.needs = [this, how = arm.how, arm, &study](const run::Assumed& assumed) { return needs(study, arm, assumed); };
  stage.run = in_study(study, [this, arm](const Context& context) { return run_stage(context, arm); });
  plan.add(std::move(stage));
}

}  // namespace

std::unique_ptr<Algorithm> make_online_dpo() { return std::make_unique<OnlineDpo>(); }

}  // namespace rlaif::stages
