#include "on_pairs.hpp"

#include <algorithm>

#include "../planning.hpp"

namespace rlaif::stages {

run::Stage stage_on_pairs(const Study& study, const ArmOptions& arm, const std::string& algorithm, int epochs,
                          std::int64_t batch) {
  const std::string name = algorithm + "-" + arm.name;
  const std::int64_t steps = most_pairs(study) * epochs / std::max<std::int64_t>(1, batch);
  run::Stage stage;
  stage.name = name;
  stage.kind = algorithm;
  stage.of = arm.name;
  stage.command = algorithm;
  stage.size = "up to " + count_text(steps, "steps of ") + count_text(batch, "pairs");
  stage.sections =
      sections_with({algorithm, "lora", "reward.labels", "reward.people", "reward.people_weight", arm.section()});
  stage.reads = {tokenizer_file, "models/sft", "models/" + arm.start, "preferences/" + labels_of(arm)};
  stage.makes = {"models/" + arm.name, "metrics/" + name + ".jsonl"};
  add_untouched_policy(study, stage.sections);
  add_people_labels(study, stage.reads);
  return stage;
}

run::Needs needs_on_pairs(const Study& study, const run::Assumed& assumed, const LowRankOptions& adapter, int epochs,
                          std::int64_t batch, double reference_flops) {
  const Sizes sizes(study, assumed);
  const bool low_rank = adapter.rank > 0;
  const double trained = low_rank ? sizes.adapter(adapter).parameters : sizes.weights;
  const double length = sizes.prompt_length + study.annotate.max_new_tokens;
  const double tokens = sizes.trained_tokens(2.0 * static_cast<double>(batch), length);
  const double layers = sizes.trained_layers(adapter);
  run::Needs sum;
  add_part(sum, "base, also reference: weights", sizes.weight_bytes(sizes.weights));
  add_part(sum, low_rank ? "policy: adapter" : "policy: weights", sizes.weight_bytes(trained));
  sizes.add_training(sum, "policy", trained, tokens, layers);
  add_part(sum, "logits", sizes.logits_bytes(tokens));
  const double pairs = static_cast<double>(most_pairs(study));
  const double share = layers / static_cast<double>(sizes.policy.num_layers);
  const double update = 2.0 + (low_rank ? 2.0 * share : 4.0);
  sum.flops = (reference_flops + update * epochs) * sizes.weights * 2.0 * pairs * length;
  return sum;
}

Json pair_facts(const LabelledPairs& labelled, std::int64_t ties) {
  Json facts;
  facts["pairs"] = labelled.pairs.size();
  facts["ties"] = ties;
  if (labelled.by_people > 0) facts["people_pairs"] = labelled.by_people;
  return facts;
}

}  // namespace rlaif::stages
