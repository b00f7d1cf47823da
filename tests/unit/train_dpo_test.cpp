#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/answers.hpp"
#include "train_support.hpp"

namespace rlaif::train::test {
namespace {

// The same model in double, through the compositions of torch's operations.
model::Transformer in_double(const model::Transformer& model) {
  model::Transformer copy = model.clone();
  for (auto& [name, parameter] : copy.parameters()) parameter.set_data(parameter.to(torch::kFloat64));
  return copy;
}

// log π of an answer alone in its batch, by log_softmax over all logits.
torch::Tensor plain_log_prob(const model::Transformer& model, const std::vector<TokenId>& tokens,
                             std::int64_t prompt_length) {
  const std::vector<std::vector<TokenId>> sequence = {tokens};
  const auto log_probs_NV = torch::log_softmax(model.logits(model.hidden_states(model::pack(sequence))), 1);
  torch::Tensor sum = torch::zeros({}, log_probs_NV.options());
  for (std::size_t t = static_cast<std::size_t>(prompt_length); t < tokens.size(); ++t)
    sum = sum + log_probs_NV[static_cast<std::int64_t>(t) - 1][tokens[t]];
  return sum;
}

std::vector<AnswerLogProbs> plain_log_probs(const model::Transformer& model, std::span<const TokenPair> pairs) {
  const torch::NoGradGuard no_gradients;
  std::vector<AnswerLogProbs> all;
  for (const TokenPair& pair : pairs) {
    all.push_back({plain_log_prob(model, pair.first, pair.prompt_length).item<double>(),
                   plain_log_prob(model, pair.second, pair.prompt_length).item<double>()});
  }
  return all;
}

// Of a sum of log-probabilities of the tiny model, whose logits are within a few units: at most 7 tokens.
double allowed_log_prob() { return 7.0 * allowed_forward(8.0); }

void expect_message(const std::function<void()>& f, ErrorKind kind, const std::vector<std::string>& parts) {
  try {
    f();
    ADD_FAILURE() << "nothing was thrown: " << parts.front();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    for (const std::string& part : parts)
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << part << " in: " << error.what();
  }
}

class Dpo : public ::testing::Test {
 protected:
  comm::Communicator comm_ = comm::Communicator::self();
  TemporaryFolder folder_;

