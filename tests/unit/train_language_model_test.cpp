#include <gtest/gtest.h>

#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/losses.hpp"
#include "train_support.hpp"

namespace rlaif::train::test {
namespace {

TEST(LanguageModel, LearnsAToyTask) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const StageRun run = stage_run(comm, folder.path());
  auto model = tiny_model(3);
  LanguageModelOptions options = language_model_options(150);
  options.batch = 16;
  train_language_model(model, successor_example, options, run);

  const auto lines = metrics_lines(run);
  EXPECT_GT(lines.front().at("loss").get<double>(), 1.0);
  EXPECT_LT(lines.back().at("loss").get<double>(), 0.1);
  const torch::NoGradGuard no_gradients;
  for (TokenId a = 0; a < 8; ++a) {
    const std::vector<std::vector<TokenId>> question = {{kBegin, 4 + a, 3}};
    const auto hidden = model.hidden_states(model::pack(question));
    EXPECT_EQ(model.logits(hidden.narrow(0, 2, 1)).argmax(1).item<std::int64_t>(), 4 + (a + 1) % 8);
  }
}

TEST(LanguageModel, TheLossIsTheWeightedMeanOverTheGlobalBatch) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const StageRun run = stage_run(comm, folder.path());
  auto model = tiny_model(3);
  double loss = 0.0, weight = 0.0;
  {
    const torch::NoGradGuard no_gradients;
    for (std::int64_t i = 0; i < 10; ++i) {
      const Example example = successor_example(i);
      const std::vector<std::vector<TokenId>> sequence = {example.tokens};
      const auto log_probs = torch::log_softmax(model.logits(model.hidden_states(model::pack(sequence))), 1);
      for (std::size_t t = 1; t < example.tokens.size(); ++t) {
        const auto row = static_cast<std::int64_t>(t) - 1;
        loss -= example.weights[t] * log_probs[row][example.tokens[t]].item<double>();
        weight += example.weights[t];
      }
    }
  }
  train_language_model(model, successor_example, language_model_options(1), run);
  const auto line = metrics_lines(run).front();
  EXPECT_NEAR(line.at("loss").get<double>(), loss / weight, allowed_forward(loss / weight));
  EXPECT_EQ(line.at("tokens").get<int>(), 20);
}

TEST(LanguageModel, ABatchSmallerThanTheGrainsWorks) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const StageRun run = stage_run(comm, folder.path());
  auto model = tiny_model(3);
  LanguageModelOptions options = language_model_options(2);
  options.batch = 3;
  train_language_model(model, successor_example, options, run);
  EXPECT_EQ(metrics_lines(run).back().at("tokens").get<int>(), 6);
}

// Examples of many lengths, so that micro-batches differ.
Example uneven_example(std::int64_t index) {
  Rng rng(8, Stream::test, {static_cast<std::uint64_t>(index)});
  Example example;
  const auto length = 2 + rng.below(20);
  for (std::uint64_t t = 0; t < length; ++t) {
    example.tokens.push_back(static_cast<TokenId>(rng.below(kVocabulary)));
    example.weights.push_back(static_cast<float>(rng.uniform()));
  }
  return example;
}

TEST(LanguageModel, MicroBatchesChangeNothingButRounding) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  std::vector<Json> whole;
  // Differences of a step's gradient are in the weights of the next.
  const double allowed_steps = 6.0 * allowed_backward(1.0, 10 * 22);
  for (const std::int64_t tokens : {0, 1, 30}) {
    StageRun run = stage_run(comm, folder.path());
    run.checkpoint_folder.clear();
    run.metrics_file = folder.path() / (std::to_string(tokens) + ".jsonl");
    run.micro_batch_tokens = tokens;
    auto model = tiny_model(3);
    train_language_model(model, uneven_example, language_model_options(6), run);
    const auto lines = metrics_lines(run);
    if (tokens == 0) whole = lines;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      EXPECT_NEAR(lines[i].at("loss").get<double>(), whole[i].at("loss").get<double>(),
                  allowed_steps * whole[i].at("loss").get<double>());
      EXPECT_NEAR(lines[i].at("gradient_norm").get<double>(), whole[i].at("gradient_norm").get<double>(),
                  allowed_steps * whole[i].at("gradient_norm").get<double>());
      EXPECT_EQ(lines[i].at("tokens"), whole[i].at("tokens"));
    }
  }
}

TEST(LanguageModel, WithAnAdapterTrainsItAloneAndCheckpointsItAlone) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  StageRun run = stage_run(comm, folder.path());
  run.checkpoint_every_steps = 4;
  auto model = tiny_model(3);
  const std::string base = bytes_of(model.parameters());
  model::AdapterOptions adapter;
  adapter.rank = 4;
  adapter.first_layer = 1;
  model.adapter = std::make_shared<model::Adapter>(model.config(), adapter, 1, model.device());
  train_language_model(model, successor_example, language_model_options(30), run);
  EXPECT_EQ(bytes_of(model.parameters()), base);
  const auto lines = metrics_lines(run);
  EXPECT_LT(lines.back().at("loss").get<double>(), 0.8 * lines.front().at("loss").get<double>());
  const Checkpoint checkpoint = load_checkpoint(run);
  EXPECT_EQ(checkpoint.tensors.size(), model.adapter->parameters().size() + 3);  // two moments and the steps
}

TEST(LanguageModel, BadExamplesAreInputErrors) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const StageRun run = stage_run(comm, folder.path());
  const auto expect_error = [&](const Example& example, const std::string& part) {
    auto model = tiny_model(3);
    try {
      train_language_model(model, [&](std::int64_t) { return example; }, language_model_options(1), run);
      FAIL() << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  expect_error({{1, 2, 3}, {0, 1}}, "one weight a token");
  expect_error({std::vector<TokenId>(40, 3), std::vector<float>(40, 1.0F)}, "context");
  expect_error({{1, 2, 3}, {0, 0, 0}}, "carries a loss");
}

}  // namespace
}  // namespace rlaif::train::test
