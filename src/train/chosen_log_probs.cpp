// Log-probabilities of chosen tokens where the logits of all rows would not fit, or not fit the caches.
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "rlaif/core/error.hpp"
#include "rlaif/generate/softmax.hpp"
#include "rlaif/model/ops.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/losses.hpp"

namespace rlaif::train {

namespace {

using torch::Tensor;

constexpr std::int64_t kChunkLogits = std::int64_t{1} << 24;
// Below, a row of logits stays in the first-level cache and the plain way is as fast.
constexpr std::int64_t kSmallVocabulary = 8192;
// Words whose slopes are added up at once. Libraries add a whole row in one chain for some processors, and beside the chosen
// word's slope the many small ones are then rounded away: of 180,000 words 3e-4 of the sum's magnitudes, in such blocks 9e-6.
constexpr std::int64_t kSummedWords = 8192;

std::int64_t chunk_rows(std::int64_t vocabulary) { return std::max<std::int64_t>(1, kChunkLogits / vocabulary); }

struct RowOutputs {
  Tensor log_probs_R, entropy_R;  // views of the results; the entropy is undefined where it is not wanted
};

// sum w (x - max), over a fixed number of lanes.
double weighted_spread(const float* weights, const float* x, std::int64_t size, float maximum) {
  constexpr std::int64_t lanes = 16;
  std::array<float, lanes> sums{};
  std::int64_t i = 0;
  for (; i + lanes <= size; i += lanes)
    for (std::int64_t j = 0; j < lanes; ++j) sums[static_cast<std::size_t>(j)] += weights[i + j] * (x[i + j] - maximum);
  double sum = 0.0;
  for (; i < size; ++i) sum += weights[i] * (x[i] - maximum);
  for (const float lane : sums) sum += lane;
  return sum;
}

// Takes the logits' place: coefficient[r, j] = d log p(target) / d (hidden W^T)[r, j] = (1[j = target] - p_j) / T.
void rows_on_cpu(const Tensor& chunk_RV, const Tensor& targets_R, double temperature, bool coefficients,
                 const RowOutputs& outputs) {
  const std::int64_t vocabulary = chunk_RV.size(1);
  float* const logits = chunk_RV.data_ptr<float>();
  const auto* const targets = targets_R.data_ptr<std::int64_t>();
  float* const log_probs = outputs.log_probs_R.data_ptr<float>();
  float* const entropies = outputs.entropy_R.defined() ? outputs.entropy_R.data_ptr<float>() : nullptr;
  at::parallel_for(0, chunk_RV.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    generate::SoftmaxRow row;
    for (std::int64_t r = begin; r < end; ++r) {
      float* const x = logits + r * vocabulary;
      const std::int64_t target = targets[r];
      generate::softmax_row({x, static_cast<std::size_t>(vocabulary)}, 1.0 / temperature, row);
      const double log_total = std::log(row.total);
      log_probs[r] = static_cast<float>((static_cast<double>(x[target]) - row.maximum) / temperature - log_total);
      const float* const weights = row.weights.data();
      // H = log Z - sum p (x - max) / T, with p the weights over Z.
      if (entropies) {
        const double spread = weighted_spread(weights, x, vocabulary, row.maximum);
        entropies[r] = static_cast<float>(log_total - spread / (row.total * temperature));
      }
      if (!coefficients) continue;
      const auto factor = static_cast<float>(-1.0 / (row.total * temperature));
      for (std::int64_t j = 0; j < vocabulary; ++j) x[j] = weights[j] * factor;
      x[target] += static_cast<float>(1.0 / temperature);
    }
  });
}

void rows_by_torch(const Tensor& chunk_RV, const Tensor& targets_R, double temperature, bool coefficients,
                   const RowOutputs& outputs) {
  if (temperature != 1.0) chunk_RV.div_(temperature);
  const Tensor targets_R1 = targets_R.unsqueeze(1);
  const Tensor log_sum_R1 = torch::logsumexp(chunk_RV, 1, true);
  chunk_RV.sub_(log_sum_R1);
  outputs.log_probs_R.copy_(chunk_RV.gather(1, targets_R1).squeeze(1));
  if (outputs.entropy_R.defined()) outputs.entropy_R.copy_(-(chunk_RV.exp() * chunk_RV).sum(1));
  if (!coefficients) return;
  chunk_RV.exp_().mul_(-1.0 / temperature);
  chunk_RV.scatter_add_(1, targets_R1, torch::full_like(targets_R1, 1.0 / temperature, chunk_RV.options()));
}

bool own_kernel(const Tensor& hidden_Md) { return hidden_Md.is_cpu() && hidden_Md.scalar_type() == torch::kFloat32; }

// The chunk [begin, begin + rows) as logits and then as coefficients, in `buffer`.
Tensor chunk_of(const Tensor& hidden_Md, const Tensor& output_Vd, const Tensor& targets_M, double temperature,
                std::int64_t begin, std::int64_t rows, Tensor buffer_RV, bool coefficients, const RowOutputs& outputs) {
  Tensor chunk_RV = buffer_RV.narrow(0, 0, rows);
  at::mm_out(chunk_RV, hidden_Md.narrow(0, begin, rows), output_Vd.t());
  const auto process = own_kernel(hidden_Md) ? &rows_on_cpu : &rows_by_torch;
  process(chunk_RV, targets_M.narrow(0, begin, rows), temperature, coefficients, outputs);
  return chunk_RV;
}

// slope = coefficients W
void slopes_into(Tensor slope_Rd, const Tensor& coefficients_RV, const Tensor& output_Vd) {
  const auto block = [&](std::int64_t begin, Tensor to_Rd) {
    const std::int64_t words = std::min(kSummedWords, output_Vd.size(0) - begin);
    at::mm_out(to_Rd, coefficients_RV.narrow(1, begin, words), output_Vd.narrow(0, begin, words));
  };
  block(0, slope_Rd);
  if (output_Vd.size(0) <= kSummedWords) return;
  const Tensor part_Rd = torch::empty_like(slope_Rd);
  for (std::int64_t begin = kSummedWords; begin < output_Vd.size(0); begin += kSummedWords) {
    block(begin, part_Rd);
    slope_Rd.add_(part_Rd);
  }
}

struct Wanted {
  bool hidden = false, output = false;  // gradients
};

class ChosenLogProbs : public torch::autograd::Function<ChosenLogProbs> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& hidden_Md, const Tensor& output_Vd,
                        const Tensor& targets_M, double temperature, Wanted wanted, Tensor* entropy_M) {
    const std::int64_t count = hidden_Md.size(0), vocabulary = output_Vd.size(0);
    const std::int64_t step = std::min(count, chunk_rows(vocabulary));
    const Tensor log_probs_M = torch::empty({count}, hidden_Md.options());
    if (entropy_M) *entropy_M = torch::empty({count}, hidden_Md.options());
    const Tensor slope_Md = wanted.hidden ? torch::empty_like(hidden_Md) : Tensor();
    const Tensor buffer_RV = torch::empty({step, vocabulary}, hidden_Md.options());
    Tensor coefficients_RV;
    for (std::int64_t begin = 0; begin < count; begin += step) {
      const std::int64_t rows = std::min(step, count - begin);
      const RowOutputs outputs{log_probs_M.narrow(0, begin, rows),
                               entropy_M ? entropy_M->narrow(0, begin, rows) : Tensor()};
      const bool sole = wanted.output && count == step;
      coefficients_RV = chunk_of(hidden_Md, output_Vd, targets_M, temperature, begin, rows, buffer_RV,
                                 wanted.hidden || sole, outputs);
      if (!wanted.hidden) continue;
      slopes_into(slope_Md.narrow(0, begin, rows), coefficients_RV, output_Vd);
    }
    context->saved_data["temperature"] = temperature;
    if (wanted.hidden || wanted.output) {
      context->save_for_backward({wanted.output ? hidden_Md : Tensor(), wanted.output ? output_Vd : Tensor(), targets_M,
                                  slope_Md, wanted.output && count == step ? coefficients_RV : Tensor()});
    }
    return log_probs_M;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &hidden_Md = saved[0], &output_Vd = saved[1], &targets_M = saved[2], &slope_Md = saved[3];
    const Tensor upstream_M1 = gradients[0].unsqueeze(1);
    Tensor d_hidden_Md, d_output_Vd;
    if (slope_Md.defined()) d_hidden_Md = slope_Md * upstream_M1;
    if (output_Vd.defined()) {
      const Tensor weighted_Md = hidden_Md * upstream_M1;
      if (saved[4].defined()) {
        d_output_Vd = saved[4].t().mm(weighted_Md);
      } else {
        d_output_Vd =
            d_output(hidden_Md, output_Vd, targets_M, context->saved_data["temperature"].toDouble(), weighted_Md);
      }
    }
    return {d_hidden_Md, d_output_Vd, Tensor(), Tensor(), Tensor(), Tensor()};
  }

 private:
  static Tensor d_output(const Tensor& hidden_Md, const Tensor& output_Vd, const Tensor& targets_M, double temperature,
                         const Tensor& weighted_Md) {
    const std::int64_t count = hidden_Md.size(0), vocabulary = output_Vd.size(0);
    const std::int64_t step = chunk_rows(vocabulary);
    const Tensor buffer_RV = torch::empty({step, vocabulary}, hidden_Md.options());
    const Tensor unused_R = torch::empty({step}, hidden_Md.options());
    Tensor sum_Vd = torch::zeros_like(output_Vd);
    for (std::int64_t begin = 0; begin < count; begin += step) {
      const std::int64_t rows = std::min(step, count - begin);
      const Tensor coefficients_RV = chunk_of(hidden_Md, output_Vd, targets_M, temperature, begin, rows, buffer_RV,
                                              true, {unused_R.narrow(0, 0, rows), Tensor()});
      sum_Vd.addmm_(coefficients_RV.t(), weighted_Md.narrow(0, begin, rows));
    }
    return sum_Vd;
  }
};

}  // namespace

