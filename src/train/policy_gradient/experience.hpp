// The first half of a step: responses, their rewards and advantages. Private to train.
//   const Experience experience = collector.collect(step, kl_coefficient);
#pragma once

#include <vector>

#include "responses.hpp"
#include "rlaif/train/advantages.hpp"
#include "rollouts.hpp"

namespace rlaif::train {

class Critic;

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
  ExperienceCollector(const PolicyModels& models, const Critic& critic, const PolicyGradientCallbacks& callbacks,
                      const PolicyGradientOptions& options, const SharedBase& shared, const StageRun& run);
  // Collective.
  Experience collect(std::int64_t step, double kl_coefficient);

 private:
  // Fills one grain and returns its row of sums.
  std::vector<double> fill(GrainExperience& out, std::int64_t step, double kl_coefficient);
  void estimate_advantages(Response& response, std::span<const float> kl_per_token, double last_reward,
                           double kl_coefficient, ExperienceSums& sums) const;

  PolicyModels models_;
  const Critic& critic_;
  const PolicyGradientOptions& options_;
  const StageRun& run_;
  SharedBase shared_;
  Rollouts rollouts_;
};

}  // namespace rlaif::train