  StageRun stage() const { return stage_run(comm_, folder_.path()); }
  // Without checkpoints, its metrics in a file of their own.
  StageRun stage(const std::string& name) const {
    StageRun run = stage();
    run.checkpoint_folder.clear();
    run.metrics_file = folder_.path() / (name + ".jsonl");
    return run;
  }
};
using DpoReference = Dpo;

TEST_F(DpoReference, IsTheSumOverTheAnswersTokensOfEveryPair) {
  const auto reference = tiny_model(5);
  const auto pairs = answer_pairs(40, 1);
  const auto found = reference_log_probs(reference, pairs, stage());
  const auto expected = plain_log_probs(reference, pairs);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    for (std::size_t side = 0; side < 2; ++side) EXPECT_NEAR(found[i][side], expected[i][side], allowed_log_prob());
}

TEST_F(DpoReference, IsComputedOnceAndReadByAStageThatGoesOn) {
  const auto reference = tiny_model(5);
  const auto pairs = answer_pairs(300, 1);  // several blocks
  StageRun run = stage();
  int boundaries = 0;
  run.stop_requested = [&] { return ++boundaries > 1; };
  EXPECT_THROW(reference_log_probs(reference, pairs, run), Error);  // after the first block
  run.stop_requested = [&] { return ++boundaries < 0; };
  boundaries = 0;
  const auto rest = reference_log_probs(reference, pairs, run);
  const int of_the_rest = boundaries;
  boundaries = 0;
  EXPECT_EQ(reference_log_probs(reference, pairs, run), rest);
  EXPECT_EQ(boundaries, 0);
  EXPECT_EQ(reference_log_probs(reference, pairs, stage_run(comm_, folder_.path() / "straight")), rest);
  EXPECT_EQ(reference_log_probs(reference, pairs, stage("without checkpoints")), rest);
  EXPECT_GT(of_the_rest, 0);
}

TEST_F(DpoReference, ADamagedOrForeignFileIsComputedAgain) {
  const auto reference = tiny_model(5);
  const auto pairs = answer_pairs(30, 1);
  StageRun run = stage();
  const auto file = run.checkpoint_folder / "reference.safetensors";
  const auto expected = reference_log_probs(reference, pairs, run);
  const std::string whole = read_file(file);
  int boundaries = 0;
  run.stop_requested = [&] { return ++boundaries < 0; };
  const auto expect_computed = [&](const std::string& bytes, const std::string& what) {
    write_file_atomic(file, bytes);
    boundaries = 0;
    EXPECT_EQ(reference_log_probs(reference, pairs, run), expected) << what;
    EXPECT_EQ(boundaries, 1) << what;
    EXPECT_EQ(read_file(file), whole) << what;
  };
  std::string flipped = whole;
  flipped[flipped.size() - 5] = static_cast<char>(flipped[flipped.size() - 5] ^ 1);
  expect_computed(flipped, "a flipped bit");
  expect_computed(whole.substr(0, whole.size() - 8), "a short file");
  expect_computed("", "an empty file");

  const auto bytes_of_other = [&](const model::Transformer& model, std::span<const TokenPair> of) {
    std::filesystem::remove(file);
    reference_log_probs(model, of, run);
    return read_file(file);
  };
  auto other_pairs = pairs;
  other_pairs.back().second[4] = other_pairs.back().second[4] == 4 ? 6 : 4;
  auto other_prompts = pairs;
  other_prompts.front().prompt_length = 2;
  expect_computed(bytes_of_other(reference, other_pairs), "another answer");
  expect_computed(bytes_of_other(reference, other_prompts), "another prompt");
  expect_computed(bytes_of_other(tiny_model(6), pairs), "another model");
  auto with_adapter = policy_from(reference, Trained::adapter);
  expect_computed(bytes_of_other(with_adapter, pairs), "the same model with an adapter");
}

TEST_F(DpoReference, AnAnswerThatItCannotGiveIsAnInputError) {
  auto reference = tiny_model(5);
  reference.final_norm.weight_d.fill_(NAN);
  expect_message([&] { reference_log_probs(reference, answer_pairs(3, 1), stage()); }, ErrorKind::input,
                 {"stage: pair 0", "first", "finite"});
}

// All of a pair set in one batch and grain, as tensors of a model with gradients.
struct WholeLoss {
  torch::Tensor loss;      // weighted mean
  PairLogProbs log_probs;  // detached
  torch::Tensor h_P;
};
WholeLoss whole_loss(const model::Transformer& policy, std::span<const AnswerLogProbs> reference,
                     std::span<const TokenPair> pairs, const DpoOptions& options) {
  std::vector<Answer> answers;
  std::vector<double> of_reference, tokens, labels, weights;
  double weight = 0.0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    for (const auto* sequence : {&pairs[i].first, &pairs[i].second}) {
      answers.push_back({*sequence, pairs[i].prompt_length});
      tokens.push_back(static_cast<double>(answers.back().length()));
    }
    of_reference.insert(of_reference.end(), reference[i].begin(), reference[i].end());
    labels.push_back(pairs[i].p_first);
    weights.push_back(pairs[i].weight);
    weight += pairs[i].weight;
  }
  const auto doubles = [](const std::vector<double>& values) { return torch::tensor(values, torch::kFloat64); };
  const PairLogProbs log_probs{answer_log_probs(policy, answers).view({-1, 2}), doubles(of_reference).view({-1, 2}),
                               doubles(tokens).view({-1, 2})};
  const auto h_P = dpo_difference(log_probs, options);
  const auto losses_P =
      dpo_loss(h_P, doubles(labels), options) + options.nll_weight * preferred_nll(log_probs, doubles(labels));
  return {(losses_P * doubles(weights)).sum() / weight,
          {log_probs.policy_P2.detach(), log_probs.reference_P2, log_probs.tokens_P2},
          h_P.detach()};
}

TEST_F(Dpo, TheGradientOfTheWholeLossIsThatOfFiniteDifferences) {
  auto pairs = answer_pairs(6, 4, 0.8);
  pairs[1].weight = 2.5;
  const auto reference = plain_log_probs(tiny_model(6), pairs);
  auto policy = in_double(tiny_model(5));
  const auto decoder = rounding::decoder_of(policy.config(), 10);
  constexpr double step = 0x1p-10;
  for (const auto& [name, loss] : dpo_loss_names()) {
    DpoOptions options;
    options.loss = loss;
    options.beta = 0.3;
    options.nll_weight = 0.2;
    if (loss == DpoLoss::robust || loss == DpoLoss::conservative) options.label_smoothing = 0.1;
    for (auto& [parameter_name, parameter] : policy.parameters()) parameter.requires_grad_(true);
    const WholeLoss whole = whole_loss(policy, reference, pairs, options);
    whole.loss.backward();
    // No loss is steeper in h than 2 (|h| + 1 / (2β)) + 1, and h has the errors of all log-probabilities.
    const double slopes = 2.0 * (whole.h_P.abs().max().item<double>() + 0.5 / options.beta) + 1.0;
    const double size =
        std::fabs(whole.loss.item<double>()) + slopes * whole.log_probs.policy_P2.abs().max().item<double>();
    const double rounded = 4.0 * size * rounding::of_forward(decoder, rounding::twice) / step;
    for (auto& [parameter_name, parameter] : policy.parameters()) {
      const auto gradient = parameter.grad().clone();
      parameter.mutable_grad() = torch::Tensor();
      const torch::NoGradGuard no_gradients;
      const auto direction =
          torch::sin(torch::arange(1, parameter.numel() + 1).to(torch::kFloat64)).view(parameter.sizes());
      const double length = direction.norm().item<double>();
      const auto difference = [&](double width) {
        const auto moved = [&](double by) {
          parameter.add_(direction, by / length);
          const double value = whole_loss(policy, reference, pairs, options).loss.item<double>();
          parameter.sub_(direction, by / length);
          return value;
        };
        return (moved(width) - moved(-width)) / (2.0 * width);
      };
      // Differences over twice the step are off by four times as much.
      const double near = difference(step), far = difference(2.0 * step);
      EXPECT_NEAR((gradient * direction).sum().item<double>() / length, near, std::fabs(far - near) + rounded)
          << name << " " << parameter_name;
    }
  }
}

TEST_F(Dpo, FirstLineOfMetricsMatchesAnIndependentSum) {
  auto pairs = answer_pairs(14, 4, 0.8);
  pairs[2].weight = 3.0;
  const auto start = tiny_model(5);
  const auto reference = plain_log_probs(tiny_model(6), pairs);
  for (const bool length_normalised : {false, true}) {
    DpoOptions options = dpo_options(1);
    options.batch = 14;
    options.beta = 0.4;
    options.nll_weight = 0.3;
    options.length_normalised = length_normalised;
    StageRun run = stage(length_normalised ? "mean" : "sum");
    auto policy = start.clone();
    train_dpo(policy, reference, pairs, options, run);
    const Json line = metrics_lines(run).front();

    const auto exact = in_double(start);
    const auto of_policy = plain_log_probs(exact, pairs);
    std::map<std::string, double> sums;
    double weight = 0.0, decided = 0.0, tokens[2] = {0.0, 0.0};
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const TokenPair& pair = pairs[i];
      const double length[2] = {static_cast<double>(pair.first.size()) - 3.0,
                                static_cast<double>(pair.second.size()) - 3.0};
      double delta[2];
      for (const std::size_t side : {0U, 1U})
        delta[side] = (of_policy[i][side] - reference[i][side]) / (length_normalised ? length[side] : 1.0);
      const double z = 0.4 * (delta[0] - delta[1]), p = pair.p_first;
      const double nll = -p * of_policy[i][0] / length[0] - (1.0 - p) * of_policy[i][1] / length[1];
      sums["loss"] += pair.weight * (p * std::log1p(std::exp(-z)) + (1.0 - p) * std::log1p(std::exp(z)) + 0.3 * nll);
      sums["nll"] += pair.weight * nll;
      weight += pair.weight;
      if (p == 0.5) continue;
      const std::size_t chosen = p > 0.5 ? 0 : 1, rejected = 1 - chosen;
      decided += 1.0;
      sums["margin"] += chosen == 0 ? z : -z;
      sums["accuracy"] += (chosen == 0 ? z : -z) > 0.0 ? 1.0 : 0.0;
      sums["policy_accuracy"] += of_policy[i][chosen] > of_policy[i][rejected] ? 1.0 : 0.0;
      sums["chosen_log_prob"] += of_policy[i][chosen];
      sums["rejected_log_prob"] += of_policy[i][rejected];
      tokens[0] += length[chosen];
      tokens[1] += length[rejected];
    }
    EXPECT_GT(decided, 3.0);
    EXPECT_LT(decided, 14.0);  // there are ties
    for (const char* key : {"accuracy", "policy_accuracy", "margin", "chosen_log_prob", "rejected_log_prob"})
      EXPECT_NEAR(line.at(key).get<double>(), sums[key] / decided, allowed_log_prob()) << key;
    for (const char* key : {"loss", "nll"})
      EXPECT_NEAR(line.at(key).get<double>(), sums[key] / weight, 2.0 * allowed_log_prob()) << key;
    EXPECT_NEAR(line.at("chosen_token_log_prob").get<double>(), sums["chosen_log_prob"] / tokens[0],
                allowed_log_prob());
    EXPECT_NEAR(line.at("rejected_token_log_prob").get<double>(), sums["rejected_log_prob"] / tokens[1],
                allowed_log_prob());
    EXPECT_EQ(line.at("step").get<int>(), 1);
    EXPECT_EQ(line.at("epoch").get<int>(), 1);

    for (auto& [name, parameter] : exact.parameters()) parameter.requires_grad_(true);
    whole_loss(exact, reference, pairs, options).loss.backward();
    double squares = 0.0;
    for (const auto& [name, parameter] : exact.parameters()) squares += parameter.grad().square().sum().item<double>();
    // The gradient is a sum of every pair's, of which each may be as large as the whole.
    EXPECT_NEAR(line.at("gradient_norm").get<double>(), std::sqrt(squares),
                allowed_backward(std::sqrt(squares) * 14.0, 140.0));
  }
}

