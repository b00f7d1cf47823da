// The first policy, and what reward models of their own size start from: supervised fine-tuning on demonstrations.
#include <algorithm>
#include <optional>

#include "makers/demonstrations.hpp"
#include "makers/mixture.hpp"
#include "planning.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/ids.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/stages/stages.hpp"

namespace rlaif::stages {
namespace {

// Which parts of the seed belong to which model, so that they start from different draws (the judge models' is 2).
constexpr std::uint64_t policy_key = 1, reward_key = 3;

// What a policy that can judge learns it from: texts like those of the study's first judge model, of pairs of its own.
class JudgeTexts {
 public:
  JudgeTexts(const Context& context, const Language& language, const std::vector<JudgeModel>& models)
      : context_(context), language_(language) {
    if (context.study.policy.texts.judge_examples == 0) return;
    if (models.empty()) {
      throw usage_error("sft.judge_examples: study.judge_models was expected to name one, whose templates they take");
    }
    options_ = models.front().training;
    options_.register_share = 0.0;
    context.comm.agree([&] { encoders_.emplace(language, options_); });
  }
  train::Example example(std::int64_t item) const {
    return mixture::judge_example(context_, language_, options_, *encoders_,
                                  text_family(checksum("sft")) | static_cast<std::uint64_t>(item));
  }

