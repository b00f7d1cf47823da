// Judges trained on pairs: of the closed world, which gold has labelled, or of a file, which people have.
#include <optional>

#include "labelled_examples.hpp"
#include "makers/mixture.hpp"
#include "planning.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/ids.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/stages/judge_model.hpp"
#include "rlaif/study/check_options.hpp"

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
  return {hash_words({judge_key, own}), text_family(own)};
}

Json model_facts(const JudgeModel& model, const model::Transformer& judge) {
  return {{"steps", model.training.training.steps}, {"parameters", judge.config().num_parameters()}};
}

Json learn_from_people(const Context& context, const JudgeModel& model, const Language& language,
                       model::Transformer& judge) {
  std::optional<LabelledExamples> examples;
  context.comm.agree([&] { examples.emplace(context.study.run.seed, language, model, judge.config().max_positions); });
  if (examples->too_long() > 0) {
    log::info(model.stage() + ": " + std::to_string(examples->too_long()) +
              " pairs longer than the context were left out");
  }
  train::train_language_model(
      judge, [&](std::int64_t i) { return examples->at(i); }, model.training.training,
      context.stage_run(model.stage()));
  save_run_model(context, model.name, language, judge);
  Json facts = model_facts(model, judge);
  facts["pairs"] = examples->pairs();
  facts["pairs_too_long"] = examples->too_long();
  facts["soft_labels"] = examples->soft();
  return facts;
}

Json run(const Context& context, const JudgeModel& model) {
  const auto language = load_language(context);
  const JudgeDraws draws = draws_of(model);
  model::Transformer judge = fresh_model(context, model.network, *language, draws.initialization);
  if (!model.training.pairs.empty()) return learn_from_people(context, model, *language, judge);
  std::optional<mixture::JudgeEncoders> encoders;
  context.comm.agree([&] { encoders.emplace(*language, model.training); });
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
  return model_facts(model, judge);
}

}  // namespace

namespace {

// A template of comparisons where verdicts are learned, one that asks for a score of 1 to 10 where scores are.
void check_template(const std::string& key, const std::filesystem::path& file, bool scores) {
  if (!std::filesystem::exists(file)) return;  // the deck says so
  const std::optional<text::ScoreScale> scale = text::Conversation::load(file).scores;
  if (scores ? scale && scale->low == 1 && scale->high == 10 : !scale) return;
  throw usage_error(
      key + ": '" + file.string() + "' " +
      (scale ? "asks for a score" + std::string(scores ? " on another scale" : "") : "compares two responses") +
      "; a template " + (scores ? "with '%% scores: 1 10'" : "without '%% scores'") + " was expected");
}

void check_templates(const JudgeModel& model) {
  const JudgeModelOptions& options = model.training;
  const std::string section = "judge_model" + model.suffix();
  check_template(section + ".verdict_first_template", options.verdict_first_template, false);
  check_template(section + ".rationale_first_template", options.rationale_first_template, false);
  if (options.score_share <= 0.0) return;
  if (!options.pairs.empty()) {
    throw usage_error(section + ".score_share: 0 was expected beside " + section +
                      ".pairs: labels of pairs hold no scores");
  }
  check_template(section + ".score_template", options.score_template, true);
  check_template(section + ".score_reasoned_template", options.score_reasoned_template, true);
}

}  // namespace

std::string JudgeModel::stage() const { return name == "judge" ? "judge-model" : "judge-model-" + name; }
std::string JudgeModel::suffix() const { return name == "judge" ? "" : "." + name; }

void check_judge_model(const JudgeModel& model) {
  check_network("judge_network" + model.suffix(), model.network);
  check_labelled_examples(model);
  check_templates(model);
  if (model.training.verdict_weight + model.training.context_weight > 0.0) return;
  throw usage_error("judge_model" + model.suffix() +
                    ".verdict_weight: a weight above 0 was expected, or one of context_weight");
}

void plan_judge_model(StudyPlan& plan, const Study& study, const JudgeModel& model) {
  const train::LanguageModelOptions& training = model.training.training;
  const std::string suffix = model.suffix();
  plan.add({.name = model.stage(),
            .kind = "judge-model",
            .of = model.name,
            .command = "sft",
            .size = count_text(training.steps, "steps of ") + count_text(training.batch, "pairs") +
                    (model.training.pairs.empty() ? "" : " that people labelled"),
            .sections = sections_with({"judge_network" + suffix, "judge_model" + suffix}),
            .reads = {tokenizer_file},
            .makes = {"models/" + model.name, "metrics/" + model.stage() + ".jsonl"},
            .run = in_study(study, [model](const Context& context) { return run(context, model); })});
}

void bind_judge_model(OptionTable& table, JudgeModel& model) {
  const std::string suffix = model.suffix();
  const std::string section = "judge_model" + suffix;
  bind_model(table, "judge_network" + suffix, model.network, "the judge");
  JudgeModelOptions& o = model.training;
  table.add(section + ".steps", &o.training.steps, "steps", "steps of judge training; 0: no judge is trained")
      .at_least(0)
      .at_most(most_items);
  table
      .add_input(
          section + ".pairs", &o.pairs, "",
          "pairs that people labelled (JSON Lines: prompt, response_a, response_b, label a, b or tie, annotators' "
          "votes where there are any); empty: the world's, labelled by gold")
      .listed_where_set();
  table
      .add_input(section + ".principles", &o.principles, "",
                 "where pairs are given and the template has a place for principles: as in the judge's own section")
      .listed_where_set();
  table.add(section + ".batch", &o.training.batch, "pairs", "fresh pairs a step, or of the file's in turn")
      .at_least(1)
      .at_most(most_items);
  table.add_input(section + ".verdict_first_template", &o.verdict_first_template, "judge_verdict_first.txt",
                  "prompt template of the half that is judged at once");
  table.add_input(section + ".rationale_first_template", &o.rationale_first_template, "judge_rationale_first.txt",
                  "prompt template of the half that reasons first");
  table
      .add(section + ".score_share", &o.score_share, "",
           "share of the judged texts that are one response with a score of 1 to 10 by gold, all "
           "scores about equally often; the others are pairs")
      .listed_where_set()
      .at_least(0)
      .at_most(1);
  table
      .add_input(section + ".score_template", &o.score_template, "judge_score.txt",
                 "template of the half that is scored at once")
      .listed_where_set();
  table
      .add_input(section + ".score_reasoned_template", &o.score_reasoned_template, "judge_score_reasoned.txt",
                 "template of the half that is scored after a reason")
      .listed_where_set();
  table
      .add(section + ".register_share", &o.register_share, "",
           "share of texts that state facts and sums, where no pairs are given")
      .at_least(0)
      .at_most(1);
  table.add(section + ".context_weight", &o.context_weight, "", "loss weight of tokens before verdict and rationale")
      .at_least(0);
  table.add(section + ".verdict_weight", &o.verdict_weight, "", "loss weight of the verdict token").at_least(0);
  bind_schedule(table, section, o.training.schedule, o.training.adam);
}

}  // namespace rlaif::stages