TEST_F(Dpo, EveryLossLearnsWhichAnswersAreBetterInAllWeightsAndInAnAdapter) {
  const auto pairs = answer_pairs(40, 1, 0.95);
  const auto start = tiny_model(5);
  const std::string before = bytes_of(start.parameters());
  for (const auto& [name, loss] : dpo_loss_names())
    for (const Trained trained : {Trained::all, Trained::adapter}) {
      DpoOptions options = dpo_options(12);
      options.loss = loss;
      options.batch = 10;
      if (loss == DpoLoss::simpo) options.beta = 2.0;
      if (loss == DpoLoss::robust || loss == DpoLoss::conservative) options.label_smoothing = 0.1;
      StageRun run = stage(name + (trained == Trained::all ? "" : "-adapter"));
      const auto reference = reference_log_probs(start, pairs, run);
      auto policy = policy_from(start, trained);
      train_dpo(policy, reference, pairs, options, run);
      const auto lines = metrics_lines(run);
      ASSERT_EQ(lines.size(), 48U);
      double accuracy = 0.0, margin = 0.0;  // over the last epoch
      for (std::size_t i = 44; i < 48; ++i) {
        accuracy += lines[i].at("accuracy").get<double>() / 4.0;
        margin += lines[i].at("margin").get<double>() / 4.0;
      }
      EXPECT_GT(accuracy, 0.9) << run.metrics_file;
      EXPECT_GT(margin, 0.1) << run.metrics_file;
      EXPECT_LT(lines.back().at("loss").get<double>(), lines.front().at("loss").get<double>()) << run.metrics_file;
      EXPECT_EQ(lines.back().at("epoch").get<int>(), 12);
      if (trained == Trained::adapter) {
        EXPECT_EQ(bytes_of(start.parameters()), before);
      }
    }
}

