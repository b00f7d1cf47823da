#include "rlaif/train/kto.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../tensors.hpp"
#include "pair_training.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/answers.hpp"
#include "rlaif/train/throughput.hpp"

namespace rlaif::train {

namespace {

enum KtoColumn : std::size_t {
  kKtoLoss,
  kKtoWeight,  // of answers: two a pair
  kKtoAnswers,
  kKtoDesirableReward,
  kKtoUndesirableReward,
  kKtoRight,
  kKtoChosen,
  kKtoRejected,
  kKtoTokens,
  kKtoColumns
};

}  // namespace

torch::Tensor kto_loss(const torch::Tensor& log_ratios_N, const torch::Tensor& desirable_N, double z0,
                       const KtoOptions& options) {
  const auto above_N = options.beta * (log_ratios_N - z0);
  return torch::where(desirable_N, options.desirable_weight * torch::sigmoid(-above_N),
                      options.undesirable_weight * torch::sigmoid(above_N));
}

void check_kto_options(const KtoOptions& options, const std::string& where) {
  const auto require = [&](bool holds, const char* expected) {
    if (!holds) throw usage_error(where + ": " + expected + " was expected");
  };
  require(options.beta > 0.0 && std::isfinite(options.beta), "kto.beta above 0");
  require(options.desirable_weight > 0.0 && std::isfinite(options.desirable_weight), "kto.desirable_weight above 0");
  require(options.undesirable_weight > 0.0 && std::isfinite(options.undesirable_weight),
          "kto.undesirable_weight above 0");
  require(options.epochs >= 1, "kto.epochs of at least 1");
  require(options.batch >= 1, "kto.batch of at least 1 pair");
}

void check_kto(std::span<const TokenPair> pairs, const KtoOptions& options, std::int64_t context,
               const std::string& stage) {
  check_kto_options(options, stage);
  check_pairs(pairs, context, stage);
  check_answers(pairs, stage);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].p_first == 0.5)
      throw input_error(stage + ": pair " + std::to_string(i) + " is a tie; pairs with a preference were expected");
  }
}