 private:
  const Context& context_;
  const Language& language_;
  JudgeModelOptions options_;
  std::optional<mixture::JudgeEncoders> encoders_;
};

// The demonstrations of sft.file that fit the context. Their responses carry the loss.
std::vector<train::Example> file_examples(const Context& context, const Language& language,
                                          const model::Transformer& policy) {
  const std::filesystem::path& file = context.study.policy.texts.file;
  std::vector<train::Example> examples;
  if (file.empty()) return examples;
  context.comm.agree([&] {
    std::vector<Demonstration> read = read_demonstration_file(file);
    if (context.study.policy.texts.every_turn) read = every_answer(std::move(read));
    examples = encode_fitting(language, read, policy.config().max_positions, "sft", file);
  });
  return examples;
}

// Trains a model on the texts of SFT -> models/<name>.
Json fine_tune(const Context& context, const Language& language, const StageOptions& stages, const std::string& name,
               model::Transformer& model) {
  const FirstTexts& texts = context.study.policy.texts;
  const std::vector<train::Example> demonstrations = file_examples(context, language, model);
  const std::int64_t examples = texts.file.empty() ? texts.examples : static_cast<std::int64_t>(demonstrations.size());
  const JudgeTexts judge_texts(context, language, stages.judge_models);
  const EpochOrder order(examples + texts.register_examples + texts.judge_examples, stages.sft.epochs,
                         context.study.run.seed);
  train::LanguageModelOptions training = stages.sft.training;
  training.steps = order.steps(training.batch);
  train::train_language_model(
      model,
      [&](std::int64_t i) {
        const std::int64_t item = order[i];
        if (item < examples && !texts.file.empty()) return demonstrations[static_cast<std::size_t>(item)];
        train::Example example = item < examples ? mixture::sft_example(context, language, item)
                                 : item < examples + texts.register_examples
                                     ? mixture::register_example(context, language, static_cast<std::uint64_t>(item))
                                     : judge_texts.example(item);
        mixture::require_fits(example, model, name);
        return example;
      },
      training, context.stage_run(name));
  save_run_model(context, name, language, model);
  Json facts;
  facts["steps"] = training.steps;
  facts["parameters"] = model.config().num_parameters();
  return facts;
}

Json run_sft(const Context& context, const StageOptions& stages) {
  const auto language = load_language(context);
  const PolicyOptions& options = context.study.policy;
  model::Transformer policy = fresh_model(context, options.network, *language, policy_key);
  if (!options.pretrained()) return fine_tune(context, *language, stages, "sft", policy);
  Json facts;
  facts["untouched"] = options.network.folder.string();
  facts["parameters"] = policy.config().num_parameters();
  return facts;
}

Json run_reward_network(const Context& context, const StageOptions& stages) {
  const auto language = load_language(context);
  model::Transformer network = fresh_model(context, context.study.reward.network, *language, reward_key);
  return fine_tune(context, *language, stages, "sft-reward", network);
}

std::string steps_text(const FirstTexts& texts, const SftOptions& sft) {
  const std::int64_t steps = texts.drawn() * sft.epochs / std::max<std::int64_t>(1, sft.training.batch);
  return count_text(steps, "steps of ") + count_text(sft.training.batch, "examples");
}

std::vector<std::string> sections_of(const FirstTexts& texts, const std::vector<JudgeModel>& models,
                                     const char* network) {
  std::vector<std::string> sections = sections_with({"sft", network});
  if (texts.judge_examples > 0 && !models.empty()) sections.push_back("judge_model" + models.front().suffix());
  return sections;
}

run::Needs sft_needs(const Study& study, const SftOptions& options, const run::Assumed& assumed) {
  const Sizes sizes(study, assumed);
  run::Needs needs;
  add_part(needs, "policy: weights", sizes.weight_bytes(sizes.weights));
  if (study.policy.pretrained()) return needs;
  const double length = sizes.prompt_length + study.annotate.max_new_tokens;
  const double tokens = sizes.trained_tokens(static_cast<double>(options.training.batch), length);
  sizes.add_training(needs, "policy", sizes.weights, tokens, static_cast<double>(sizes.policy.num_layers));
  add_part(needs, "logits", sizes.logits_bytes(tokens));
  const double examples = static_cast<double>(study.policy.texts.drawn()) * options.epochs;
  needs.flops = 6.0 * sizes.weights * examples * length;
  return needs;
}

}  // namespace

void plan_sft(StudyPlan& plan, const Study& study) {
  const PolicyOptions& policy = study.policy;
  const StageOptions& stages = plan.options();
  run::Stage stage{
      .name = "sft",
      .kind = "sft",
      .of = "",
      .command = "sft",
      .size = policy.pretrained() ? policy.network.folder.string() + " as it is" : steps_text(policy.texts, stages.sft),
      .needs = [&study,
                options = stages.sft](const run::Assumed& assumed) { return sft_needs(study, options, assumed); },
      .run = in_study(study, [&stages](const Context& context) { return run_sft(context, stages); })};
  if (policy.pretrained()) {
    stage.sections = sections_with({"sft", "model"});
  } else {
    stage.sections = sections_of(policy.texts, stages.judge_models, "model");
    stage.reads = {tokenizer_file};
    stage.makes = {"models/sft", "metrics/sft.jsonl"};
  }
  plan.add(std::move(stage));
}

void plan_reward_network(StudyPlan& plan, const Study& study) {
  const FirstTexts& texts = study.policy.texts;
  const StageOptions& stages = plan.options();
  plan.add({.name = "sft-reward",
            .kind = "sft-reward",
            .of = "",
            .command = "reward",
            .size = steps_text(texts, stages.sft),
            .sections = sections_of(texts, stages.judge_models, "reward_network"),
            .reads = {tokenizer_file},
            .makes = {"models/sft-reward", "metrics/sft-reward.jsonl"},
            .run = in_study(study, [&stages](const Context& context) { return run_reward_network(context, stages); })});
}

void bind_sft(OptionTable& table, FirstTexts& texts, SftOptions& o) {
  table.add_input("sft.file", &texts.file, "",
                  "demonstrations instead of the mixture: JSON Lines of prompt and response, or of any other form that "
                  "`rlaif convert` knows");
  table
      .add("sft.every_turn", &texts.every_turn, "",
           "learn every answer of the assistant's in a conversation of sft.file, not the last one alone")
      .listed_where_set();
  table.add("sft.examples", &texts.examples, "examples", "responses drawn from the behaviour mixture")
      .at_least(0)
      .at_most(most_items);
  table.add("sft.register_examples", &texts.register_examples, "examples", "texts that state facts and sums")
      .at_least(0)
      .at_most(most_items);
  table
      .add("sft.judge_examples", &texts.judge_examples, "examples",
           "pairs with their verdict, in the texts of the first of study.judge_models: a policy that can judge")
      .at_least(0)
      .at_most(most_items);
  table.add("sft.epochs", &o.epochs, "epochs", "passes over the examples").at_least(1).at_most(most_epochs);
  table.add("sft.batch", &o.training.batch, "examples", "size of a step").at_least(1).at_most(most_items);
  bind_schedule(table, "sft", o.training.schedule, o.training.adam);
}

}  // namespace rlaif::stages
