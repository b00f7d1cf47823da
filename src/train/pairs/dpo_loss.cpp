#include "rlaif/train/dpo_loss.hpp"

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/losses.hpp"

namespace rlaif::train {

namespace {

torch::Tensor first(const torch::Tensor& of_P2) { return of_P2.select(1, 0); }
torch::Tensor second(const torch::Tensor& of_P2) { return of_P2.select(1, 1); }

}  // namespace

torch::Tensor dpo_difference(const PairLogProbs& log_probs, const DpoLossOptions& options) {
  const bool referenced = uses_reference(options.loss);
  auto delta_P2 = referenced ? log_probs.policy_P2 - log_probs.reference_P2 : log_probs.policy_P2;
  if (options.length_normalised || !referenced) delta_P2 = delta_P2 / log_probs.tokens_P2;
  return first(delta_P2) - second(delta_P2);
}

torch::Tensor dpo_loss(const torch::Tensor& h_P, const torch::Tensor& p_first_P, const DpoLossOptions& options) {
  const double beta = options.beta, flipped = options.label_smoothing;
  const auto of_both_sides = [&](const auto& loss) { return p_first_P * loss(h_P) + (1.0 - p_first_P) * loss(-h_P); };
  switch (options.loss) {
    case DpoLoss::sigmoid: return soft_label_cross_entropy(beta * h_P, p_first_P);
    case DpoLoss::conservative:
      return soft_label_cross_entropy(beta * h_P, (1.0 - flipped) * p_first_P + flipped * (1.0 - p_first_P));
    case DpoLoss::robust: return soft_label_cross_entropy(beta * h_P, (p_first_P - flipped) / (1.0 - 2.0 * flipped));
    case DpoLoss::ipo: return (h_P - (2.0 * p_first_P - 1.0) / (2.0 * beta)).square();
    case DpoLoss::hinge: return of_both_sides([&](const torch::Tensor& h) { return torch::relu(1.0 - beta * h); });
    case DpoLoss::simpo:
      return of_both_sides(
          [&](const torch::Tensor& h) { return -torch::log_sigmoid(beta * h - options.simpo_margin); });
  }
  RLAIF_CHECK(false, "a known loss of direct preference optimisation");
}

torch::Tensor preferred_nll(const PairLogProbs& log_probs, const torch::Tensor& p_first_P) {
  const auto nll_P2 = -log_probs.policy_P2 / log_probs.tokens_P2;
  return p_first_P * first(nll_P2) + (1.0 - p_first_P) * second(nll_P2);
}

}  // namespace rlaif::train