TEST_F(Dpo, TheFirstStepsMarginsAreZero) {
  const auto pairs = answer_pairs(6, 1);
  const StageRun run = stage();
  run_dpo(run, pairs, dpo_options(1));
  const Json line = metrics_lines(run).front();
  EXPECT_NEAR(line.at("margin").get<double>(), 0.0, allowed_log_prob());
  EXPECT_NEAR(line.at("loss").get<double>(), std::log(2.0), allowed_log_prob());
}

TEST_F(Dpo, TheMarginOfASoftLabelGoesToItsLogit) {
  auto pairs = answer_pairs(1, 1);
  for (const double p : {0.25, 0.75, 0.9}) {
    pairs[0].p_first = p;
    StageRun run = stage(std::to_string(p));
    DpoOptions options = dpo_options(300);
    options.schedule = {5e-3, 4, 0.0};
    run_dpo(run, pairs, options);
    const double towards = std::fabs(std::log(p / (1.0 - p)));
    EXPECT_NEAR(metrics_lines(run).back().at("margin").get<double>(), towards, 0.05 * towards) << p;
  }
}

TEST_F(Dpo, ATiePullsAMarginBackToZero) {
  auto pairs = answer_pairs(1, 1);
  pairs[0].p_first = 0.5;
  const auto start = tiny_model(5);
  auto reference = plain_log_probs(start, pairs);
  reference[0][0] -= 8.0;  // h starts at 8
  // A tie beside a pair with a preference, which stands in its other steps.
  pairs.push_back(answer_pairs(40, 7).back());
  pairs[1].p_first = 1.0;
  pairs[1].prompt_id = 99;
  reference.push_back(plain_log_probs(start, std::span(pairs).subspan(1))[0]);
  DpoOptions options = dpo_options(100);
  options.batch = 1;
  options.schedule = {2e-3, 4, 0.0};
  const StageRun run = stage();
  auto policy = start.clone();
  train_dpo(policy, reference, pairs, options, run);
  const auto now = plain_log_probs(policy, pairs);
  EXPECT_LT(std::fabs((now[0][0] - reference[0][0]) - (now[0][1] - reference[0][1])), 4.0);
  int ties = 0;
  for (const Json& line : metrics_lines(run)) {
    const bool tie = line.at("accuracy").is_null();
    ties += tie ? 1 : 0;
    for (const char* key : {"margin", "policy_accuracy", "chosen_log_prob", "rejected_token_log_prob"})
      EXPECT_EQ(line.at(key).is_null(), tie) << key;
    EXPECT_TRUE(line.at("loss").is_number() && line.at("nll").is_number());
  }
  EXPECT_EQ(ties, 100);
}

