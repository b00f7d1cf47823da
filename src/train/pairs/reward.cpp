#include "rlaif/train/reward.hpp"

#include <cmath>
#include <map>
#include <set>

#include "../tensors.hpp"
#include "pair_training.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/advantages.hpp"
#include "rlaif/train/losses.hpp"
#include "rlaif/train/throughput.hpp"

namespace rlaif::train {

namespace {

enum RewardColumn : std::size_t {
  kRewardLoss,
  kRewardCorrect,
  kRewardMargin,
  kRewardPairs,
  kRewardWeight,
  kRewardTokens,
  kRewardColumns
};

// Below this spread of raw scores the model has learned no preference and dividing would only raise noise.
constexpr double kSmallestScale = 1e-6;
constexpr std::size_t kCentringTokens = 16384;

torch::Tensor last_token_scores(const model::ScalarModel& model, std::span<const std::vector<TokenId>> sequences,
                                std::span<const torch::Tensor> trunks = {}) {
  const auto packed = model::pack(sequences, model.body.device());
  const model::Transformer& body = model.body;
  if (trunks.empty()) return model.values_N(body.hidden_states(packed).index_select(0, packed.last_rows_S()));
  RLAIF_CHECK(body.adapter && trunks.size() == sequences.size(), "one trunk a sequence, of a model with an adapter");
  const auto x_Nd = body.run_layers(torch::cat(std::vector<torch::Tensor>(trunks.begin(), trunks.end())), packed,
                                    body.adapter->options().first_layer, body.config().num_layers);
  return model.values_N(body.final_states(x_Nd.index_select(0, packed.last_rows_S())));
}

// Forward and backward of the sum of losses of some pairs, added to the row of sums. `last_of`: whose grain ends with it.
void backward(const model::ScalarModel& model, std::span<const TokenPair> pairs, std::span<const std::size_t> chosen,
              std::vector<double>& row, DataParallel* last_of) {
  std::vector<std::vector<TokenId>> sequences;
  std::vector<std::int64_t> rows;
  std::vector<float> labels, weights;
  std::map<std::vector<TokenId>, std::int64_t> known;
  for (const std::size_t i : chosen) {
    for (const auto* tokens : {&pairs[i].first, &pairs[i].second}) {
      const auto [place, is_new] = known.try_emplace(*tokens, static_cast<std::int64_t>(sequences.size()));
      if (is_new) sequences.push_back(*tokens);
      rows.push_back(place->second);
    }
    labels.push_back(static_cast<float>(pairs[i].p_first));
    weights.push_back(static_cast<float>(pairs[i].weight));
    row[kRewardWeight] += pairs[i].weight;
  }
  auto scores = last_token_scores(model, sequences);
  if (rows.size() != sequences.size()) scores = scores.index_select(0, torch::tensor(rows).to(scores.device()));
  const auto scores_P2 = scores.view({-1, 2});
  const auto margins_P = scores_P2.select(1, 0) - scores_P2.select(1, 1);
  const auto losses_P = soft_label_cross_entropy(margins_P, torch::tensor(labels).to(margins_P.device()));
  const auto loss = (losses_P * torch::tensor(weights).to(margins_P.device())).sum();
  if (last_of) last_of->last_backward();
  loss.backward();
  const auto margins = margins_P.detach().to(torch::kCPU, torch::kFloat64).contiguous();
  row[kRewardLoss] += loss.item<double>();
  row[kRewardPairs] += static_cast<double>(chosen.size());
  for (const auto& tokens : sequences) row[kRewardTokens] += static_cast<double>(tokens.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double side = labels[i] > 0.5F ? 1.0 : labels[i] < 0.5F ? -1.0 : 0.0;
    const double towards = side * margins.data_ptr<double>()[i];
    row[kRewardMargin] += towards;
    row[kRewardCorrect] += towards > 0.0 ? 1.0 : towards < 0.0 ? 0.0 : 0.5;
  }
}

// Sets offset and scale to the mean and standard deviation of the raw scores over completions, from fixed grains: of each
// its first ones, as far as kCentringTokens go. Two numbers need no more.
void centre(model::ScalarModel& model, std::span<const TokenPair> pairs, const StageRun& run) {
  const auto sums = sum_grain_rows(*run.comm, run.grains, 3, [&](int grain) -> std::vector<double> {
    const auto [begin, end] = grain_items(static_cast<std::int64_t>(pairs.size()), grain, run.grains);
    std::vector<std::vector<TokenId>> sequences;
    std::size_t tokens = 0;
    std::set<std::vector<TokenId>> seen;
    for (std::int64_t i = begin; i < end && tokens < kCentringTokens; ++i) {
      for (const auto* sequence :
           {&pairs[static_cast<std::size_t>(i)].first, &pairs[static_cast<std::size_t>(i)].second}) {
        if (!seen.insert(*sequence).second) continue;
        sequences.push_back(*sequence);
        tokens += sequence->size();
      }
    }
    Moments moments;
    for (const double score : score_sequences(model, sequences)) moments.add(score);
    return {moments.count, moments.sum, moments.sum_of_squares};
  });
  const Moments moments{sums[0], sums[1], sums[2]};
  const double deviation = std::sqrt(moments.variance());
  model.offset = moments.mean();
  model.scale = deviation > kSmallestScale ? deviation : 1.0;
  if (model.scale != deviation && run.comm->is_root()) {
    log::warning(run.name + ": the reward model gives all completions the same score; its scale stays 1");
  }
}

}  // namespace

void train_reward_model(model::ScalarModel& model, std::span<const TokenPair> pairs, const RewardOptions& options,
                        const StageRun& run) {
  if (options.batch < 1) throw usage_error(run.name + ": a batch of at least 1 pair was expected");
  check_pairs(pairs, model.body.config().max_positions, run.name);
  model.offset = 0.0;
  model.scale = 1.0;
  PairTraining training;
  training.groups = {{"body", model.body.trainable_parameters()},
                     {"head", {{"head", model.head_1d}}, options.head_learning_rate_scale}};
  training.adam = options.adam;
  training.schedule = options.schedule;
  training.flops_per_token = training_flops_per_token(model.body, OutputMatrix::unused);
  training.columns = kRewardColumns;
  training.weight = kRewardWeight;
  training.tokens = kRewardTokens;
  training.backward = [&](std::span<const std::size_t> chosen, std::vector<double>& row, DataParallel* last_of) {
    backward(model, pairs, chosen, row, last_of);
  };
  training.metrics = [](const PairStep& step) -> Json {
    return {{"step", step.step + 1},
            {"epoch", step.epoch + 1},
            {"loss", step.sums[kRewardLoss] / step.sums[kRewardWeight]},
            {"accuracy", step.sums[kRewardCorrect] / step.sums[kRewardPairs]},
            {"margin", step.sums[kRewardMargin] / step.sums[kRewardPairs]},
            {"learning_rate", step.learning_rate},
            {"gradient_norm", step.gradient_norm}};
  };
  training.progress_text = [](const Json& line) {
    return progress_number("loss", line["loss"].get<double>()) + ", " +
           progress_number("accuracy", line["accuracy"].get<double>());
  };
  train_on_pairs(training, pairs, PairSteps(pairs, options.batch, options.epochs, options.seed), run);
  centre(model, pairs, run);
}

namespace {

// Each different sequence once, in the order of first appearance, and where every one is among them.
struct Distinct {
  std::vector<std::vector<TokenId>> sequences;
  std::vector<std::size_t> place;
};

Distinct distinct(std::span<const std::vector<TokenId>> sequences) {
  Distinct result;
  std::map<std::vector<TokenId>, std::size_t> known;
  for (const auto& sequence : sequences) {
    const auto [entry, is_new] = known.try_emplace(sequence, result.sequences.size());
    if (is_new) result.sequences.push_back(sequence);
    result.place.push_back(entry->second);
  }
  return result;
}

}  // namespace

std::vector<double> score_sequences(const model::ScalarModel& model, std::span<const std::vector<TokenId>> sequences,
                                    std::int64_t batch_tokens, std::span<const torch::Tensor> trunks) {
  if (trunks.empty()) {
    const Distinct once = distinct(sequences);
    if (once.sequences.size() < sequences.size()) {
      const std::vector<double> scores = score_sequences(model, once.sequences, batch_tokens);
      std::vector<double> all;
      for (const std::size_t place : once.place) all.push_back(scores[place]);
      return all;
    }
  }
  const torch::NoGradGuard no_gradients;
  std::vector<double> scores;
  scores.reserve(sequences.size());
  std::size_t begin = 0;
  while (begin < sequences.size()) {
    std::size_t end = begin;
    std::int64_t tokens = 0;
    // At least one sequence a batch, however long it is.
    while (end < sequences.size()) {
      const auto length = static_cast<std::int64_t>(sequences[end].size());
      if (end > begin && tokens + length > batch_tokens) break;
      tokens += length;
      ++end;
    }
    const auto batch = last_token_scores(model, sequences.subspan(begin, end - begin),
                                         trunks.empty() ? trunks : trunks.subspan(begin, end - begin))
                           .to(torch::kCPU, torch::kFloat64)
                           .contiguous();
    scores.insert(scores.end(), batch.data_ptr<double>(), batch.data_ptr<double>() + batch.numel());
    begin = end;
  }
  return scores;
}

}  // namespace rlaif::train
