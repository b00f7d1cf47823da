// The first half of a step: responses, their rewards and advantages. Private to train.
//   const Experience experience = collector.collect(step, kl_coefficient);
#pragma once

#include <cstdint>
#include <vector>

#include "responses.hpp"
#include "rlaif/train/advantages.hpp"
#include "rollouts.hpp"

namespace rlaif::train {

class Critic;

struct GrainExperience {
  int grain = 0;
  std::int64_t first = 0;           // place of its first response in the step's global batch
  std::vector<Response> responses;  // those to one prompt next to each other
  std::vector<double> baselines;    // of each prompt, where its greedy response gives it
};

// Sums over the global batch, equal on every rank.
struct ExperienceSums {
  double responses = 0, scored = 0, reward = 0, gold = 0, kl = 0, ended = 0, tokens = 0;
  double prompts = 0, silent = 0,
         redrawn = 0;               // silent: all responses are worth the same; redrawn: prompts that gave way
  double labels = 0, cost_usd = 0;  // by the judge that gives the rewards, where one does
  double total_reward = 0;          // with penalties and what of the KL is in the reward, over those scored
  Moments returns;
  Moments residuals;              // returns - values
  Moments advantages;             // before whitening, over tokens
  double absolute_advantage = 0;  // the same
};

struct Experience {
  std::vector<GrainExperience> grains;  // this rank's
  ExperienceSums sums;
};

class ExperienceCollector {
 public:
  // `critic`: null but for AdvantageEstimator::gae.
  ExperienceCollector(const PolicyModels& models, const Critic* critic, const PolicyGradientCallbacks& callbacks,
                      const PolicyGradientOptions& options, const SharedBase& shared, const StageRun& run);
  // Collective.
  Experience collect(std::int64_t step, double kl_coefficient);

 private:
  // Responses with a score each, and with penalties what they are worth.
  struct Scored {
    std::vector<std::int64_t> places;  // of the prompts, in the run
    std::vector<Drawn> drawn;
    std::vector<double> scores, rewards;
  };
  Scored score(std::vector<std::int64_t> places, std::vector<Drawn> drawn) const;
  // Draws for the prompts of a grain; silent ones give way to others as often as the options say.
  Scored draw(std::int64_t step, int grain, ExperienceSums& sums);
  // Fills one grain and returns its row of sums.
  std::vector<double> fill(GrainExperience& out, std::int64_t step, double kl_coefficient);
  void estimate_by_values(Response& response, std::span<const float> kl_per_token, double kl_coefficient,
                          ExperienceSums& sums) const;
  // The advantages of a grain's responses from their rewards. `batch_mean`: of the rewards of the step.
  void estimate_by_baselines(GrainExperience& grain, double batch_mean) const;
  void sum_advantages(Experience& experience) const;

  PolicyModels models_;
  const Critic* critic_;
  const PolicyGradientOptions& options_;
  const StageRun& run_;
  SharedBase shared_;
  Rollouts rollouts_;
};

}  // namespace rlaif::train