TEST_F(Dpo, TheLikelihoodTermKeepsUpWhatTheMarginDoesNotSee) {
  std::vector<TokenPair> pairs;
  for (const TokenPair& pair : answer_pairs(40, 1)) {
    if (pair.p_first != 0.5 && pairs.size() < 4) pairs.push_back(pair);
  }
  std::map<double, double> chosen;
  for (const double nll_weight : {0.0, 1.0}) {
    DpoOptions options = dpo_options(60);
    options.nll_weight = nll_weight;
    StageRun run = stage(std::to_string(nll_weight));
    run_dpo(run, pairs, options);
    const Json line = metrics_lines(run).back();
    chosen[nll_weight] = line.at("chosen_token_log_prob").get<double>();
    EXPECT_EQ(line.at("accuracy").get<double>(), 1.0);
  }
  EXPECT_GT(chosen[1.0], chosen[0.0]);
}

TEST_F(Dpo, AStoppedRunEndsInTheSameBytes) {
  const auto pairs = answer_pairs(20, 2);
  for (const Trained trained : {Trained::all, Trained::adapter}) {
    const TemporaryFolder folder, straight_folder;
    StageRun run = stage_run(comm_, folder.path());
    int boundaries = 0;
    run.stop_requested = [&] { return ++boundaries > 6; };  // one before the reference's block
    EXPECT_THROW(run_dpo(run, pairs, dpo_options(3), trained), Error);
    run.stop_requested = [] { return false; };
    EXPECT_EQ(load_checkpoint(run).step, 5);
    EXPECT_EQ(run_dpo(run, pairs, dpo_options(3), trained),
              run_dpo(stage_run(comm_, straight_folder.path()), pairs, dpo_options(3), trained));
  }
}

