#include "rlaif/train/losses.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::train {

namespace {

// Saves the logits and their log-sum-exp only: the softmax is rebuilt in the backward pass, in the buffer that becomes
// the gradient, so that no second [M, V] tensor lives between the passes.
class TokenLogProbs : public torch::autograd::Function<TokenLogProbs> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& logits_MV,
                               const torch::Tensor& targets_M, double temperature) {
    const auto scaled_MV = temperature == 1.0 ? logits_MV : logits_MV / temperature;
    const auto log_sum_M = torch::logsumexp(scaled_MV, 1);
    const auto log_probs_M = scaled_MV.gather(1, targets_M.unsqueeze(1)).squeeze(1) - log_sum_M;
    context->save_for_backward({logits_MV, log_sum_M, targets_M});
    context->saved_data["temperature"] = temperature;
    return log_probs_M;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const double temperature = context->saved_data["temperature"].toDouble();
    const auto& logits_MV = saved[0];
    const auto log_sum_M1 = saved[1].unsqueeze(1);
    const auto targets_M1 = saved[2].unsqueeze(1);
    const auto gradient_M1 = (gradients[0] / temperature).unsqueeze(1);
    auto out_MV = temperature == 1.0 ? logits_MV - log_sum_M1 : (logits_MV / temperature).sub_(log_sum_M1);
    out_MV.exp_().mul_(-gradient_M1);
    out_MV.scatter_add_(1, targets_M1, gradient_M1);
    return {out_MV, torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

torch::Tensor token_log_probs(const torch::Tensor& logits_MV, const torch::Tensor& targets_M, double temperature) {
  RLAIF_CHECK(logits_MV.dim() == 2 && targets_M.dim() == 1 && logits_MV.size(0) == targets_M.size(0),
              "one target a row of logits");
  RLAIF_CHECK(temperature > 0.0, "a temperature above 0");
  return TokenLogProbs::apply(logits_MV, targets_M, temperature);
}

torch::Tensor token_entropy(const torch::Tensor& logits_MV, double temperature) {
  const torch::NoGradGuard no_gradients;
  const auto log_probs_MV = torch::log_softmax(temperature == 1.0 ? logits_MV : logits_MV / temperature, 1);
  return -(log_probs_MV.exp() * log_probs_MV).sum(1);
}

torch::Tensor soft_label_cross_entropy(const torch::Tensor& margins_P, const torch::Tensor& p_first_P) {
  return -(p_first_P * torch::log_sigmoid(margins_P) + (1.0 - p_first_P) * torch::log_sigmoid(-margins_P));
}

}  // namespace rlaif::train
