// How models are trained, as plain structs that a deck fills. No tensors here: whoever only states options, checks or prints
// them does not compile libtorch.
//
//   RewardOptions options;
//   options.schedule = {.learning_rate = 1e-3, .warmup_steps = 20, .end_fraction = 0.05};
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rlaif::train {

struct ScheduleOptions {
  double learning_rate = 1e-3;
  int warmup_steps = 0;       // linear from 0: step s of w has (s + 1) / w
  double end_fraction = 1.0;  // linear decay after warm-up to this share of the rate at the last step; 1: constant
};

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.98, eps = 1e-8, weight_decay = 0.01;
  double clip_norm = 1.0;  // of the whole gradient; 0: off
};

struct LanguageModelOptions {
  std::int64_t steps = 0;
  std::int64_t batch = 32;  // examples a step
  ScheduleOptions schedule{3e-3, 50, 0.05};
  AdamWOptions adam;
};

struct RewardOptions {
  int epochs = 2;
  std::int64_t batch = 32;  // pairs a step
  ScheduleOptions schedule{1e-3, 20, 0.05};
  AdamWOptions adam;
  double head_learning_rate_scale = 1.0;
  std::uint64_t seed = 0;  // order of pairs in every epoch
};

// Losses of direct preference optimisation; dpo_loss.hpp says what each one is.
enum class DpoLoss { sigmoid, conservative, robust, ipo, hinge, simpo };
// As decks name them.
inline const std::vector<std::pair<std::string, DpoLoss>>& dpo_loss_names() {
  static const std::vector<std::pair<std::string, DpoLoss>> names{
      {"sigmoid", DpoLoss::sigmoid}, {"conservative", DpoLoss::conservative},
      {"robust", DpoLoss::robust},   {"ipo", DpoLoss::ipo},
      {"hinge", DpoLoss::hinge},     {"simpo", DpoLoss::simpo}};
  return names;
}
// SimPO knows no reference.
inline bool uses_reference(DpoLoss loss) { return loss != DpoLoss::simpo; }

struct DpoLossOptions {
  DpoLoss loss = DpoLoss::sigmoid;
  double beta = 0.1;               // of the log-ratios in the loss; tau of ipo; simpo wants about 2
  double label_smoothing = 0.0;    // epsilon of conservative and robust: the share of labels that are flipped
  bool length_normalised = false;  // log-ratios a token: length-normalised DPO, averaged IPO; simpo always
  double simpo_margin = 1.0;       // gamma of simpo, by which beta times the difference is to exceed 0
  bool hard_labels = false;        // a label counts for its better side alone (hard_label in pairs.hpp)
  double nll_weight = 0.0;         // alpha, of the preferred answer's negative log-likelihood a token
};

struct DpoOptions : DpoLossOptions {
  int epochs = 1;
  std::int64_t batch = 32;  // pairs a step
  ScheduleOptions schedule{3e-4, 10, 0.1};
  AdamWOptions adam{0.9, 0.98, 1e-8, 0.0, 1.0};
  std::uint64_t seed = 0;  // order of pairs in every epoch
};

}  // namespace rlaif::train