TEST_F(Dpo, MicroBatchesChangeNothingButRounding) {
  const auto pairs = answer_pairs(40, 1, 0.9);
  std::vector<Json> whole;
  for (const std::int64_t tokens : {0, 1, 40}) {
    StageRun run = stage(std::to_string(tokens));
    run.micro_batch_tokens = tokens;
    DpoOptions options = dpo_options(1);
    options.batch = 20;
    run_dpo(run, pairs, options);
    const auto lines = metrics_lines(run);
    if (tokens == 0) whole = lines;
    ASSERT_EQ(lines.size(), whole.size());
    for (std::size_t i = 0; i < lines.size(); ++i)
      for (const char* key : {"loss", "margin", "chosen_log_prob", "rejected_token_log_prob", "nll", "gradient_norm"})
        EXPECT_NEAR(lines[i].at(key).get<double>(), whole[i].at(key).get<double>(),
                    7.0 * 2.0 * allowed_backward(1.0 + std::fabs(whole[i].at(key).get<double>()), 40))
            << key;
  }
}

TEST_F(Dpo, AWeightCountsAPairSoManyTimesInItsBatch) {
  const auto plain = answer_pairs(5, 3, 0.8);
  const auto reference_of = [&](const std::vector<TokenPair>& pairs) { return plain_log_probs(tiny_model(6), pairs); };
  const auto first_line = [&](const std::string& name, const std::vector<TokenPair>& pairs) {
    StageRun run = stage(name);
    run.grains = 1;
    DpoOptions options = dpo_options(1);
    options.batch = 100;
    options.nll_weight = 0.2;
    auto policy = tiny_model(5);
    train_dpo(policy, reference_of(pairs), pairs, options, run);
    return metrics_lines(run).front();
  };
  auto weighted = plain, repeated = plain;
  weighted[1].weight = 3.0;
  repeated.insert(repeated.begin() + 1, 2, plain[1]);
  const Json once = first_line("plain", plain), three = first_line("weighted", weighted),
             thrice = first_line("repeated", repeated);
  for (const char* key : {"loss", "nll", "gradient_norm"}) {
    const double allowed = 7.0 * allowed_backward(1.0 + once.at(key).get<double>(), 10);
    EXPECT_NEAR(three.at(key).get<double>(), thrice.at(key).get<double>(), allowed) << key;
    EXPECT_GT(std::fabs(three.at(key).get<double>() - once.at(key).get<double>()), 2.0 * allowed) << key;
  }
}

TEST_F(Dpo, SimpoTrainsWithoutAReference) {
  const auto pairs = answer_pairs(12, 1);
  DpoOptions options = dpo_options(1);
  options.loss = DpoLoss::simpo;
  options.beta = 2.0;
  const auto trained = [&](const std::vector<AnswerLogProbs>& reference, const std::string& name) {
    auto policy = tiny_model(5);
    train_dpo(policy, reference, pairs, options, stage(name));
    return bytes_of(policy.parameters());
  };
  EXPECT_EQ(trained({}, "without"), trained(plain_log_probs(tiny_model(6), pairs), "with"));
}

