// Direct preference optimisation (Rafailov et al. 2305.18290): a policy from labelled pairs, without reward model and rollouts.
#include <algorithm>

#include "../learning.hpp"
#include "../planning.hpp"
#include "algorithms.hpp"
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
  void check(const StudyOptions& options, const ArmOptions& arm) const override;
  void plan_before(StagePlan&, const Study&, const ArmOptions&) const override {}
  void plan(StagePlan& plan, const Study& study, const ArmOptions& arm) const override;

 private:
  run::Needs needs(const StudyOptions& options, int ranks) const;
  Json run_stage(const Context& context, const ArmOptions& arm) const;

  train::DpoOptions options_;
  LowRankOptions adapter_;
};

void Dpo::bind(OptionTable& table, const std::string& section) {
  train::DpoOptions& d = options_;
  bind_adapter(table, section + ".lora", adapter_, "the policy's adapter; 0: all weights are trained");
  table.add_choice<train::DpoLoss>(
      section + ".loss", &d.loss, train::dpo_loss_names(),
      "of the log-ratios: sigmoid is DPO with soft labels, conservative and robust allow for "
      "flipped labels, simpo needs no reference");
  table.add(section + ".beta", &d.beta, "", "strength of the pull to the reference; tau of ipo; simpo wants about 2")
      .above(0);
  table
      .add(section + ".label_smoothing", &d.label_smoothing, "",
           "conservative, robust: share of labels that are flipped")
      .at_least(0)
      .below(0.5);
  table.add(section + ".length_normalised", &d.length_normalised, "",
            "log-ratios a token: length-normalised DPO, averaged ipo; simpo always");
  table.add(section + ".simpo_margin", &d.simpo_margin, "", "gamma of simpo").at_least(0);
  table.add(section + ".hard_labels", &d.hard_labels, "",
            "labels count as 1, 0, or 0.5 for a tie, however sure the judge was");
  table
      .add(section + ".nll_weight", &d.nll_weight, "",
           "of the preferred answer's negative log-likelihood a token, in the loss")
      .at_least(0);
  table.add(section + ".epochs", &d.epochs, "epochs", "passes over the pairs").at_least(1).at_most(most_epochs);
  table.add(section + ".batch", &d.batch, "pairs", "a step").at_least(1).at_most(most_items);
  bind_schedule(table, section, d.schedule, d.adam);
}

void Dpo::check(const StudyOptions&, const ArmOptions& arm) const { train::check_dpo_options(options_, arm.section()); }

Json Dpo::run_stage(const Context& context, const ArmOptions& arm) const {
  const std::string name = "dpo-" + arm.name;
  const auto language = load_language(context);
  const model::Transformer start = load_run_model(context, arm.start, *language);
  LabelledPairs labelled = read_labelled_pairs(context, *language, arm, name, start.config().max_positions);
  if (options_.hard_labels)
    for (train::TokenPair& pair : labelled.pairs) pair.p_first = train::hard_label(pair.p_first);
  train::DpoOptions options = options_;
  options.seed = context.options.run.seed;
  const train::StageRun run = context.stage_run(name);
  context.comm.agree([&] { train::check_dpo(labelled.pairs, options, start.config().max_positions, name); });
  std::vector<train::AnswerLogProbs> reference;
  if (train::uses_reference(options.loss)) reference = train::reference_log_probs(start, labelled.pairs, run);
  model::Transformer policy = adapter_.rank > 0 ? start.share() : start.clone();
  if (adapter_.rank > 0) policy.adapter = new_adapter(context, start, adapter_, AdapterKey::policy);
  train::train_dpo(policy, reference, labelled.pairs, options, run);
  save_trained_policy(context, arm, *language, policy);
  Json facts;
  facts["pairs"] = labelled.pairs.size();
  facts["ties"] = std::count_if(labelled.pairs.begin(), labelled.pairs.end(),
                                [](const train::TokenPair& pair) { return pair.p_first == 0.5; });
  if (labelled.by_people > 0) facts["people_pairs"] = labelled.by_people;
  return facts;
}

run::Needs Dpo::needs(const StudyOptions& options, int ranks) const {
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
  const double reference = train::uses_reference(options_.loss) ? 2.0 : 0.0;
  const double update = 2.0 + (low_rank ? 2.0 * share : 4.0);
  sum.flops = (reference + update * options_.epochs) * sizes.weights * 2.0 * pairs * length;
  return sum;
}

void Dpo::plan(StagePlan& plan, const Study& study, const ArmOptions& arm) const {
  const StudyOptions& options = study.options;
  const std::string name = "dpo-" + arm.name;
  const std::int64_t steps = options.annotate.prompts * options.annotate.pairs_a_prompt() * options_.epochs /
                             std::max<std::int64_t>(1, options_.batch);
  run::Stage stage{.name = name,
                   .kind = "dpo",
                   .of = arm.name,
                   .command = "dpo",
                   .size = "up to " + count_text(steps, "steps of ") + count_text(options_.batch, "pairs"),
                   .sections = sections_with(
                       {"dpo", "lora", "reward.labels", "reward.people", "reward.people_weight", arm.section()}),
                   .reads = {tokenizer_file, "models/sft", "models/" + arm.start, "preferences/" + labels_of(arm)},
                   .makes = {"models/" + arm.name, "metrics/" + name + ".jsonl"},
                   .needs = [this, how = arm.how, &options](int ranks) { return needs(options, ranks); },
                   .run = in_study(study, [this, arm](const Context& context) { return run_stage(context, arm); })};
  add_untouched_policy(options, stage.sections);
  add_people_labels(options, stage.reads);
  plan.add(std::move(stage));
}

}  // namespace

std::unique_ptr<Algorithm> make_dpo() { return std::make_unique<Dpo>(); }

}  // namespace rlaif::stages
