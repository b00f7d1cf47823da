#include "mixture.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "../planning.hpp"
#include "makers.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/ids.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/stages/binding.hpp"

namespace rlaif::stages::mixture {
namespace {

train::Example all_tokens(std::vector<TokenId> tokens, TokenId end) {
  tokens.push_back(end);
  train::Example example;
  example.weights.assign(tokens.size(), 1.0f);
  example.tokens = std::move(tokens);
  return example;
}

train::Example weighted(const judge::TrainingTokens& tokens, const JudgeModelOptions& options) {
  train::Example example;
  example.tokens = tokens.tokens;
  for (const judge::Segment segment : tokens.segments) {
    example.weights.push_back(static_cast<float>(segment == judge::Segment::context   ? options.context_weight
                                                 : segment == judge::Segment::verdict ? options.verdict_weight
                                                                                      : 1.0));
  }
  return example;
}

struct ScoredResponse {
  const Prompt* prompt;
  std::string text;
  int score;
};

ScoredResponse draw_with_score(const world::World& world, int wanted, Rng& rng) {
  constexpr int most_draws = 100;
  ScoredResponse nearest{nullptr, "", 0};
  for (int i = 0; i < most_draws && nearest.score != wanted; ++i) {
    const Prompt& prompt = world.sample_prompt(rng, false, true);
    std::string text = world.respond(prompt, rng);
    const int score = score_of_utility(world.score(prompt, text, true).utility);
    if (!nearest.prompt || std::abs(score - wanted) < std::abs(nearest.score - wanted))
      nearest = {&prompt, std::move(text), score};
  }
  return nearest;
}

train::Example score_example(const world::World& world, const JudgeModelOptions& options, const JudgeEncoders& encoders,
                             Rng& rng) {
  const ScoredResponse drawn = draw_with_score(world, 1 + static_cast<int>(rng.below(10)), rng);
  const judge::JudgeEncoder& encoder = encoders.score(rng.below(2) == 0);
  text::ShownTexts texts{.principles = world.principle(), .prompt = drawn.prompt->text};
  texts.response = drawn.text;
  return weighted(
      encoder.training(texts, world.assessment(*drawn.prompt, drawn.text), static_cast<std::size_t>(drawn.score - 1)),
      options);
}

}  // namespace

train::Example register_example(const Context& context, const Language& language, std::uint64_t item) {
  Rng rng(context.study.run.seed, Stream::register_data, {item});
  return all_tokens(language.tokenizer.encode(context.task.world().register_text(rng)), language.chat.end_token());
}

Demonstration demonstration(const Context& context, std::int64_t item) {
  const world::World& world = context.task.world();
  Rng rng(context.study.run.seed, Stream::sft_data, {static_cast<std::uint64_t>(item)});
  const Prompt& prompt = world.sample_prompt(rng, false);
  return {prompt, world.respond(prompt, rng)};
}

train::Example sft_example(const Context& context, const Language& language, std::int64_t item) {
  return encode(language, demonstration(context, item));
}

JudgeEncoders::JudgeEncoders(const Language& language, const JudgeModelOptions& options)
    : verdict_first_(language.chat, text::Conversation::load(options.verdict_first_template)),
      rationale_first_(language.chat, text::Conversation::load(options.rationale_first_template)) {
  if (options.score_share <= 0.0) return;
  score_.emplace(language.chat, text::Conversation::load(options.score_template));
  score_reasoned_.emplace(language.chat, text::Conversation::load(options.score_reasoned_template));
}

int score_of_utility(double utility) {
  return static_cast<int>(std::lround(std::clamp(1.0 + 4.5 * (utility + 1.0), 1.0, 10.0)));
}

train::Example judge_example(const Context& context, const Language& language, const JudgeModelOptions& options,
                             const JudgeEncoders& encoders, std::uint64_t key) {
  Rng rng(context.study.run.seed, Stream::judge_data, {key});
  if (rng.uniform() < options.register_share) return register_example(context, language, register_text(key));
  const world::World& world = context.task.world();
  if (options.score_share > 0.0 && rng.uniform() < options.score_share)
    return score_example(world, options, encoders, rng);

  const Prompt& prompt = world.sample_prompt(rng, false, true);
  const std::string first = world.respond(prompt, rng), second = world.respond(prompt, rng);
  const double difference = world.score(prompt, first, true).utility - world.score(prompt, second, true).utility;
  const bool first_better = difference != 0.0 ? difference > 0.0 : rng.below(2) == 0;
  const judge::JudgeEncoder& encoder = encoders.verdict(rng.below(2) == 0);
  return weighted(encoder.training({world.principle(), prompt.text, first, second},
                                   world.rationale(prompt, first, second), judge::better_is(first_better)),
                  options);
}

void require_fits(const train::Example& example, const model::Transformer& model, const std::string& what) {
  if (static_cast<std::int64_t>(example.tokens.size()) > model.config().max_positions) {
    throw usage_error(what + ": a training text has " + std::to_string(example.tokens.size()) +
                      " tokens, max_positions is " + std::to_string(model.config().max_positions));
  }
}

}  // namespace rlaif::stages::mixture

namespace rlaif::stages {
namespace {

// Demonstrations of the world's prompts, drawn as those of [sft] are, behind the ones that the first policy has seen.
class Mixture final : public Maker {
 public:
  DataKind makes() const override { return DataKind::demonstrations; }
  void bind(OptionTable& table, DataOptions& data) override {
    table.add(data.section() + ".examples", &examples_, "examples", "responses drawn from the behaviour mixture")
        .at_least(1)
        .at_most(most_items);
    table.add(data.section() + ".block", &block_, "examples", "examples of a block; one block is one file")
        .at_least(1)
        .at_most(most_items);
  }
  void plan(StudyPlan& plan, const Study& study, const DataSet& data) const override {
    plan.add(demonstrations_stage(study, data, count_text(examples_, "examples of the mixture"), {"sft.examples"},
                                  [this, data, how = data.maker](const Context& context) {
                                    return write_demonstrations(
                                        context, data, examples_, block_, [&](std::int64_t begin, std::int64_t end) {
                                          std::vector<Demonstration> made;
                                          const std::int64_t seen = context.study.policy.texts.examples;
                                          for (std::int64_t i = begin; i < end; ++i)
                                            made.push_back(mixture::demonstration(context, seen + i));
                                          return made;
                                        });
                                  }));
  }

 private:
  std::int64_t examples_ = 4000, block_ = 200;
};

}  // namespace

std::unique_ptr<Maker> make_mixture() { return std::make_unique<Mixture>(); }

}  // namespace rlaif::stages