TEST_F(Dpo, OptionsOutOfTheirRangeAreRefusedByTheirKey) {
  const auto pairs = answer_pairs(4, 1);
  const auto expect_refused = [&](const std::function<void(DpoOptions&)>& change, const std::string& key,
                                  const std::string& expected) {
    DpoOptions options = dpo_options(1);
    change(options);
    auto policy = tiny_model(5);
    expect_message([&] { train_dpo(policy, plain_log_probs(policy, pairs), pairs, options, stage()); },
                   ErrorKind::usage, {"stage: dpo." + key + " = ", expected});
  };
  for (const double beta : {0.0, -0.1, std::nan(""), HUGE_VAL})
    expect_refused([&](DpoOptions& o) { o.beta = beta; }, "beta", "above 0");
  for (const double epsilon : {-0.1, 0.5, 0.7, std::nan("")}) {
    expect_refused(
        [&](DpoOptions& o) {
          o.loss = DpoLoss::robust;
          o.label_smoothing = epsilon;
        },
        "label_smoothing", "below 0.5");
  }
  expect_refused([](DpoOptions& o) { o.label_smoothing = 0.1; }, "label_smoothing", "conservative or robust");
  expect_refused([](DpoOptions& o) { o.simpo_margin = -1.0; }, "simpo_margin", "at least 0");
  expect_refused([](DpoOptions& o) { o.nll_weight = -1.0; }, "nll_weight", "at least 0");
  expect_refused([](DpoOptions& o) { o.epochs = 0; }, "epochs", "at least 1");
  expect_refused([](DpoOptions& o) { o.batch = 0; }, "batch", "at least 1");
}

TEST_F(Dpo, PairsThatNothingCanBeLearntFromAreRefused) {
  const auto expect_refused = [&](const std::vector<TokenPair>& pairs, const std::vector<std::string>& parts) {
    expect_message([&] { check_dpo(pairs, dpo_options(1), 24, "stage"); }, ErrorKind::input, parts);
  };
  expect_refused({}, {"stage: no preference pairs"});
  const auto good = answer_pairs(2, 1);
  const auto changed = [&](const std::function<void(TokenPair&)>& change) {
    auto pairs = good;
    change(pairs[1]);
    return pairs;
  };
  expect_refused(changed([](TokenPair& pair) { pair.p_first = 1.5; }), {"pair 1", "label"});
  expect_refused(changed([](TokenPair& pair) { pair.weight = 0.0; }), {"pair 1", "weight"});
  expect_refused(changed([](TokenPair& pair) { pair.prompt_length = 0; }), {"pair 1", "prompt"});
  expect_refused(changed([](TokenPair& pair) { pair.second.resize(3); }), {"pair 1", "answer"});
  expect_refused(changed([](TokenPair& pair) { pair.second[1] = 3; }), {"pair 1", "different prompts"});
  expect_refused(changed([](TokenPair& pair) { pair.second.resize(25, 4); }), {"pair 1", "25 tokens", "24"});

  auto ties = good;
  for (TokenPair& pair : ties) pair.p_first = 0.5;
  for (const auto& [name, loss] : dpo_loss_names()) {
    DpoOptions options = dpo_options(1);
    options.loss = loss;
    if (uses_reference(loss)) {
      expect_message([&] { check_dpo(ties, options, 24, "stage"); }, ErrorKind::input,
                     {"all 2 pairs are ties", "dpo.loss = " + name, "dpo.nll_weight above 0"});
    } else {
      EXPECT_NO_THROW(check_dpo(ties, options, 24, "stage"));
    }
    options.nll_weight = 0.1;
    EXPECT_NO_THROW(check_dpo(ties, options, 24, "stage"));
  }
}

}  // namespace
}  // namespace rlaif::train::test