Tensor chosen_log_probs(const Tensor& hidden_Md, const Tensor& output_Vd, const Tensor& targets_M, double temperature,
                        Tensor* entropy_M) {
  RLAIF_CHECK(hidden_Md.dim() == 2 && targets_M.dim() == 1 && hidden_Md.size(0) == targets_M.size(0),
              "one target a row of states");
  RLAIF_CHECK(output_Vd.dim() == 2 && output_Vd.size(1) == hidden_Md.size(1), "states as wide as the output matrix");
  RLAIF_CHECK(temperature > 0.0, "a temperature above 0");
  const bool gradients = torch::GradMode::is_enabled();
  const Wanted wanted{gradients && hidden_Md.requires_grad(), gradients && output_Vd.requires_grad()};
  const std::int64_t vocabulary = output_Vd.size(0);
  const bool frozen = wanted.hidden && !wanted.output;
  if (!frozen && vocabulary <= kSmallVocabulary && hidden_Md.size(0) <= chunk_rows(vocabulary)) {
    const Tensor logits_MV = model::project(hidden_Md, output_Vd);
    if (entropy_M) *entropy_M = token_entropy(logits_MV, temperature);
    return token_log_probs(logits_MV, targets_M, temperature);
  }
  return ChosenLogProbs::apply(hidden_Md.contiguous(), output_Vd, targets_M.contiguous(), temperature, wanted,
                               entropy_M);
}

}  // namespace rlaif::train
