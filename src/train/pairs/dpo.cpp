#include "rlaif/train/dpo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dpo_pass.hpp"
#include "pair_training.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::train {

namespace {

std::string name_of(DpoLoss loss) {
  for (const auto& [name, value] : dpo_loss_names())
    if (value == loss) return name;
  RLAIF_CHECK(false, "a loss with a name");
}

// Throws where something does not hold of a key's value.
struct Requirement {
  const std::string &where, &section;
  void operator()(bool holds, const char* key, double value, const char* expected) const {
    if (holds) return;
    throw usage_error(fmt::format("{}: {}.{} = {:g}: {} was expected", where, section, key, value, expected));
  }
};

}  // namespace

void check_dpo_loss_options(const DpoLossOptions& options, const std::string& where, const std::string& section) {
  const Requirement require{where, section};
  const auto finite_at_least_0 = [](double value) { return value >= 0.0 && std::isfinite(value); };
  const bool smoothed = options.loss == DpoLoss::conservative || options.loss == DpoLoss::robust;
  const std::string users = section + ".loss = conservative or robust, which alone use it, or 0";
  require(options.beta > 0.0 && std::isfinite(options.beta), "beta", options.beta, "a number above 0");
  require(options.label_smoothing >= 0.0 && options.label_smoothing < 0.5, "label_smoothing", options.label_smoothing,
          "a share of at least 0 and below 0.5");
  require(smoothed || options.label_smoothing == 0.0, "label_smoothing", options.label_smoothing, users.c_str());
  require(finite_at_least_0(options.simpo_margin), "simpo_margin", options.simpo_margin, "a number of at least 0");
  require(finite_at_least_0(options.nll_weight), "nll_weight", options.nll_weight, "a number of at least 0");
}

void check_dpo_options(const DpoOptions& options, const std::string& where) {
  const std::string section = "dpo";
  check_dpo_loss_options(options, where, section);
  const Requirement require{where, section};
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

void train_dpo(model::Transformer& policy, std::span<const AnswerLogProbs> reference, std::span<const TokenPair> pairs,
               const DpoOptions& options, const StageRun& run) {
  check_dpo(pairs, options, policy.config().max_positions, run.name);
  if (!uses_reference(options.loss)) reference = {};
  RLAIF_CHECK(reference.size() == (uses_reference(options.loss) ? pairs.size() : 0),
              "the reference has read every pair");
  PairTraining training = policy_on_pairs(policy, options.schedule, options.adam);
  training.columns = kDpoColumns;
  training.weight = kDpoWeight;
  training.tokens = kDpoTokens;
  training.backward = [&](std::span<const std::size_t> chosen, std::vector<double>& row, DataParallel* last_of) {
    dpo_backward(policy, reference, pairs, chosen, options, row, last_of);
  };
  training.metrics = [](const PairStep& step) {
    Json line{{"step", step.step + 1}, {"epoch", step.epoch + 1}};
    line.update(dpo_metrics(step.sums));
    line["learning_rate"] = step.learning_rate;
    line["gradient_norm"] = step.gradient_norm;
    return line;
  };
  training.progress_text = dpo_progress;
  train_on_pairs(training, pairs, PairSteps(pairs, options.batch, options.epochs, options.seed), run);
}

}  // namespace rlaif::train
