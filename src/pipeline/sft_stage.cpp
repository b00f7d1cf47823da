// Tokenizer, supervised fine-tuning and judge training: the stages that need the world's own text.
#include <numeric>
#include <optional>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/judge/training_text.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/pipeline/stages.hpp"
#include "rlaif/text/jsonl.hpp"
#include "rlaif/train/language_model.hpp"

namespace rlaif::pipeline {
namespace {

// Which parts of `seed` belong to which model, so that policy and judge start from different draws.
constexpr std::uint64_t policy_key = 1, judge_key = 2, reward_key = 3;

// Item of every position of the run: each epoch is a permutation of its own.
class EpochOrder {
 public:
  EpochOrder(std::int64_t items, int epochs, std::uint64_t seed) : items_(items) {
    for (int epoch = 0; epoch < epochs; ++epoch) {
      std::vector<std::int64_t> order(static_cast<std::size_t>(items));
      std::iota(order.begin(), order.end(), std::int64_t{0});
      Rng(seed, Stream::data_order, {static_cast<std::uint64_t>(epoch)}).shuffle(order);
      order_.insert(order_.end(), order.begin(), order.end());
    }
  }
  std::int64_t steps(std::int64_t batch) const { return static_cast<std::int64_t>(order_.size()) / batch; }
  std::int64_t operator[](std::int64_t i) const { return order_[static_cast<std::size_t>(i)]; }

