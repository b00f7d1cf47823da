#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "rlaif/core/error.hpp"
#include "train_support.hpp"

namespace rlaif::train::test {
namespace {

double held_out_accuracy(const model::ScalarModel& model) {
  double right = 0, count = 0;
  for (const TokenPair& pair : wanted_token_pairs(200, 99)) {
    if (pair.p_first == 0.5) continue;
    const std::vector<std::vector<TokenId>> both = {pair.first, pair.second};
    const auto scores = score_sequences(model, both);
    count += 1;
    right += (scores[0] > scores[1]) == (pair.p_first > 0.5) ? 1 : 0;
  }
  return right / count;
}

TEST(RewardModel, LearnsFromSoftLabelsThatAWantedTokenIsBetter) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const StageRun run = stage_run(comm, folder.path());
  const auto pairs = wanted_token_pairs(240, 1, 0.9);
  auto model = model::ScalarModel::from_body(tiny_model(4), 8);
  RewardOptions options = reward_options(5);
  options.batch = 16;
  train_reward_model(model, pairs, options, run);
  EXPECT_GT(held_out_accuracy(model), 0.95);
  const auto last = metrics_lines(run).back();
  EXPECT_EQ(last.at("epoch").get<int>(), 5);
  EXPECT_GT(last.at("margin").get<double>(), 0.3);
}

TEST(RewardModel, IsCentredWithUnitSpreadOverItsTrainingCompletions) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const auto pairs = wanted_token_pairs(50, 1);
  auto model = model::ScalarModel::from_body(tiny_model(4), 8);
  const StageRun run = stage_run(comm, folder.path());
  train_reward_model(model, pairs, reward_options(1), run);
  double sum = 0, squares = 0, count = 0;
  // Scores of the body's size are centred and divided by their spread.
  const double centred = allowed_forward(3.0 + std::fabs(model.offset) * model.scale);
  for (int grain = 0; grain < run.grains; ++grain) {  // each completion of a grain once
    std::set<std::vector<TokenId>> distinct;
    const auto [begin, end] = grain_items(50, grain, run.grains);
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      distinct.insert({pairs[i].first, pairs[i].second});
    }
    const std::vector<std::vector<TokenId>> sequences(distinct.begin(), distinct.end());
    for (const double score : score_sequences(model, sequences)) {
      sum += score;
      squares += score * score;
      count += 1;
    }
  }
  EXPECT_NEAR(sum / count, 0.0, centred);
  EXPECT_NEAR(squares / count, 1.0, 2.0 * centred);
  EXPECT_NE(model.scale, 1.0);
}

TEST(RewardModel, FirstLineOfMetricsMatchesAnIndependentSum) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const StageRun run = stage_run(comm, folder.path());
  auto pairs = wanted_token_pairs(6, 3, 0.8);  // one batch holds all
  pairs[0].p_first = 0.5;
  auto model = model::ScalarModel::from_body(tiny_model(4), 8);
  double loss = 0, accuracy = 0, margin_sum = 0;
  for (const TokenPair& pair : pairs) {
    const std::vector<std::vector<TokenId>> both = {pair.first, pair.second};
    const auto scores = score_sequences(model, both);
    const double margin = scores[0] - scores[1];
    loss += pair.p_first * std::log1p(std::exp(-margin)) + (1 - pair.p_first) * std::log1p(std::exp(margin));
    if (pair.p_first == 0.5) {
      accuracy += 0.5;
      continue;
    }
    accuracy += (margin > 0) == (pair.p_first > 0.5) ? 1 : 0;
    margin_sum += pair.p_first > 0.5 ? margin : -margin;
  }
  train_reward_model(model, pairs, reward_options(1), run);
  const auto line = metrics_lines(run).front();
  EXPECT_NEAR(line.at("loss").get<double>(), loss / 6, allowed_forward(1.0));
  EXPECT_NEAR(line.at("accuracy").get<double>(), accuracy / 6, 1e-9);
  EXPECT_NEAR(line.at("margin").get<double>(), margin_sum / 6, allowed_forward(1.0));
}

TEST(RewardModel, EqualScoresEverywhereKeepTheScaleAtOne) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const std::vector<TokenPair> pairs(3, TokenPair{{kBegin, 4, kEnd}, {kBegin, 4, kEnd}, 0.5});
  auto model = model::ScalarModel::from_body(tiny_model(4), 8);
  train_reward_model(model, pairs, reward_options(1), stage_run(comm, folder.path()));
  EXPECT_EQ(model.scale, 1.0);
  EXPECT_NEAR(score_sequences(model, std::vector<std::vector<TokenId>>{{kBegin, 4, kEnd}})[0], 0.0,
              allowed_forward(1.0));
}

TEST(RewardModel, AKilledRunEndsInTheSameBytes) {
  const auto comm = comm::Communicator::self();
  const auto pairs = wanted_token_pairs(20, 2);
  const TemporaryFolder folder, straight_folder;
  StageRun run = stage_run(comm, folder.path());
  int boundaries = 0;
  run.stop_requested = [&] { return ++boundaries > 5; };
  EXPECT_THROW(run_reward_model(run, pairs, 3), Error);
  run.stop_requested = [] { return false; };
  EXPECT_EQ(run_reward_model(run, pairs, 3), run_reward_model(stage_run(comm, straight_folder.path()), pairs, 3));
}