namespace {

// The answers of a grain's pairs behind the prompt of the grain's next pair with another prompt, as whole sequences.
std::vector<std::pair<std::vector<TokenId>, std::int64_t>> mismatched(std::span<const TokenPair> pairs,
                                                                      std::span<const std::size_t> chosen,
                                                                      std::int64_t context) {
  const auto prompt_of = [&](std::size_t i) {
    return std::span(pairs[i].first).first(static_cast<std::size_t>(pairs[i].prompt_length));
  };
  std::vector<std::pair<std::vector<TokenId>, std::int64_t>> all;
  for (std::size_t at = 0; at < chosen.size(); ++at) {
    const auto own = prompt_of(chosen[at]);
    for (std::size_t ahead = 1; ahead < chosen.size(); ++ahead) {
      const auto other = prompt_of(chosen[(at + ahead) % chosen.size()]);
      if (std::equal(own.begin(), own.end(), other.begin(), other.end())) continue;
      for (const auto* tokens : {&pairs[chosen[at]].first, &pairs[chosen[at]].second}) {
        std::vector<TokenId> sequence(other.begin(), other.end());
        sequence.insert(sequence.end(), tokens->begin() + pairs[chosen[at]].prompt_length, tokens->end());
        if (static_cast<std::int64_t>(sequence.size()) <= context)
          all.emplace_back(std::move(sequence), static_cast<std::int64_t>(other.size()));
      }
      break;
    }
  }
  return all;
}

// Sum and count of the log-ratios of a grain's mismatched answers.
std::vector<double> mismatched_ratios(const model::Transformer& policy, const model::Transformer& reference,
                                      std::span<const TokenPair> pairs, std::span<const std::size_t> chosen,
                                      std::int64_t micro_batch_tokens) {
  const torch::NoGradGuard no_gradients;
  const auto sequences = mismatched(pairs, chosen, policy.config().max_positions);
  std::vector<std::int64_t> lengths;
  for (const auto& [tokens, prompt_length] : sequences) lengths.push_back(static_cast<std::int64_t>(tokens.size()));
  double sum = 0.0;
  for (const auto& group : micro_batches(lengths, micro_batch_tokens)) {
    std::vector<Answer> answers;
    for (const std::size_t i : group) answers.push_back({sequences[i].first, sequences[i].second});
    sum += (answer_log_probs(policy, answers) - answer_log_probs(reference, answers)).sum().item<double>();
  }
  return {sum, static_cast<double>(sequences.size())};
}

// Forward and backward of the sum of losses of both answers of some pairs, added to the row of sums.
void backward(const model::Transformer& policy, std::span<const AnswerLogProbs> reference,
              std::span<const TokenPair> pairs, std::span<const std::size_t> chosen, double z0,
              const KtoOptions& options, std::vector<double>& row, DataParallel* last_of) {
  const auto device = policy.device();
  const DistinctAnswers distinct = distinct_answers(pairs, chosen);
  std::vector<double> of_reference, weights;
  std::vector<std::uint8_t> desirable;
  for (const std::size_t i : chosen) {
    of_reference.insert(of_reference.end(), reference[i].begin(), reference[i].end());
    weights.insert(weights.end(), 2, pairs[i].weight);
    desirable.push_back(pairs[i].p_first > 0.5);
    desirable.push_back(pairs[i].p_first < 0.5);
  }
  const auto log_probs_N =
      answer_log_probs(policy, distinct.answers).index_select(0, torch::tensor(distinct.places).to(device));
  const auto ratios_N = log_probs_N - doubles(of_reference, device);
  const auto desirable_N = torch::tensor(desirable, torch::kUInt8).to(device, torch::kBool);
  const auto loss = (kto_loss(ratios_N, desirable_N, z0, options) * doubles(weights, device)).sum();
  if (last_of) last_of->last_backward();
  loss.backward();
  row[kKtoLoss] += loss.item<double>();
  for (const Answer& answer : distinct.answers) row[kKtoTokens] += static_cast<double>(answer.tokens.size() - 1);
  const auto ratios = ratios_N.detach().to(torch::kCPU).contiguous();
  const auto log_probs = log_probs_N.detach().to(torch::kCPU).contiguous();
  for (std::size_t n = 0; n < desirable.size(); ++n) {
    const double ratio = ratios.const_data_ptr<double>()[n], log_prob = log_probs.const_data_ptr<double>()[n];
    row[kKtoWeight] += weights[n];
    row[kKtoAnswers] += 1.0;
    row[desirable[n] ? kKtoDesirableReward : kKtoUndesirableReward] += options.beta * ratio;
    row[desirable[n] ? kKtoChosen : kKtoRejected] += log_prob;
    row[kKtoRight] += ratio == z0 ? 0.5 : (ratio > z0) == (desirable[n] != 0) ? 1.0 : 0.0;
  }
}

Json metrics_line(const PairStep& step, double z0) {
  const std::vector<double>& sums = step.sums;
  const double pairs = sums[kKtoAnswers] / 2.0;
  return {{"step", step.step + 1},
          {"epoch", step.epoch + 1},
          {"loss", sums[kKtoLoss] / sums[kKtoWeight]},
          {"kl", z0},
          {"desirable_reward", sums[kKtoDesirableReward] / pairs},
          {"undesirable_reward", sums[kKtoUndesirableReward] / pairs},
          {"accuracy", sums[kKtoRight] / sums[kKtoAnswers]},
          {"chosen_log_prob", sums[kKtoChosen] / pairs},
          {"rejected_log_prob", sums[kKtoRejected] / pairs},
          {"learning_rate", step.learning_rate},
          {"gradient_norm", step.gradient_norm}};
}

}  // namespace

void train_kto(model::Transformer& policy, const model::Transformer& reference,
               std::span<const AnswerLogProbs> reference_log_probs, std::span<const TokenPair> pairs,
               const KtoOptions& options, const StageRun& run) {
  check_kto(pairs, options, policy.config().max_positions, run.name);
  RLAIF_CHECK(reference_log_probs.size() == pairs.size(), "the reference has read every pair");
  double z0 = 0.0;
  PairTraining training = policy_on_pairs(policy, options.schedule, options.adam);
  training.columns = kKtoColumns;
  training.weight = kKtoWeight;
  training.tokens = kKtoTokens;
  training.before_step = [&](std::int64_t step, PairSteps& steps) {
    const auto sums = sum_grain_rows(*run.comm, run.grains, 2, [&](int grain) {
      return mismatched_ratios(policy, reference, pairs, steps.of(step, grain, run.grains), run.micro_batch_tokens);
    });
    z0 = sums[1] > 0.0 ? std::max(0.0, sums[0] / sums[1]) : 0.0;
  };
  training.backward = [&](std::span<const std::size_t> chosen, std::vector<double>& row, DataParallel* last_of) {
    backward(policy, reference_log_probs, pairs, chosen, z0, options, row, last_of);
  };
  training.metrics = [&](const PairStep& step) { return metrics_line(step, z0); };
  training.progress_text = [](const Json& line) {
    return progress_number("loss", line["loss"].get<double>()) + ", " +
           progress_number("accuracy", line["accuracy"].get<double>());
  };
  train_on_pairs(training, pairs, PairSteps(pairs, options.batch, options.epochs, options.seed), run);
}

}  // namespace rlaif::train
