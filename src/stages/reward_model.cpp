// Reward models from preferences: one for each store that an arm learns from.
#include <algorithm>
#include <optional>

#include "learning.hpp"
#include "planning.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/train/reward.hpp"

namespace rlaif::stages {
namespace {

Json run(const Context& context, const ArmOptions& arm, train::RewardOptions options) {
  const RewardModelOptions& made = context.study.reward;
  const PeopleOptions& people = context.study.labels.people;
  const auto language = load_language(context);
  const std::string name = "reward-" + labels_of(arm);
  const bool own_network = made.start == RewardStart::network;
  const model::Transformer start = load_run_model(context, own_network ? "sft-reward" : arm.start, *language);
  const LabelledPairs labelled = read_labelled_pairs(context, *language, arm, name, start.config().max_positions);
  options.seed = context.study.run.seed;
  // The same head for every judge's labels: arms differ in their labels alone.
  const std::uint64_t seed = context.study.run.seed;
  const bool low_rank = made.adapter.rank > 0;
  model::ScalarModel reward =
      low_rank ? model::ScalarModel::over(start, seed) : model::ScalarModel::from_body(start, seed);
  if (low_rank) reward.body.adapter = new_adapter(context, start, made.adapter, AdapterKey::reward);
  train::train_reward_model(reward, labelled.pairs, options, context.stage_run(name));
  save_run_reward(context, name, *language, reward, arm.start);
  Json facts;
  facts["pairs"] = labelled.pairs.size();
  if (labelled.by_people > 0) {
    facts["people"] = people.name;
    facts["people_pairs"] = labelled.by_people;
    facts["people_weight"] = people.weight;
  }
  facts["score_standard_deviation"] = reward.scale;
  return facts;
}

run::Needs reward_needs(const Study& study, const train::RewardOptions& training, const run::Assumed& assumed) {
  const Sizes sizes(study, assumed);
  const LowRankOptions& adapted = study.reward.adapter;
  const bool low_rank = adapted.rank > 0;
  const Sizes::Adapter adapter = sizes.adapter(adapted);
  const double length = sizes.prompt_length + study.annotate.max_new_tokens;
  const double tokens = sizes.trained_tokens(2.0 * static_cast<double>(training.batch), length);
  run::Needs needs;
  add_part(needs, "base: weights", sizes.weight_bytes(sizes.weights));
  if (!low_rank) add_part(needs, "reward model: weights", sizes.weight_bytes(sizes.weights));
  if (low_rank) add_part(needs, "reward model: adapter", sizes.weight_bytes(adapter.parameters));
  const double layers = sizes.trained_layers(adapted);
  sizes.add_training(needs, "reward model", low_rank ? adapter.parameters : sizes.weights, tokens, layers);
  const double pairs = static_cast<double>(most_pairs(study));
  const double share = layers / static_cast<double>(sizes.policy.num_layers);
  needs.flops = (2.0 + (low_rank ? 2.0 * share : 4.0)) * sizes.weights * 2.0 * pairs * length * training.epochs;
  return needs;
}

}  // namespace

void plan_reward_model(StudyPlan& plan, const Study& study, const ArmOptions& arm) {
  const train::RewardOptions& training = plan.options().reward;
  const bool own_network = study.reward.start == RewardStart::network;
  if (own_network) {
    if (study.reward.adapter.rank > 0)
      throw usage_error("reward.start = network: reward.lora_rank = 0 was expected, adapters are over the policy");
    plan_reward_network(plan, study);
  }
  const std::string name = "reward-" + labels_of(arm);
  const std::int64_t steps = most_pairs(study) * training.epochs / std::max<std::int64_t>(1, training.batch);
  run::Stage stage{
      .name = name,
      .kind = "reward",
      .of = labels_of(arm),
      .command = "reward",
      .size = "up to " + count_text(steps, "steps of ") + count_text(training.batch, "pairs"),
      .sections = sections_with({"reward", "lora"}),
      .reads = {tokenizer_file, "models/" + arm.start, "preferences/" + labels_of(arm)},
      .makes = {"models/" + name, "metrics/" + name + ".jsonl"},
      .needs = [&study, training](const run::Assumed& assumed) { return reward_needs(study, training, assumed); },
      .run = in_study(study, [arm, training](const Context& context) { return run(context, arm, training); })};
  add_untouched_policy(study, stage.sections);
  if (own_network) stage.reads.push_back("models/sft-reward");
  add_people_labels(study, stage.reads);
  plan.add(std::move(stage));
}

void bind_reward_model(OptionTable& table, RewardModelOptions& model, LabelUse& labels,
                       train::RewardOptions& training) {
  bind_adapter(table, "reward.lora", model.adapter, "the reward model's adapter; 0: all weights are trained");
  table.add_choice<RewardStart>(
      "reward.start", &model.start, {{"policy", RewardStart::policy}, {"network", RewardStart::network}},
      "what reward models are trained from: the policy, or a network of the sizes in [reward_network] that is "
      "fine-tuned as the policy is");
  bind_model(table, "reward_network", model.network, "the reward model");
  table.add("reward.epochs", &training.epochs, "epochs", "passes over the pairs").at_least(1).at_most(most_epochs);
  table.add("reward.batch", &training.batch, "pairs", "size of a step").at_least(1).at_most(most_items);
  table
      .add("reward.labels", &labels.first, "labels",
           "labels that reward models learn from, the first ones of each judge; 0: all")
      .at_least(0);
  table.add(
      "reward.people", &labels.people.name, "",
      "labels that take the place of the judge's: of `rlaif spotcheck import` (preferences/spotcheck-NAME), or of "
      "the judge of that name among study.judges; empty: none");
  table
      .add("reward.people_labels", &labels.people.labels, "labels",
           "people's labels that are used, the first ones; 0: all")
      .at_least(0)
      .listed_where_set();
  table.add("reward.people_weight", &labels.people.weight, "", "weight of such a pair's loss; a judge's has 1")
      .above(0);
  table
      .add("reward.head_learning_rate_scale", &training.head_learning_rate_scale, "",
           "rate of the head against that of the body")
      .at_least(0);
  bind_schedule(table, "reward", training.schedule, training.adam);
}

}  // namespace rlaif::stages
