// Direct preference optimisation (Rafailov et al. 2305.18290): a policy from labelled pairs, without reward model and
// rollouts.
#include <algorithm>

#include "../planning.hpp"
#include "algorithms.hpp"
#include "dpo_loss.hpp"
#include "on_pairs.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/train/dpo.hpp"

namespace rlaif::stages {
namespace {

class Dpo final : public Algorithm {
 public:
  DataKind learns_from() const override { return DataKind::preferences; }
  LowRankOptions policy_adapter() const override { return adapter_; }
  void bind(OptionTable& table, const std::string& section) override;
  void check(const Study& study, const ArmOptions& arm) const override;
  void plan_before(StudyPlan&, const Study&, const ArmOptions&) const override {}
  void plan(StudyPlan& plan, const Study& study, const ArmOptions& arm) const override;

 private:
  Json run_stage(const Context& context, const ArmOptions& arm) const;

  train::DpoOptions options_;
  LowRankOptions adapter_;
};

void Dpo::bind(OptionTable& table, const std::string& section) {
  train::DpoOptions& d = options_;
  bind_adapter(table, section + ".lora", adapter_, "the policy's adapter; 0: all weights are trained");
  bind_dpo_loss(table, section, d);
  table.add(section + ".epochs", &d.epochs, "epochs", "passes over the pairs").at_least(1).at_most(most_epochs);
  table.add(section + ".batch", &d.batch, "pairs", "size of a step").at_least(1).at_most(most_items);
  bind_schedule(table, section, d.schedule, d.adam);
}

void Dpo::check(const Study&, const ArmOptions& arm) const { train::check_dpo_options(options_, arm.section()); }

Json Dpo::run_stage(const Context& context, const ArmOptions& arm) const {
  const std::string name = "dpo-" + arm.name;
  const auto language = load_language(context);
  const model::Transformer start = load_run_model(context, arm.start, *language);
  LabelledPairs labelled = read_labelled_pairs(context, *language, arm, name, start.config().max_positions);
  if (options_.hard_labels)
    for (train::TokenPair& pair : labelled.pairs) pair.p_first = train::hard_label(pair.p_first);
  train::DpoOptions options = options_;
  options.seed = context.study.run.seed;
  const train::StageRun run = context.stage_run(name);
  context.comm.agree([&] { train::check_dpo(labelled.pairs, options, start.config().max_positions, name); });
  std::vector<train::AnswerLogProbs> reference;
  if (train::uses_reference(options.loss)) reference = train::reference_log_probs(start, labelled.pairs, run);
  model::Transformer policy = policy_from(context, start, adapter_);
  train::train_dpo(policy, reference, labelled.pairs, options, run);
  save_trained_policy(context, arm, *language, policy);
  const auto ties = std::count_if(labelled.pairs.begin(), labelled.pairs.end(),
                                  [](const train::TokenPair& pair) { return pair.p_first == 0.5; });
  return pair_facts(labelled, static_cast<std::int64_t>(ties));
}

void Dpo::plan(StudyPlan& plan, const Study& study, const ArmOptions& arm) const {
  run::Stage stage = stage_on_pairs(study, arm, "dpo", options_.epochs, options_.batch);
  const double reference_flops = train::uses_reference(options_.loss) ? 2.0 : 0.0;
  stage.needs = [&study, adapter = adapter_, epochs = options_.epochs, batch = options_.batch,
                 reference_flops](const run::Assumed& assumed) {
    return needs_on_pairs(study, assumed, adapter, epochs, batch, reference_flops);
  };
  stage.run = in_study(study, [this, arm](const Context& context) { return run_stage(context, arm); });
  plan.add(std::move(stage));
}

}  // namespace

std::unique_ptr<Algorithm> make_dpo() { return std::make_unique<Dpo>(); }

}  // namespace rlaif::stages
