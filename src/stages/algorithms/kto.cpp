// Kahneman-Tversky optimisation (Ethayarajh et al. 2402.01306): a policy from answers that are each good or bad, here
// those of labelled pairs, without reward model and rollouts.
#include <vector>

#include "../planning.hpp"
#include "algorithms.hpp"
#include "on_pairs.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/train/kto.hpp"

namespace rlaif::stages {
namespace {

class Kto final : public Algorithm {
 public:
  DataKind learns_from() const override { return DataKind::preferences; }
  LowRankOptions policy_adapter() const override { return adapter_; }
  void bind(OptionTable& table, const std::string& section) override;
  void check(const Study& study, const ArmOptions& arm) const override;
  void plan_before(StudyPlan&, const Study&, const ArmOptions&) const override {}
  void plan(StudyPlan& plan, const Study& study, const ArmOptions& arm) const override;

 private:
  Json run_stage(const Context& context, const ArmOptions& arm) const;

  train::KtoOptions options_;
  LowRankOptions adapter_;
};

void Kto::bind(OptionTable& table, const std::string& section) {
  train::KtoOptions& k = options_;
  bind_adapter(table, section + ".lora", adapter_, "the policy's adapter; 0: all weights are trained");
  table.add(section + ".beta", &k.beta, "", "scale of the log-ratios: how far from the reference an answer saturates")
      .above(0);
  table.add(section + ".desirable_weight", &k.desirable_weight, "", "weight of the losses of preferred answers")
      .above(0);
  table.add(section + ".undesirable_weight", &k.undesirable_weight, "", "weight of the losses of the other answers")
      .above(0);
  table.add(section + ".epochs", &k.epochs, "epochs", "passes over the pairs").at_least(1).at_most(most_epochs);
  table.add(section + ".batch", &k.batch, "pairs", "pairs of a step, two answers each").at_least(1).at_most(most_items);
  bind_schedule(table, section, k.schedule, k.adam);
}

void Kto::check(const Study&, const ArmOptions& arm) const { train::check_kto_options(options_, arm.section()); }

Json Kto::run_stage(const Context& context, const ArmOptions& arm) const {
  const std::string name = "kto-" + arm.name;
  const auto language = load_language(context);
  const model::Transformer start = load_run_model(context, arm.start, *language);
  LabelledPairs labelled = read_labelled_pairs(context, *language, arm, name, start.config().max_positions);
  // Of a tie no answer is good or bad.
  const auto ties = std::erase_if(labelled.pairs, [](const train::TokenPair& pair) { return pair.p_first == 0.5; });
  train::KtoOptions options = options_;
  options.seed = context.study.run.seed;
  const train::StageRun run = context.stage_run(name);
  context.comm.agree([&] { train::check_kto(labelled.pairs, options, start.config().max_positions, name); });
  const auto reference_log_probs = train::reference_log_probs(start, labelled.pairs, run);
  const model::Transformer reference = start.share();
  model::Transformer policy = policy_from(context, start, adapter_);
  train::train_kto(policy, reference, reference_log_probs, labelled.pairs, options, run);
  save_trained_policy(context, arm, *language, policy);
  return pair_facts(labelled, static_cast<std::int64_t>(ties));
}

void Kto::plan(StudyPlan& plan, const Study& study, const ArmOptions& arm) const {
  run::Stage stage = stage_on_pairs(study, arm, "kto", options_.epochs, options_.batch);
  const double reference_flops = 2.0 + 4.0 * options_.epochs;  // once, and both models behind other prompts
  stage.needs = [&study, adapter = adapter_, epochs = options_.epochs, batch = options_.batch,
                 reference_flops](const run::Assumed& assumed) {
    return needs_on_pairs(study, assumed, adapter, epochs, batch, reference_flops);
  };
  stage.run = in_study(study, [this, arm](const Context& context) { return run_stage(context, arm); });
  plan.add(std::move(stage));
}

}  // namespace

std::unique_ptr<Algorithm> make_kto() { return std::make_unique<Kto>(); }

}  // namespace rlaif::stages
