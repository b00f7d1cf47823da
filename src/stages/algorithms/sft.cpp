// Supervised fine-tuning of a policy on demonstrations of its data set: next-token loss on the responses.
#include <optional>

#include "../learning.hpp"
#include "../makers/demonstrations.hpp"
#include "../planning.hpp"
#include "algorithms.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/train/language_model.hpp"

namespace rlaif::stages {
namespace {

class Sft final : public Algorithm {
 public:
  DataKind learns_from() const override { return DataKind::demonstrations; }
  LowRankOptions policy_adapter() const override { return adapter_; }
  void bind(OptionTable& table, const std::string& section) override;
  void check(const Study&, const ArmOptions&) const override {}
  void plan_before(StudyPlan&, const Study&, const ArmOptions&) const override {}
  void plan(StudyPlan& plan, const Study& study, const ArmOptions& arm) const override;

 private:
  run::Needs needs(const Study& study, const run::Assumed& assumed) const;
  Json run_stage(const Context& context, const ArmOptions& arm) const;

  train::LanguageModelOptions training_{0, 24, {1e-4, 10, 0.1}, {}};  // steps are derived
  int epochs_ = 2;
  LowRankOptions adapter_;
};

void Sft::bind(OptionTable& table, const std::string& section) {
  bind_adapter(table, section + ".lora", adapter_, "the policy's adapter; 0: all weights are trained");
  table.add(section + ".epochs", &epochs_, "epochs", "passes over the demonstrations").at_least(1).at_most(most_epochs);
  table.add(section + ".batch", &training_.batch, "demonstrations", "size of a step").at_least(1).at_most(most_items);
  bind_schedule(table, section, training_.schedule, training_.adam);
}

Json Sft::run_stage(const Context& context, const ArmOptions& arm) const {
  const std::string name = "finetune-" + arm.name;
  const auto language = load_language(context);
  const model::Transformer start = load_run_model(context, arm.start, *language);
  const auto folder = context.directory.root() / data_path(data_of(context.study, arm));
  train::LanguageModelOptions training = training_;
  std::vector<train::Example> examples;
  std::optional<EpochOrder> order;
  context.comm.agree([&] {
    examples = encode_fitting(*language, read_demonstrations(folder), start.config().max_positions, name, folder);
    order.emplace(static_cast<std::int64_t>(examples.size()), epochs_, context.study.run.seed);
    training.steps = order->steps(training.batch);
    if (training.steps > 0) return;
    throw input_error(folder, std::to_string(examples.size()) + " demonstrations in " + std::to_string(epochs_) +
                                  " epoch(s) were found, at least a batch of " + std::to_string(training.batch) + " (" +
                                  arm.section() + ".batch) was expected");
  });
  model::Transformer policy = policy_from(context, start, adapter_);
  train::train_language_model(
      policy, [&](std::int64_t i) { return examples[static_cast<std::size_t>((*order)[i])]; }, training,
      context.stage_run(name));
  save_trained_policy(context, arm, *language, policy);
  Json facts;
  facts["steps"] = training.steps;
  facts["demonstrations"] = examples.size();
  return facts;
}

run::Needs Sft::needs(const Study& study, const run::Assumed& assumed) const {
  const Sizes sizes(study, assumed);
  const bool low_rank = adapter_.rank > 0;
  const double trained = low_rank ? sizes.adapter(adapter_).parameters : sizes.weights;
  const double length = sizes.prompt_length + study.annotate.max_new_tokens;
  const double tokens = sizes.trained_tokens(static_cast<double>(training_.batch), length);
  run::Needs sum;
  add_part(sum, "base: weights", sizes.weight_bytes(sizes.weights));
  add_part(sum, low_rank ? "policy: adapter" : "policy: weights", sizes.weight_bytes(trained));
  sizes.add_training(sum, "policy", trained, tokens, sizes.trained_layers(adapter_));
  add_part(sum, "logits", sizes.logits_bytes(tokens));
  return sum;
}

void Sft::plan(StudyPlan& plan, const Study& study, const ArmOptions& arm) const {
  const std::string name = "finetune-" + arm.name;
  const DataSet data = data_of(study, arm);
  run::Stage stage{
      .name = name,
      .kind = "sft",
      .of = arm.name,
      .command = "finetune",
      .size = count_text(epochs_, "passes over data " + data.name + " in steps of ") +
              count_text(training_.batch, "demonstrations"),
      .sections = sections_with({"finetune", "lora", arm.section()}),
      .reads = {tokenizer_file, "models/sft", "models/" + arm.start, data_path(data)},
      .makes = {"models/" + arm.name, "metrics/" + name + ".jsonl"},
      .needs = [this, how = arm.how, &study](const run::Assumed& assumed) { return needs(study, assumed); },
      .run = in_study(study, [this, arm](const Context& context) { return run_stage(context, arm); })};
  add_untouched_policy(study, stage.sections);
  plan.add(std::move(stage));
}

}  // namespace

std::unique_ptr<Algorithm> make_sft() { return std::make_unique<Sft>(); }

}  // namespace rlaif::stages
