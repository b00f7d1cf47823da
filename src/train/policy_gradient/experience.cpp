#include "experience.hpp"

#include <cmath>

#include "critic.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/losses.hpp"
#include "rlaif/train/policy_loss.hpp"

namespace rlaif::train {

namespace {

// The order of the columns of a grain's row: all that is known before advantages are.
std::vector<double*> columns(ExperienceSums& sums) {
  std::vector<double*> all = {&sums.responses,    &sums.scored, &sums.reward,  &sums.gold,   &sums.kl,
                              &sums.ended,        &sums.tokens, &sums.prompts, &sums.silent, &sums.redrawn,
                              &sums.total_reward, &sums.labels, &sums.cost_usd};
  for (Moments* moments : {&sums.returns, &sums.residuals}) {
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
      if (std::isnan(response.reward)) continue;  // its advantage stays 0
      for (double& advantage : response.advantages) advantage = (advantage - mean) / deviation;
    }
  }
}

std::span<const float> floats(const torch::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace

ExperienceCollector::ExperienceCollector(const PolicyModels& models, const Critic* critic,
                                         const PolicyGradientCallbacks& callbacks, const PolicyGradientOptions& options,
                                         const SharedBase& shared, const StageRun& run)
    : models_(models),
      critic_(critic),
      options_(options),
      run_(run),
      shared_(shared),
      rollouts_(models.policy, callbacks, options, shared, run) {}

ExperienceCollector::Scored ExperienceCollector::score(std::vector<std::int64_t> places,
                                                       std::vector<Drawn> drawn) const {
  Scored scored{std::move(places), std::move(drawn), {}, {}};
  scored.scores = rollouts_.scores(scored.drawn);
  for (std::size_t i = 0; i < scored.drawn.size(); ++i)
    scored.rewards.push_back(rollouts_.with_penalties(scored.scores[i], scored.drawn[i].completion));
  return scored;
}

ExperienceCollector::Scored ExperienceCollector::draw(std::int64_t step, int grain, ExperienceSums& sums) {
  const RolloutOptions& rollout = options_.rollout;
  const auto size = static_cast<std::size_t>(rollout.responses);
  const auto [begin, end] = grain_items(rollout.prompts_per_step, grain, run_.grains);
  std::vector<std::int64_t> places;
  for (std::int64_t i = begin; i < end; ++i) places.push_back(step * rollout.prompts_per_step + i);
  if (places.empty()) return {};
  Scored kept = score(places, rollouts_.draw(places));
  const auto silent = [&] {
    std::vector<std::size_t> groups;
    for (std::size_t g = 0; g < kept.places.size(); ++g)
      if (is_silent(std::span(kept.rewards).subspan(g * size, size))) groups.push_back(g);
    return groups;
  };
  std::vector<std::size_t> again = silent();
  for (int redraw = 1; redraw <= rollout.redraws && !again.empty(); ++redraw) {
    std::vector<std::int64_t> others;
    for (const std::size_t g : again) others.push_back(places[g] + redraw * options_.steps * rollout.prompts_per_step);
    Scored fresh = score(others, rollouts_.draw(others));
    for (std::size_t i = 0; i < again.size(); ++i) kept.places[again[i]] = others[i];
    for (std::size_t i = 0; i < again.size() * size; ++i) {
      const std::size_t place = again[i / size] * size + i % size;
      kept.drawn[place] = std::move(fresh.drawn[i]);
      kept.scores[place] = fresh.scores[i];
      kept.rewards[place] = fresh.rewards[i];
    }
    sums.redrawn += static_cast<double>(again.size());
    again = silent();
  }
  sums.prompts += static_cast<double>(places.size());
  sums.silent += static_cast<double>(again.size());
  return kept;
}

void ExperienceCollector::estimate_by_values(Response& response, std::span<const float> kl_per_token,
                                             double kl_coefficient, ExperienceSums& sums) const {
  const std::size_t length = response.actions.size();
  if (std::isnan(response.reward)) {  // neither policy nor values learn from what nobody has scored
    response.advantages.assign(length, 0.0);
    response.returns.assign(response.values.begin(), response.values.end());
    return;
  }
  std::vector<double> rewards(length);
  for (std::size_t t = 0; t < length; ++t) rewards[t] = -kl_coefficient * kl_per_token[t];
  rewards.back() += response.reward;
  response.advantages = gae(rewards, response.values, options_.critic.gamma, options_.critic.lambda);
  response.returns.resize(length);
  for (std::size_t t = 0; t < length; ++t) {
    response.returns[t] = response.advantages[t] + response.values[t];
    sums.returns.add(response.returns[t]);
    sums.residuals.add(response.returns[t] - response.values[t]);
  }
}

void ExperienceCollector::estimate_by_baselines(GrainExperience& grain, double batch_mean) const {
  const auto size = static_cast<std::size_t>(options_.rollout.responses);
  for (std::size_t begin = 0; begin < grain.responses.size(); begin += size) {
    std::vector<double> rewards;
    for (std::size_t i = begin; i < begin + size; ++i) rewards.push_back(grain.responses[i].reward);
    const auto advantages = [&] {
      switch (options_.advantage) {
        case AdvantageEstimator::group: return group_advantages(rewards);
        case AdvantageEstimator::group_mean: return group_mean_advantages(rewards);
        case AdvantageEstimator::leave_one_out: return leave_one_out_advantages(rewards);
        case AdvantageEstimator::batch: return baseline_advantages(rewards, batch_mean);
        case AdvantageEstimator::greedy: return baseline_advantages(rewards, grain.baselines[begin / size]);
        case AdvantageEstimator::gae: break;
      }
      RLAIF_CHECK(false, "an advantage that needs no values");
    }();
    for (std::size_t i = 0; i < size; ++i) {
      Response& response = grain.responses[begin + i];
      response.advantages.assign(response.actions.size(), advantages[i]);
    }
  }
}

std::vector<double> ExperienceCollector::fill(GrainExperience& out, std::int64_t step, double kl_coefficient) {
  ExperienceSums sums;
  const torch::NoGradGuard no_gradients;
  const Scored scored = draw(step, out.grain, sums);
  const std::vector<Drawn>& drawn = scored.drawn;
  if (drawn.empty()) return to_row(sums);
  const std::vector<double> gold = rollouts_.monitored(drawn);

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
  if (critic_) critic_->estimate(out.responses, batch, reference_Md);

  std::size_t row = 0;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    Response& response = out.responses[i];
    const std::size_t length = response.actions.size();
    const auto reference = floats(reference_M).subspan(row, length), kl = floats(kl_M).subspan(row, length);
    row += length;
    response.reward = scored.rewards[i];
    for (std::size_t t = 0; t < length; ++t) sums.kl += static_cast<double>(response.old_log_probs[t]) - reference[t];
    if (critic_) {
      estimate_by_values(response, kl, kl_coefficient, sums);
    } else if (options_.kl.place == KlPlace::reward) {
      for (const float of_token : kl) response.reward -= kl_coefficient * of_token;
    } else if (options_.kl.place == KlPlace::loss) {
      response.reference_log_probs.assign(reference.begin(), reference.end());
    }
    const bool has_score = !std::isnan(scored.scores[i]);
    sums.responses += 1.0;
    sums.scored += has_score ? 1.0 : 0.0;
    sums.reward += has_score ? scored.scores[i] : 0.0;
    sums.total_reward += has_score ? response.reward : 0.0;
    sums.gold += gold[i];
    sums.ended += response.ended ? 1.0 : 0.0;
    sums.tokens += static_cast<double>(length);
  }
  if (options_.advantage == AdvantageEstimator::greedy) {
    out.baselines = score(scored.places, rollouts_.draw_greedily(scored.places)).rewards;
  }
  const Asked asked = rollouts_.asked_since();
  sums.labels += asked.labels;
  sums.cost_usd += asked.cost_usd;
  return to_row(sums);
}

// The mean and spread of the advantages that the policy is about to learn from.
void ExperienceCollector::sum_advantages(Experience& experience) const {
  const auto row = sum_grain_rows(*run_.comm, run_.grains, 4, [&](int grain) -> std::vector<double> {
    Moments moments;
    double absolute = 0.0;
    const auto first_own = static_cast<std::size_t>(grain - experience.grains.front().grain);
    for (const Response& response : experience.grains[first_own].responses) {
      if (std::isnan(response.reward)) continue;
      for (const double advantage : response.advantages) {
        moments.add(advantage);
        absolute += std::fabs(advantage);
      }
    }
    return {moments.count, moments.sum, moments.sum_of_squares, absolute};
  });
  experience.sums.advantages = {row[0], row[1], row[2]};
  experience.sums.absolute_advantage = row[3];
}

Experience ExperienceCollector::collect(std::int64_t step, double kl_coefficient) {
  rollouts_.take_weights();
  Experience experience;
  ExperienceSums shape;
  const RolloutOptions& rollout = options_.rollout;
  const auto row = sum_grain_rows(*run_.comm, run_.grains, columns(shape).size(), [&](int grain) {
    const std::int64_t first = grain_items(rollout.prompts_per_step, grain, run_.grains).first * rollout.responses;
    experience.grains.push_back({grain, first, {}, {}});
    return fill(experience.grains.back(), step, kl_coefficient);
  });
  experience.sums = from_row(row);
  const ExperienceSums& sums = experience.sums;
  if (!critic_) {
    const double batch_mean = sums.scored > 0.0 ? sums.total_reward / sums.scored : 0.0;
    for (GrainExperience& grain : experience.grains) estimate_by_baselines(grain, batch_mean);
  }
  sum_advantages(experience);
  if (options_.whiten_advantages) whiten(experience.grains, sums.advantages);
  return experience;
}

}  // namespace rlaif::train