 private:
  std::int64_t items_;
  std::vector<std::int64_t> order_;
};

train::Example all_tokens(std::vector<TokenId> tokens, TokenId end) {
  tokens.push_back(end);
  train::Example example;
  example.weights.assign(tokens.size(), 1.0f);
  example.tokens = std::move(tokens);
  return example;
}

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

// A fresh pair labelled by gold, as judge training text; both styles half and half.
struct JudgeEncoders {
  judge::JudgeEncoder verdict_first, rationale_first;
};

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

train::Example judge_example(const Context& context, const Language& language, const JudgeModelOptions& options,
                             const JudgeEncoders& encoders, const JudgeDraws& draws, std::int64_t item) {
  const std::uint64_t key = draws.pairs | static_cast<std::uint64_t>(item);
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

// What a policy that can judge learns it from: texts like those of the study's first judge model, of pairs of its own.
class JudgeTexts {
 public:
  JudgeTexts(const Context& context, const Language& language) : context_(context), language_(language) {
    if (context.options.sft.judge_examples == 0) return;
    if (context.options.judge_models.empty()) {
      throw usage_error("sft.judge_examples: study.judge_models was expected to name one, whose templates they take");
    }
    options_ = context.options.judge_models.front().training;
    options_.register_share = 0.0;
    context.comm.agree([&] {
      encoders_.emplace(JudgeEncoders{{language.chat, judge::JudgeTemplate::load(options_.verdict_first_template)},
                                      {language.chat, judge::JudgeTemplate::load(options_.rationale_first_template)}});
    });
  }
  train::Example example(std::int64_t item) const {
    return judge_example(context_, language_, options_, *encoders_, {0, checksum("sft") << 41}, item);
  }

 private:
  const Context& context_;
  const Language& language_;
  JudgeModelOptions options_;
  std::optional<JudgeEncoders> encoders_;
};

void require_fits(const train::Example& example, const model::Transformer& model, const std::string& what) {
  if (static_cast<std::int64_t>(example.tokens.size()) > model.config().max_positions) {
    throw usage_error(what + ": a training text has " + std::to_string(example.tokens.size()) +
                      " tokens, max_positions is " + std::to_string(model.config().max_positions));
  }
}

// The demonstrations of sft.file that fit the context. Their responses carry the loss.
std::vector<train::Example> read_demonstrations(const Context& context, const Language& language,
                                                const model::Transformer& policy) {
  const std::filesystem::path& file = context.options.sft.file;
  std::vector<train::Example> examples;
  std::int64_t too_long = 0;
  if (file.empty()) return examples;
  context.comm.agree([&] {
    text::for_each_json_line(file, [&](const text::JsonRecord& record) {
      train::Example example;
      example.tokens = language.chat.prompt(record.string("prompt"));
      example.weights.assign(example.tokens.size(), 0.0f);
      const std::vector<TokenId> response = language.chat.completion(record.string("response"));
      example.tokens.insert(example.tokens.end(), response.begin(), response.end());
      example.weights.resize(example.tokens.size(), 1.0f);
      if (static_cast<std::int64_t>(example.tokens.size()) > policy.config().max_positions)
        ++too_long;
      else
        examples.push_back(std::move(example));
    });
    if (examples.empty())
      throw input_error(file, "no demonstration fits the model's context; at least one was expected");
  });
  if (too_long) log::info("sft: " + std::to_string(too_long) + " demonstrations longer than the context were left out");
  return examples;
}

}  // namespace

Json run_tokenizer_stage(const Context& context) {
  const TokenizerOptions& options = context.options.tokenizer;
  Json facts;
  context.comm.on_root([&] {
    const std::filesystem::path& folder = context.options.model.folder;
    const auto file = options.file.empty() && !folder.empty() ? folder / "tokenizer.json" : options.file;
    if (!file.empty()) {
      facts["vocab_size"] = text::Tokenizer::load(file).vocab_size();
      write_file_atomic(context.directory.tokenizer(), read_file(file));
      return;
    }
    text::BpeTrainerOptions trainer;
    trainer.vocab_size = options.vocab_size;
    trainer.special_tokens = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
    const std::vector<std::string> texts = context.task.world().tokenizer_texts(context.options.run.seed);
    const text::Tokenizer tokenizer = text::train_bpe(texts, trainer);
    make_folders(context.directory.tokenizer().parent_path());
    write_file_atomic(context.directory.tokenizer(), tokenizer.to_json());
    facts["vocab_size"] = tokenizer.vocab_size();
  });
  return facts;
}

namespace {

// Trains a model on the texts of SFT -> models/<name>.
Json fine_tune(const Context& context, const Language& language, const std::string& name, model::Transformer& model) {
  const SftOptions& options = context.options.sft;
  const std::vector<train::Example> demonstrations = read_demonstrations(context, language, model);
  const std::int64_t examples =
      options.file.empty() ? options.examples : static_cast<std::int64_t>(demonstrations.size());
  const JudgeTexts judge_texts(context, language);
  const EpochOrder order(examples + options.register_examples + options.judge_examples, options.epochs,
                         context.options.run.seed);
  train::LanguageModelOptions training = options.training;
  training.steps = order.steps(training.batch);
  train::train_language_model(
      model,
      [&](std::int64_t i) {
        const std::int64_t item = order[i];
        if (item < examples && !options.file.empty()) return demonstrations[static_cast<std::size_t>(item)];
        train::Example example = item < examples ? sft_example(context, language, item)
                                 : item < examples + options.register_examples
                                     ? register_example(context, language, static_cast<std::uint64_t>(item))
                                     : judge_texts.example(item);
        require_fits(example, model, name);
        return example;
      },
      training, context.stage_run(name));
  save_run_model(context, name, language, model);
  Json facts;
  facts["steps"] = training.steps;
  facts["parameters"] = model.config().num_parameters();
  return facts;
}

}  // namespace

Json run_sft_stage(const Context& context) {
  const auto language = load_language(context);
  model::Transformer policy = fresh_model(context, context.options.model, *language, policy_key);
  if (!context.options.pretrained_policy()) return fine_tune(context, *language, "sft", policy);
  Json facts;
  facts["untouched"] = context.options.model.folder.string();
  facts["parameters"] = policy.config().num_parameters();
  return facts;
}

Json run_reward_network_stage(const Context& context) {
  const auto language = load_language(context);
  model::Transformer network = fresh_model(context, context.options.reward_network, *language, reward_key);
  return fine_tune(context, *language, "sft-reward", network);
}

Json run_judge_model_stage(const Context& context, const JudgeModel& model) {
  const auto language = load_language(context);
  const JudgeDraws draws = draws_of(model);
  model::Transformer judge = fresh_model(context, model.network, *language, draws.initialization);
  std::optional<JudgeEncoders> encoders;
  context.comm.agree([&] {
    const JudgeModelOptions& options = model.training;
    encoders.emplace(JudgeEncoders{{language->chat, judge::JudgeTemplate::load(options.verdict_first_template)},
                                   {language->chat, judge::JudgeTemplate::load(options.rationale_first_template)}});
  });
  train::train_language_model(
      judge,
      [&](std::int64_t i) {
        train::Example example = judge_example(context, *language, model.training, *encoders, draws, i);
        require_fits(example, judge, model.stage());
        return example;
      },
      model.training.training, context.stage_run(model.stage()));
  save_run_model(context, model.name, *language, judge);
  Json facts;
  facts["steps"] = model.training.training.steps;
  facts["parameters"] = judge.config().num_parameters();
  return facts;
}

}  // namespace rlaif::pipeline
