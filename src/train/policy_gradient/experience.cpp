#include "experience.hpp"

#include <cmath>

#include "critic.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/losses.hpp"
#include "rlaif/train/policy_loss.hpp"

namespace rlaif::train {

namespace {

// The order of the columns of a grain's row.
std::vector<double*> columns(ExperienceSums& sums) {
  std::vector<double*> all = {&sums.responses, &sums.reward, &sums.gold, &sums.kl, &sums.ended, &sums.tokens};
  for (Moments* moments : {&sums.advantages, &sums.returns, &sums.residuals}) {
    all.insert(all.end(), {&moments->count, &moments->sum, &moments->sum_of_squares});
  }
  return all;
}

std::vector<double> to_row(ExperienceSums sums) {
  std::vector<double> row;
  for (const double* column : columns(sums)) row.push_back(*column);
  return row;
}

ExperienceSums from_row(const std::vector<double>& row) {
  ExperienceSums sums;
  const auto all = columns(sums);
  for (std::size_t i = 0; i < all.size(); ++i) *all[i] = row[i];
  return sums;
}

void whiten(std::vector<GrainExperience>& grains, const Moments& moments) {
  const double mean = moments.mean();
  const double deviation = std::sqrt(moments.variance()) + 1e-8;
  for (GrainExperience& grain : grains) {
    for (Response& response : grain.responses) {
      for (double& advantage : response.advantages) advantage = (advantage - mean) / deviation;
    }
  }
}

std::span<const float> floats(const torch::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace

ExperienceCollector::ExperienceCollector(const PolicyModels& models, const Critic& critic,
                                         const PolicyGradientCallbacks& callbacks, const PolicyGradientOptions& options,
                                         const SharedBase& shared, const StageRun& run)
    : models_(models),
      critic_(critic),
      options_(options),
      run_(run),
      shared_(shared),
      rollouts_(models.policy, callbacks, options, shared, run) {}

void ExperienceCollector::estimate_advantages(Response& response, std::span<const float> kl_per_token,
                                              double last_reward, double kl_coefficient, ExperienceSums& sums) const {
  const std::size_t length = response.actions.size();
  std::vector<double> rewards(length);
  for (std::size_t t = 0; t < length; ++t) rewards[t] = -kl_coefficient * kl_per_token[t];
  rewards.back() += last_reward;
  response.advantages = gae(rewards, response.values, options_.critic.gamma, options_.critic.lambda);
  response.returns.resize(length);
  for (std::size_t t = 0; t < length; ++t) {
    response.returns[t] = response.advantages[t] + response.values[t];
    sums.advantages.add(response.advantages[t]);
    sums.returns.add(response.returns[t]);
    sums.residuals.add(response.returns[t] - response.values[t]);
  }
}

std::vector<double> ExperienceCollector::fill(GrainExperience& out, std::int64_t step, double kl_coefficient) {
  ExperienceSums sums;
  const std::vector<Drawn> drawn = rollouts_.draw(step, out.grain);
  if (drawn.empty()) return to_row(sums);
  const torch::NoGradGuard no_gradients;
  const std::vector<double> scores = rollouts_.rewards(drawn), gold = rollouts_.monitored(drawn);

  std::vector<const Response*> pointers;
  for (const Drawn& one : drawn) out.responses.push_back(make_response(one));
  for (const Response& response : out.responses) pointers.push_back(&response);
  const auto batch = make_action_batch(pointers, models_.policy.device(), shared_.trunk_layers);
  const auto reference_Md = action_states(models_.reference, batch);
  const auto reference_M =
      chosen_log_probs(reference_Md, models_.reference.output_Vd, batch.targets_M, options_.rollout.temperature)
          .to(torch::kCPU)
          .contiguous();
  const auto old_M = join(pointers, &Response::old_log_probs, torch::kCPU);
  const auto kl_M = kl_estimate(old_M, reference_M, options_.kl.estimator).contiguous();
  critic_.estimate(out.responses, batch, reference_Md);

  std::size_t row = 0;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    Response& response = out.responses[i];
    const std::size_t length = response.actions.size();
    const bool ended = drawn[i].completion.ended;
    for (std::size_t t = 0; t < length; ++t)
      sums.kl += static_cast<double>(response.old_log_probs[t]) - floats(reference_M)[row + t];
    estimate_advantages(response, floats(kl_M).subspan(row, length),
                        scores[i] + (ended ? 0.0 : options_.rollout.missing_end_penalty), kl_coefficient, sums);
    sums.responses += 1.0;
    sums.reward += scores[i];
    sums.gold += gold[i];
    sums.ended += ended ? 1.0 : 0.0;
    sums.tokens += static_cast<double>(length);
    row += length;
  }
  return to_row(sums);
}

Experience ExperienceCollector::collect(std::int64_t step, double kl_coefficient) {
  rollouts_.take_weights();
  Experience experience;
  ExperienceSums shape;
  const RolloutOptions& rollout = options_.rollout;
  const auto row = sum_grain_rows(*run_.comm, run_.grains, columns(shape).size(), [&](int grain) {
    const std::int64_t first = grain_items(rollout.prompts_per_step, grain, run_.grains).first * rollout.responses;
    experience.grains.push_back({grain, first, {}});
    return fill(experience.grains.back(), step, kl_coefficient);
  });
  experience.sums = from_row(row);
  if (options_.whiten_advantages) whiten(experience.grains, experience.sums.advantages);
  return experience;
}

}  // namespace rlaif::train
