// Kahneman-Tversky optimisation (Ethayarajh et al. 2402.01306): a policy from answers that are each good or bad, here
// those of labelled pairs, without reward model and rollouts.
#include <algorithm>

#include "../learning.hpp"
#include "../planning.hpp"
#include "algorithms.hpp"
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
  void check(const StudyOptions& options, const ArmOptions& arm) const override;
  void plan_before(StagePlan&, const Study&, const ArmOptions&) const override {}
  void plan(StagePlan& plan, const Study& study, const ArmOptions& arm) const override;

 private:
  run::Needs needs(const StudyOptions& options, int ranks) const;
  Json run_stage(const Context& context, const ArmOptions& arm) const;

  train::KtoOptions options_;
  LowRankOptions adapter_;
};

void Kto::bind(OptionTable& table, const std::string& section) {
  train::KtoOptions& k = options_;
  bind_adapter(table, section + ".lora", adapter_, "the policy's adapter; 0: all weights are trained");
  table.add(section + ".beta", &k.beta, "", "of the log-ratios: how far from the reference an answer saturates")
      .above(0);
  table.add(section + ".desirable_weight", &k.desirable_weight, "", "of the losses of preferred answers").above(0);
  table.add(section + ".undesirable_weight", &k.undesirable_weight, "", "of the losses of the others").above(0);
  table.add(section + ".epochs", &k.epochs, "epochs", "passes over the pairs").at_least(1).at_most(most_epochs);
  table.add(section + ".batch", &k.batch, "pairs", "a step, two answers each").at_least(1).at_most(most_items);
  bind_schedule(table, section, k.schedule, k.adam);
}

void Kto::check(const StudyOptions&, const ArmOptions& arm) const { train::check_kto_options(options_, arm.section()); }

Json Kto::run_stage(const Context& context, const ArmOptions& arm) const {
  const std::string name = "kto-" + arm.name;
  const auto language = load_language(context);
  const model::Transformer start = load_run_model(context, arm.start, *language);
  LabelledPairs labelled = read_labelled_pairs(context, *language, arm, name, start.config().max_positions);
  // Of a tie no answer is good or bad.
  const auto ties = std::erase_if(labelled.pairs, [](const train::TokenPair& pair) { return pair.p_first == 0.5; });
  train::KtoOptions options = options_;
  options.seed = context.options.run.seed;
  const train::StageRun run = context.stage_run(name);
  context.comm.agree([&] { train::check_kto(labelled.pairs, options, start.config().max_positions, name); });
  const auto reference_log_probs = train::reference_log_probs(start, labelled.pairs, run);
  const model::Transformer reference = start.share();
  model::Transformer policy = adapter_.rank > 0 ? start.share() : start.clone();
  if (adapter_.rank > 0) policy.adapter = new_adapter(context, start, adapter_, AdapterKey::policy);
  train::train_kto(policy, reference, reference_log_probs, labelled.pairs, options, run);
  save_trained_policy(context, arm, *language, policy);
  Json facts;
  facts["pairs"] = labelled.pairs.size();
  facts["ties"] = ties;
  if (labelled.by_people > 0) facts["people_pairs"] = labelled.by_people;
  return facts;
}

run::Needs Kto::needs(const StudyOptions& options, int ranks) const {
  const Sizes sizes(options, ranks);
  const bool low_rank = adapter_.rank > 0;
  const double trained = low_rank ? sizes.adapter(adapter_).parameters : sizes.weights;
  const double length = sizes.prompt_length() + options.annotate.max_new_tokens;
  const double tokens = sizes.trained_tokens(2.0 * static_cast<double>(options_.batch), length);
  const double layers = sizes.trained_layers(adapter_);
  run::Needs sum;
  add_part(sum, "base, also reference: weights", sizes.weight_bytes(sizes.weights));
  add_part(sum, low_rank ? "policy: adapter" : "policy: weights", sizes.weight_bytes(trained));
  sizes.add_training(sum, "policy", trained, tokens, layers);
  add_part(sum, "logits", sizes.logits_bytes(tokens));
  const double pairs = static_cast<double>(options.annotate.prompts * options.annotate.pairs_a_prompt());
  const double share = layers / static_cast<double>(sizes.policy.num_layers);
  const double reference = 2.0 + 4.0 * options_.epochs;  // once, and both models behind other prompts
  const double update = 2.0 + (low_rank ? 2.0 * share : 4.0);
  sum.flops = (reference + update * options_.epochs) * sizes.weights * 2.0 * pairs * length;
  return sum;
}

void Kto::plan(StagePlan& plan, const Study& study, const ArmOptions& arm) const {
  const StudyOptions& options = study.options;
  const std::string name = "kto-" + arm.name;
  const std::int64_t steps = options.annotate.prompts * options.annotate.pairs_a_prompt() * options_.epochs /
                             std::max<std::int64_t>(1, options_.batch);
  run::Stage stage{.name = name,
                   .kind = "kto",
                   .of = arm.name,
                   .command = "kto",
                   .size = "up to " + count_text(steps, "steps of ") + count_text(options_.batch, "pairs"),
                   .sections = sections_with(
                       {"kto", "lora", "reward.labels", "reward.people", "reward.people_weight", arm.section()}),
                   .reads = {tokenizer_file, "models/sft", "models/" + arm.start, "preferences/" + labels_of(arm)},
                   .makes = {"models/" + arm.name, "metrics/" + name + ".jsonl"},
                   .needs = [this, how = arm.how, &options](int ranks) { return needs(options, ranks); },
                   .run = in_study(study, [this, arm](const Context& context) { return run_stage(context, arm); })};
  add_untouched_policy(options, stage.sections);
  add_people_labels(options, stage.reads);
  plan.add(std::move(stage));
}

}  // namespace

std::unique_ptr<Algorithm> make_kto() { return std::make_unique<Kto>(); }

}  // namespace rlaif::stages
