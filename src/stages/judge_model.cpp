// Judges of the closed world, trained on pairs that gold has labelled.
#include <optional>

#include "makers/mixture.hpp"
#include "planning.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/stages/stages.hpp"

namespace rlaif::stages {
namespace {

constexpr std::uint64_t judge_key = 2;  // of the seed

// Judge models start from numbers and see pairs of their own, so that they do not err alike.
struct JudgeDraws {
  std::uint64_t initialization = judge_key;
  std::uint64_t pairs = 0;
};
JudgeDraws draws_of(const JudgeModel& model) {
  if (model.name == "judge") return {};
  const std::uint64_t own = checksum(model.name);
  return {hash_words({judge_key, own}), own << 41};  // bit 40 tells register texts apart
}

Json run(const Context& context, const JudgeModel& model) {
  const auto language = load_language(context);
  const JudgeDraws draws = draws_of(model);
  model::Transformer judge = fresh_model(context, model.network, *language, draws.initialization);
  std::optional<mixture::JudgeEncoders> encoders;
  context.comm.agree([&] {
    const JudgeModelOptions& options = model.training;
    encoders.emplace(
        mixture::JudgeEncoders{{language->chat, judge::JudgeTemplate::load(options.verdict_first_template)},
                               {language->chat, judge::JudgeTemplate::load(options.rationale_first_template)}});
  });
  train::train_language_model(
      judge,
      [&](std::int64_t i) {
        train::Example example = mixture::judge_example(context, *language, model.training, *encoders,
                                                        draws.pairs | static_cast<std::uint64_t>(i));
        mixture::require_fits(example, judge, model.stage());
        return example;
      },
      model.training.training, context.stage_run(model.stage()));
  save_run_model(context, model.name, *language, judge);
  Json facts;
  facts["steps"] = model.training.training.steps;
  facts["parameters"] = judge.config().num_parameters();
  return facts;
}

}  // namespace

void plan_judge_model(StagePlan& plan, const Study& study, const JudgeModel& model) {
  const train::LanguageModelOptions& training = model.training.training;
  const std::string suffix = suffix_of(model);
  plan.add({.name = model.stage(),
            .kind = "judge-model",
            .of = model.name,
            .command = "sft",
            .size = count_text(training.steps, "steps of ") + count_text(training.batch, "pairs"),
            .sections = sections_with({"judge_network" + suffix, "judge_model" + suffix}),
            .reads = {tokenizer_file},
            .makes = {"models/" + model.name, "metrics/" + model.stage() + ".jsonl"},
            .run = in_study(study, [model](const Context& context) { return run(context, model); })});
}

}  // namespace rlaif::stages
