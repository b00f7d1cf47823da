// The first half of a PPO step: responses, their rewards, values and advantages. Private to train.
#pragma once

#include <optional>
#include <vector>

#include "rlaif/generate/engine.hpp"
#include "rlaif/train/ppo.hpp"
#include "rollouts.hpp"

namespace rlaif::train {

struct GrainExperience {
  int grain = 0;
  std::int64_t first = 0;  // place of its first response in the step's global batch
  std::vector<Response> responses;
};

// Sums over the global batch, equal on every rank.
struct ExperienceSums {
  double responses = 0, reward = 0, gold = 0, kl = 0, ended = 0, tokens = 0;
  Moments advantages;  // before whitening, over tokens
  Moments returns;
  Moments residuals;  // returns - values
};

struct Experience {
  std::vector<GrainExperience> grains;  // this rank's
  ExperienceSums sums;
};

class ExperienceCollector {
 public:
  ExperienceCollector(const model::Transformer& policy, const model::Transformer& reference,
                      const model::ScalarModel& value, const PpoCallbacks& callbacks, const PpoOptions& options,
                      const SharedBase& shared, const StageRun& run);
  // Collective.
  Experience collect(std::int64_t step, double kl_coefficient);

 private:
  std::vector<Rollout> roll_out(std::int64_t step, int grain);
  void add_trunks(std::span<Rollout> rollouts) const;
  Rollout first_half(std::int64_t index) const;
  std::vector<double> checked_scores(const std::function<std::vector<double>(std::span<const Rollout>)>& score,
                                     std::span<const Rollout> rollouts, const char* what) const;
  // Fills one grain and returns its row of sums.
  std::vector<double> fill(GrainExperience& out, std::int64_t step, double kl_coefficient);
  void estimate_advantages(Response& response, std::span<const float> reference_log_probs,
                           std::span<const float> kl_per_token, double last_reward, double kl_coefficient,
                           ExperienceSums& sums) const;

  const model::Transformer& policy_;
  const model::Transformer& reference_;
  const model::ScalarModel& value_;
  const PpoCallbacks& callbacks_;
  const PpoOptions& options_;
  const StageRun& run_;
  SharedBase shared_;
  model::Transformer sampled_;  // the policy as the engine reads it, its adapter merged
  generate::Engine engine_;
};

}  // namespace rlaif::train
