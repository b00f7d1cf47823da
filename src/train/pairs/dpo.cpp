#include "rlaif/train/dpo.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "../tensors.hpp"
#include "pair_training.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/answers.hpp"

namespace rlaif::train {

namespace {

enum Column : std::size_t {
  kLoss,
  kNll,
  kWeight,
  kDecided,  // pairs that are no ties
  kMargin,
  kCorrect,
  kPolicyCorrect,
  kChosen,
  kChosenTokens,
  kRejected,
  kRejectedTokens,
  kTokens,
  kColumns
};

std::string name_of(DpoLoss loss) {
  for (const auto& [name, value] : dpo_loss_names())
    if (value == loss) return name;
  RLAIF_CHECK(false, "a loss with a name");
}

}  // namespace

void check_dpo_options(const DpoOptions& options, const std::string& where) {
  const auto require = [&](bool holds, const char* key, double value, const char* expected) {
    if (holds) return;
    char number[32];
    std::snprintf(number, sizeof number, "%g", value);
    throw usage_error(where + ": dpo." + key + " = " + number + ": " + expected + " was expected");
  };
  const auto finite_at_least_0 = [](double value) { return value >= 0.0 && std::isfinite(value); };
  const bool smoothed = options.loss == DpoLoss::conservative || options.loss == DpoLoss::robust;
  require(options.beta > 0.0 && std::isfinite(options.beta), "beta", options.beta, "a number above 0");
  require(options.label_smoothing >= 0.0 && options.label_smoothing < 0.5, "label_smoothing", options.label_smoothing,
          "a share of at least 0 and below 0.5");
  require(smoothed || options.label_smoothing == 0.0, "label_smoothing", options.label_smoothing,
          "dpo.loss = conservative or robust, which alone use it, or 0");
  require(finite_at_least_0(options.simpo_margin), "simpo_margin", options.simpo_margin, "a number of at least 0");
  require(finite_at_least_0(options.nll_weight), "nll_weight", options.nll_weight, "a number of at least 0");
  require(options.epochs >= 1, "epochs", options.epochs, "at least 1 epoch");
  require(options.batch >= 1, "batch", static_cast<double>(options.batch), "at least 1 pair");
}

void check_dpo(std::span<const TokenPair> pairs, const DpoOptions& options, std::int64_t context,
               const std::string& stage) {
  check_dpo_options(options, stage);
  check_pairs(pairs, context, stage);
  check_answers(pairs, stage);
  const bool only_ties = std::all_of(pairs.begin(), pairs.end(), [](const auto& pair) { return pair.p_first == 0.5; });
  if (only_ties && uses_reference(options.loss) && options.nll_weight == 0.0) {
    throw input_error(stage + ": all " + std::to_string(pairs.size()) +
                      " pairs are ties (P(first is better) = 0.5), from which dpo.loss = " + name_of(options.loss) +
                      " learns nothing: at least one pair with a preference was expected, or dpo.nll_weight above 0");
  }
}

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
    row[kDecided] += 1.0;
    row[kMargin] += margin;
    row[kCorrect] += right(margin);
    row[kPolicyCorrect] += right(log_prob[preferred] - log_prob[other]);
    row[kChosen] += log_prob[preferred];
    row[kChosenTokens] += tokens[preferred];
    row[kRejected] += log_prob[other];
    row[kRejectedTokens] += tokens[other];
  }
}

// Forward and backward of the sum of losses of some pairs, added to the row of sums. `last_of`: whose grain ends with
// it.
void backward(const model::Transformer& policy, std::span<const AnswerLogProbs> reference,
              std::span<const TokenPair> pairs, std::span<const std::size_t> chosen, const DpoOptions& options,
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
  row[kLoss] += loss.item<double>();
  row[kNll] += (nll_P.detach() * weights_P).sum().item<double>();
  row[kWeight] += weights_P.sum().item<double>();
  for (const Answer& answer : distinct.answers) row[kTokens] += static_cast<double>(answer.tokens.size() - 1);
  add_decided(pairs, chosen, log_probs, options.beta * h_P, row);
}

Json metrics_line(const PairStep& step) {
  const std::vector<double>& sums = step.sums;
  // Null where nothing was counted.
  const auto mean = [&](Column of, Column over) { return sums[over] > 0.0 ? Json(sums[of] / sums[over]) : Json(); };
  return {{"step", step.step + 1},
          {"epoch", step.epoch + 1},
          {"loss", mean(kLoss, kWeight)},
          {"accuracy", mean(kCorrect, kDecided)},
          {"margin", mean(kMargin, kDecided)},
          {"policy_accuracy", mean(kPolicyCorrect, kDecided)},
          {"chosen_log_prob", mean(kChosen, kDecided)},
          {"rejected_log_prob", mean(kRejected, kDecided)},
          {"chosen_token_log_prob", mean(kChosen, kChosenTokens)},
          {"rejected_token_log_prob", mean(kRejected, kRejectedTokens)},
          {"nll", mean(kNll, kWeight)},
          {"learning_rate", step.learning_rate},
          {"gradient_norm", step.gradient_norm}};
}

}  // namespace

void train_dpo(model::Transformer& policy, std::span<const AnswerLogProbs> reference, std::span<const TokenPair> pairs,
               const DpoOptions& options, const StageRun& run) {
  check_dpo(pairs, options, policy.config().max_positions, run.name);
  if (!uses_reference(options.loss)) reference = {};
  RLAIF_CHECK(reference.size() == (uses_reference(options.loss) ? pairs.size() : 0),
              "the reference has read every pair");
  PairTraining training = policy_on_pairs(policy, options.schedule, options.adam);
  training.columns = kColumns;
  training.weight = kWeight;
  training.tokens = kTokens;
  training.backward = [&](std::span<const std::size_t> chosen, std::vector<double>& row, DataParallel* last_of) {
    backward(policy, reference, pairs, chosen, options, row, last_of);
  };
  training.metrics = metrics_line;
  training.progress_text = [](const Json& line) {
    std::string text = progress_number("loss", line["loss"].get<double>());
    if (line["margin"].is_number()) text += ", " + progress_number("margin", line["margin"].get<double>());
    return text;
  };
  train_on_pairs(training, pairs, PairSteps(pairs, options.batch, options.epochs, options.seed), run);
}

}  // namespace rlaif::train
