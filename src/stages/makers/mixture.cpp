#include "mixture.hpp"

#include "rlaif/core/error.hpp"
#include "rlaif/model/transformer.hpp"

namespace rlaif::stages::mixture {
namespace {

train::Example all_tokens(std::vector<TokenId> tokens, TokenId end) {
  tokens.push_back(end);
  train::Example example;
  example.weights.assign(tokens.size(), 1.0f);
  example.tokens = std::move(tokens);
  return example;
}

}  // namespace

train::Example register_example(const Context& context, const Language& language, std::uint64_t item) {
  Rng rng(context.options.run.seed, Stream::register_data, {item});
  return all_tokens(language.tokenizer.encode(context.task.world().register_text(rng)), language.chat.end_token());
}

train::Example sft_example(const Context& context, const Language& language, std::int64_t item) {
  const world::World& world = context.task.world();
  Rng rng(context.options.run.seed, Stream::sft_data, {static_cast<std::uint64_t>(item)});
  const Prompt& prompt = world.sample_prompt(rng, false);
  train::Example example;
  example.tokens = language.chat.prompt(prompt.text);
  example.weights.assign(example.tokens.size(), 0.0f);
  const std::vector<TokenId> response = language.chat.completion(world.respond(prompt, rng));
  example.tokens.insert(example.tokens.end(), response.begin(), response.end());
  example.weights.resize(example.tokens.size(), 1.0f);  // responses only carry loss
  return example;
}

train::Example judge_example(const Context& context, const Language& language, const JudgeModelOptions& options,
                             const JudgeEncoders& encoders, std::uint64_t key) {
  Rng rng(context.options.run.seed, Stream::judge_data, {key});
  if (rng.uniform() < options.register_share) return register_example(context, language, key | (1ull << 40));

  const world::World& world = context.task.world();
  const Prompt& prompt = world.sample_prompt(rng, false, true);
  const std::string first = world.respond(prompt, rng), second = world.respond(prompt, rng);
  const double difference = world.score(prompt, first, true).utility - world.score(prompt, second, true).utility;
  const bool first_better = difference != 0.0 ? difference > 0.0 : rng.below(2) == 0;
  const judge::JudgeEncoder& encoder = rng.below(2) == 0 ? encoders.verdict_first : encoders.rationale_first;
  const judge::TrainingTokens tokens = encoder.training(world.principle(), prompt.text, first, second,
                                                        world.rationale(prompt, first, second), first_better);
  train::Example example;
  example.tokens = tokens.tokens;
  for (const judge::Segment segment : tokens.segments) {
    example.weights.push_back(static_cast<float>(segment == judge::Segment::context   ? options.context_weight
                                                 : segment == judge::Segment::verdict ? options.verdict_weight
                                                                                      : 1.0));
  }
  return example;
}

void require_fits(const train::Example& example, const model::Transformer& model, const std::string& what) {
  if (static_cast<std::int64_t>(example.tokens.size()) > model.config().max_positions) {
    throw usage_error(what + ": a training text has " + std::to_string(example.tokens.size()) +
                      " tokens, max_positions is " + std::to_string(model.config().max_positions));
  }
}

}  // namespace rlaif::stages::mixture