TEST(RewardModel, BadPairsAreInputErrors) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const StageRun run = stage_run(comm, folder.path());
  const auto expect_error = [&](const std::vector<TokenPair>& pairs) {
    auto model = model::ScalarModel::from_body(tiny_model(4), 8);
    EXPECT_THROW(train_reward_model(model, pairs, reward_options(1), run), Error);
  };
  expect_error({});
  expect_error({{{kBegin}, {}, 0.5}});
  expect_error({{{kBegin}, {kBegin}, 1.5}});
  expect_error({{{kBegin}, {kBegin}, std::nan("")}});
  expect_error({{{kBegin}, std::vector<TokenId>(25, 4), 0.5}});
  for (const double weight : {0.0, -1.0, std::nan(""), HUGE_VAL}) expect_error({{{kBegin}, {kBegin}, 0.5, 0, weight}});
}

TEST(RewardModel, AWeightCountsAPairSoManyTimesInItsBatch) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  auto first_line = [&](const std::string& name, const std::vector<TokenPair>& pairs) {
    StageRun run = stage_run(comm, folder.path());
    run.checkpoint_folder.clear();
    run.metrics_file = folder.path() / (name + ".jsonl");
    run.grains = 1;
    auto model = model::ScalarModel::from_body(tiny_model(4), 8);
    RewardOptions options = reward_options(1);
    options.batch = 100;
    train_reward_model(model, pairs, options, run);
    return metrics_lines(run).front();
  };
  const std::vector<TokenPair> plain = wanted_token_pairs(5, 3, 0.8);
  std::vector<TokenPair> weighted = plain, repeated = plain, evenly = plain;
  weighted[1].weight = 3.0;
  repeated.insert(repeated.end(), {plain[1], plain[1]});
  for (TokenPair& pair : evenly) pair.weight = 4.0;
  const Json once = first_line("plain", plain), three = first_line("weighted", weighted),
             thrice = first_line("repeated", repeated);
  for (const char* key : {"loss", "gradient_norm"}) {
    const double allowed = allowed_backward(once.at(key).get<double>(), 10);
    EXPECT_NEAR(three.at(key).get<double>(), thrice.at(key).get<double>(), allowed) << key;
    EXPECT_GT(std::fabs(three.at(key).get<double>() - once.at(key).get<double>()), 2.0 * allowed) << key;
    EXPECT_NEAR(first_line("evenly", evenly).at(key).get<double>(), once.at(key).get<double>(), allowed) << key;
  }
  // Accuracy and margin are of pairs.
  EXPECT_EQ(three.at("accuracy"), once.at("accuracy"));
}

TEST(ScoreSequences, DoNotDependOnHowTheyAreBatched) {
  const auto model = model::ScalarModel::from_body(tiny_model(4), 8);
  std::vector<std::vector<TokenId>> sequences;
  for (const TokenPair& pair : wanted_token_pairs(8, 5)) sequences.push_back(pair.first);
  const auto together = score_sequences(model, sequences);
  const auto alone = score_sequences(model, sequences, 1);
  ASSERT_EQ(together.size(), sequences.size());
  for (std::size_t i = 0; i < together.size(); ++i)
    EXPECT_NEAR(together[i], alone[i], allowed_forward(std::max(1.0, std::fabs(alone[i]))));
  EXPECT_TRUE(score_sequences(model, {}).empty());
}

TEST(RewardModel, MicroBatchesChangeNothingButRounding) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  auto pairs = wanted_token_pairs(40, 1, 0.9);
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i].prompt_id = 1 + i / 3;
  std::vector<Json> whole;
  for (const std::int64_t tokens : {0, 1, 40}) {
    StageRun run = stage_run(comm, folder.path());
    run.checkpoint_folder.clear();
    run.metrics_file = folder.path() / (std::to_string(tokens) + ".jsonl");
    run.micro_batch_tokens = tokens;
    auto model = model::ScalarModel::from_body(tiny_model(4), 8);
    RewardOptions options = reward_options(1);
    options.batch = 20;
    train_reward_model(model, pairs, options, run);
    const auto lines = metrics_lines(run);
    if (tokens == 0) whole = lines;
    ASSERT_EQ(lines.size(), whole.size());
    for (std::size_t i = 0; i < lines.size(); ++i)
      for (const char* key : {"loss", "margin", "accuracy", "gradient_norm"})
        EXPECT_NEAR(lines[i].at(key).get<double>(), whole[i].at(key).get<double>(),
                    2.0 * allowed_backward(1.0 + std::fabs(whole[i].at(key).get<double>()), 40))
            << key;
  }
}

TEST(RewardModel, WithAnAdapterTrainsItAndTheHeadAlone) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const StageRun run = stage_run(comm, folder.path());
  const auto base = tiny_model(4);
  const std::string before = bytes_of(base.parameters());
  auto model = model::ScalarModel::over(base, 8);
  model::AdapterOptions adapter;
  adapter.rank = 4;
  model.body.adapter = std::make_shared<model::Adapter>(base.config(), adapter, 1, base.device());
  const std::string head = bytes_of({{"head", model.head_1d}});
  RewardOptions options = reward_options(6);
  options.batch = 16;
  train_reward_model(model, wanted_token_pairs(240, 1, 0.9), options, run);
  EXPECT_EQ(bytes_of(base.parameters()), before);
  EXPECT_NE(bytes_of({{"head", model.head_1d}}), head);
  EXPECT_GT(held_out_accuracy(model), 0.9);
}

}  // namespace
}  // namespace rlaif::train::test
