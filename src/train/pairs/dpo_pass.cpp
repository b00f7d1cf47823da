#include "dpo_pass.hpp"

#include "../tensors.hpp"
#include "pair_batches.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/answers.hpp"

#include <cmath>
#include <numeric>

namespace rlaif::train {

namespace {

// Some pairs, ready for the losses. On the policy's device, float64.
struct Labels {
  torch::Tensor p_first_P, weights_P;
};

Labels labels_of(std::span<const TokenPair> pairs, std::span<const std::size_t> chosen, torch::Device device) {
  std::vector<double> p_first, weights;
  for (const std::size_t i : chosen) {
    p_first.push_back(pairs[i].p_first);
    weights.push_back(pairs[i].weight);
  }
  return {doubles(p_first, device), doubles(weights, device)};
}

PairLogProbs log_probs_of(const model::Transformer& policy, const DistinctAnswers& distinct,
                          std::span<const AnswerLogProbs> reference, std::span<const std::size_t> chosen) {
  const auto device = policy.device();
  std::vector<double> tokens, of_reference;
  for (const std::int64_t place : distinct.places)
    tokens.push_back(static_cast<double>(distinct.answers[static_cast<std::size_t>(place)].length()));
  PairLogProbs log_probs;
  log_probs.policy_P2 = answer_log_probs(policy, distinct.answers)
                            .index_select(0, torch::tensor(distinct.places).to(device))
                            .view({-1, 2});
  log_probs.tokens_P2 = doubles(tokens, device).view({-1, 2});
  if (reference.empty()) return log_probs;
  for (const std::size_t i : chosen) of_reference.insert(of_reference.end(), reference[i].begin(), reference[i].end());
  log_probs.reference_P2 = doubles(of_reference, device).view({-1, 2});
  return log_probs;
}

torch::Tensor on_host(const torch::Tensor& values) { return values.detach().to(torch::kCPU).contiguous(); }

// What the metrics say of pairs with a preference.
void add_decided(std::span<const TokenPair> pairs, std::span<const std::size_t> chosen, const PairLogProbs& log_probs,
                 const torch::Tensor& margins_P, std::vector<double>& row) {
  const auto policy_P2 = on_host(log_probs.policy_P2), tokens_P2 = on_host(log_probs.tokens_P2),
             margins = on_host(margins_P);
  const auto right = [](double towards) { return towards > 0.0 ? 1.0 : towards < 0.0 ? 0.0 : 0.5; };
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const double p_first = pairs[chosen[i]].p_first;
    if (p_first == 0.5) continue;
    const std::size_t preferred = p_first > 0.5 ? 0 : 1, other = 1 - preferred;
    const double* const log_prob = policy_P2.const_data_ptr<double>() + 2 * i;
    const double* const tokens = tokens_P2.const_data_ptr<double>() + 2 * i;
    const double margin = margins.const_data_ptr<double>()[i] * (preferred == 0 ? 1.0 : -1.0);
    row[kDpoDecided] += 1.0;
    row[kDpoMargin] += margin;
    row[kDpoCorrect] += right(margin);
    row[kDpoPolicyCorrect] += right(log_prob[preferred] - log_prob[other]);
    row[kDpoChosen] += log_prob[preferred];
    row[kDpoChosenTokens] += tokens[preferred];
    row[kDpoRejected] += log_prob[other];
    row[kDpoRejectedTokens] += tokens[other];
  }
}

}  // namespace

void dpo_backward(const model::Transformer& policy, std::span<const AnswerLogProbs> reference,
                  std::span<const TokenPair> pairs, std::span<const std::size_t> chosen, const DpoLossOptions& options,
                  std::vector<double>& row, DataParallel* last_of) {
  const DistinctAnswers distinct = distinct_answers(pairs, chosen);
  const PairLogProbs log_probs = log_probs_of(policy, distinct, reference, chosen);
  const auto [p_first_P, weights_P] = labels_of(pairs, chosen, policy.device());
  const auto h_P = dpo_difference(log_probs, options);
  const auto nll_P = preferred_nll(log_probs, p_first_P);
  auto losses_P = dpo_loss(h_P, p_first_P, options);
  if (options.nll_weight > 0.0) losses_P = losses_P + options.nll_weight * nll_P;
  const auto loss = (losses_P * weights_P).sum();
  if (last_of) last_of->last_backward();
  loss.backward();
  row[kDpoLoss] += loss.item<double>();
  row[kDpoNll] += (nll_P.detach() * weights_P).sum().item<double>();
  row[kDpoWeight] += weights_P.sum().item<double>();
  for (const Answer& answer : distinct.answers) row[kDpoTokens] += static_cast<double>(answer.tokens.size() - 1);
  if (log_probs.reference_P2.defined())
    row[kDpoLogRatio] += (log_probs.policy_P2.detach() - log_probs.reference_P2).sum().item<double>();
  add_decided(pairs, chosen, log_probs, options.beta * h_P, row);
}

Json dpo_metrics(std::span<const double> sums) {
  const auto mean = [&](DpoColumn of, DpoColumn over) {
    return sums[over] > 0.0 ? Json(sums[of] / sums[over]) : Json();
  };
  return {{"loss", mean(kDpoLoss, kDpoWeight)},
          {"accuracy", mean(kDpoCorrect, kDpoDecided)},
          {"margin", mean(kDpoMargin, kDpoDecided)},
          {"policy_accuracy", mean(kDpoPolicyCorrect, kDpoDecided)},
          {"chosen_log_prob", mean(kDpoChosen, kDpoDecided)},
          {"rejected_log_prob", mean(kDpoRejected, kDpoDecided)},
          {"chosen_token_log_prob", mean(kDpoChosen, kDpoChosenTokens)},
          {"rejected_token_log_prob", mean(kDpoRejected, kDpoRejectedTokens)},
          {"nll", mean(kDpoNll, kDpoWeight)}};
}

std::string dpo_progress(const Json& line) {
  std::string text = line["loss"].is_number() ? progress_number("loss", line["loss"].get<double>()) : "no pair";
  if (line["margin"].is_number()) text += ", " + progress_number("margin", line["margin"].get<double>());
  return text;
}

std::vector<AnswerLogProbs> pair_log_probs(const model::Transformer& reference, std::span<const TokenPair> pairs,
                                           std::size_t first, const std::string& stage) {
  const torch::NoGradGuard no_gradients;
  std::vector<std::size_t> all(pairs.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const DistinctAnswers distinct = distinct_answers(pairs, all);
  const auto log_probs_S = answer_log_probs(reference, distinct.answers).to(torch::kCPU).contiguous();
  std::vector<AnswerLogProbs> numbers(pairs.size());
  for (std::size_t i = 0; i < distinct.places.size(); ++i) {
    const double log_prob = log_probs_S.const_data_ptr<double>()[distinct.places[i]];
    if (!std::isfinite(log_prob)) {
      throw input_error(stage + ": pair " + std::to_string(first + i / 2) + ": the reference's log-probability of " +
                        (i % 2 == 0 ? "the first" : "the second") + " answer is not a finite number");
    }
    numbers[i / 2][i % 2] = log_prob;
  }
  return numbers;
}

}  // namespace rlaif::train
