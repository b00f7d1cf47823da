// Policies sampled on held-out prompts, and the tables about them, their judges and reward models.
#include <algorithm>
#include <map>

#include "planning.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/stages/stages.hpp"
#include "sampling.hpp"
#include "tables/judged.hpp"
#include "tables/tables.hpp"

namespace rlaif::stages {
namespace {

// `is_compared`: judges have the last word, so that policies need no yardstick of the study's own.
Json run(const Context& context, const EvaluateOptions& options, bool is_compared) {
  const auto language = load_language(context);
  const model::Transformer sft = load_run_model(context, "sft", *language);
  const std::uint64_t seed = context.study.run.seed;
  std::map<std::string, PolicySamples> samples;
  const HeldoutDraws draws = evaluation_draws(context);
  samples["sft"] = sample_policy(context, options, *language, draws, "sft", sft, sft, seed);
  samples["sft-again"] = sample_policy(context, options, *language, draws, "sft-again", sft, sft, seed + 0x5eed);
  for (const ArmOptions& arm : context.study.arms) {
    const model::Transformer policy = load_policy(context, arm.name, sft, *language);
    samples[arm.name] = sample_policy(context, options, *language, draws, arm.name, policy, sft, seed);
  }
  const Json judged = judged_facts(context, *language, sft, options.resamples);
  const std::vector<Json> best_of_n = sample_best_of_n(context, options, *language, sft);

  Json facts;
  context.comm.on_root([&] {
    if (samples["sft"].utilities.empty() && !is_compared) {
      throw input_error(
          "evaluate: no held-out prompt has a gold utility or fits the context; at least one was expected, or judges "
          "in "
          "evaluate.by");
    }
    for (const auto& [name, one] : samples) write_samples(draws, name, one.lines);
    if (!best_of_n.empty()) write_samples(draws, "best-of-n", best_of_n);
    const Evaluated evaluated{context, samples, judged, best_of_n, options.resamples};
    for (const Table& table : tables()) {
      if (table.rows) facts["results"].update(table.rows(evaluated));
    }
  });
  return facts;
}

run::Needs evaluate_needs(const Study& study, const EvaluateOptions& e, const run::Assumed& assumed) {
  const Sizes sizes(study, assumed);
  const double length = sizes.prompt_length + e.max_new_tokens;
  run::Needs needs;
  add_part(needs, "base: weights", sizes.weight_bytes(sizes.weights));
  add_part(needs, "cache", sizes.cache_bytes(e.slots, length));
  add_part(needs, "logits", sizes.logits_bytes(e.slots));
  double policy = 0.0;  // the largest: one is there at a time
  for (const ArmOptions& arm : study.arms) {
    const LowRankOptions adapter = algorithm_of(arm).policy_adapter();
    policy = std::max(policy, adapter.rank > 0 ? sizes.adapter(adapter).touched_weights : sizes.weights);
  }
  add_part(needs, "policy: weights", sizes.weight_bytes(policy));
  const double policies = static_cast<double>(study.arms.size()) + 2.0;
  const double responses = static_cast<double>(e.prompts) * (policies * e.samples + e.best_of_n);
  needs.generated_tokens = responses * e.max_new_tokens;
  needs.flops = 2.0 * sizes.weights * (needs.generated_tokens + responses * length * (e.specificity ? 2.0 : 1.0));
  return needs;
}

}  // namespace

void plan_evaluate(StudyPlan& plan, const Study& study) {
  const EvaluateOptions& options = plan.options().evaluate;
  run::Stage stage{
      .name = "evaluate",
      .kind = "evaluate",
      .of = "",
      .command = "evaluate",
      .size = count_text(options.prompts, "prompts x ") + count_text(options.samples, "responses of ") +
              count_text(static_cast<std::int64_t>(study.arms.size()) + 2, "policies"),
      .reads = {tokenizer_file, "models", "preferences"},
      .makes = {"evaluation"},
      .needs = [&study, options](const run::Assumed& assumed) { return evaluate_needs(study, options, assumed); },
      .run = in_study(study, [options, is_compared = !plan.options().compare.by.empty()](const Context& context) {
        return run(context, options, is_compared);
      })};
  plan.add(std::move(stage));
}

void bind_evaluate(OptionTable& table, EvaluateOptions& o) {
  table.add("evaluate.prompts", &o.prompts, "prompts", "held-out prompts, drawn with the families' weights")
      .at_least(1)
      .at_most(most_items);
  table.add("evaluate.samples", &o.samples, "responses", "responses to a prompt").at_least(1);
  table
      .add("evaluate.best_of_n", &o.best_of_n, "responses",
           "responses of sft to a prompt, from which the best of 1, 2, 4, ... by every reward model are told; 0: not "
           "asked")
      .at_least(0)
      .at_most(1e4);
  table.add("evaluate.temperature", &o.temperature, "", "temperature of sampling").at_least(0);
  table.add("evaluate.block", &o.block, "prompts", "size of a block of work").at_least(1).at_most(most_items);
  table.add("evaluate.max_new_tokens", &o.max_new_tokens, "tokens", "longest response").at_least(1);
  table.add("evaluate.slots", &o.slots, "sequences", "sequences decoded together").at_least(1);
  table.add("evaluate.resamples", &o.resamples, "", "resamples of the bootstrap over prompts").at_least(1);
  table.add("evaluate.specificity", &o.specificity, "",
            "also ask the SFT model whether a response fits its own question better than another one");
}

}  // namespace rlaif::stages
