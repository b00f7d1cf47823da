#include "experience.hpp"

#include <cmath>
#include <string>
#include <tuple>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::train {

namespace {

void add(Moments& moments, double value) {
  moments.count += 1.0;
  moments.sum += value;
  moments.sum_of_squares += value * value;
}

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
  return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace

ExperienceCollector::ExperienceCollector(const model::Transformer& policy, const model::Transformer& reference,
                                         const model::ScalarModel& value, const PpoCallbacks& callbacks,
                                         const PpoOptions& options, const SharedBase& shared, const StageRun& run)
    : policy_(policy),
      reference_(reference),
      value_(value),
      callbacks_(callbacks),
      options_(options),
      run_(run),
      shared_(shared),
      sampled_(policy.merged()),
      engine_(sampled_, generate::EngineOptions{.slots = options.slots}) {}

Rollout ExperienceCollector::first_half(std::int64_t index) const {
  Rollout rollout;
  std::tie(rollout.prompt, rollout.prompt_tokens) = callbacks_.prompt(index);
  const auto length = static_cast<std::int64_t>(rollout.prompt_tokens.size());
  const std::int64_t limit = policy_.config().max_positions - options_.max_new_tokens;
  if (length < 1 || length > limit) {
    throw input_error(run_.name + ": prompt " + std::to_string(rollout.prompt.id) + " has " + std::to_string(length) +
                      " tokens; 1 to " + std::to_string(limit) + " were expected (context less max_new_tokens)");
  }
  return rollout;
}

std::vector<Rollout> ExperienceCollector::roll_out(std::int64_t step, int grain) {
  const auto [begin, end] = grain_items(options_.prompts_per_step, grain, run_.grains);
  std::vector<Rollout> rollouts;
  std::vector<generate::GenerationRequest> requests;
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t index = step * options_.prompts_per_step + i;
    rollouts.push_back(first_half(index));
    // The place in the run is the sample: a prompt that comes again is drawn afresh.
    requests.push_back({rollouts.back().prompt_tokens, rollouts.back().prompt.id, {static_cast<std::uint32_t>(index)}});
  }
  if (requests.empty()) return rollouts;
  const torch::NoGradGuard no_gradients;
  auto generated = engine_.generate(requests, {.temperature = options_.temperature,
                                               .top_k = options_.top_k,
                                               .top_p = options_.top_p,
                                               .max_new_tokens = options_.max_new_tokens,
                                               .stop_tokens = policy_.config().end_tokens.ids(),
                                               .seed = options_.seed});
  for (std::size_t i = 0; i < rollouts.size(); ++i) {
    generate::Generated& drawn = generated[i].front();
    rollouts[i].completion = {drawn.sample,   "", std::move(drawn.tokens), std::move(drawn.log_probs), drawn.ended,
                              drawn.end_token};
  }
  if (shared_.trunk_layers > 0) add_trunks(rollouts);
  return rollouts;
}

void ExperienceCollector::add_trunks(std::span<Rollout> rollouts) const {
  std::vector<std::vector<TokenId>> sequences;
  for (const Rollout& rollout : rollouts) {
    std::vector<TokenId> tokens = rollout.prompt_tokens;
    tokens.insert(tokens.end(), rollout.completion.tokens.begin(), rollout.completion.tokens.end());
    // The reward model alone reads the state of the end, and has learned from ends as they are written.
    if (rollout.completion.ended) tokens.push_back(policy_.config().end_tokens.written());
    sequences.push_back(std::move(tokens));
  }
  const auto packed = model::pack(sequences, policy_.device());
  const auto trunk_Nd = policy_.run_layers(policy_.embed(packed), packed, 0, shared_.trunk_layers);
  for (std::size_t i = 0; i < rollouts.size(); ++i) {
    rollouts[i].trunk_Td = trunk_Nd.narrow(0, packed.offsets[i], packed.offsets[i + 1] - packed.offsets[i]);
  }
}

std::vector<double> ExperienceCollector::checked_scores(
    const std::function<std::vector<double>(std::span<const Rollout>)>& score, std::span<const Rollout> rollouts,
    const char* what) const {
  auto scores = score(rollouts);
  RLAIF_CHECK(scores.size() == rollouts.size(), "one score a response");
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isfinite(scores[i])) {
      throw input_error(run_.name + ": the " + what + " of a response to \"" + rollouts[i].prompt.text +
                        "\" is not a finite number");
    }
  }
  return scores;
}

void ExperienceCollector::estimate_advantages(Response& response, std::span<const float> reference_log_probs,
                                              std::span<const float> kl_per_token, double last_reward,
                                              double kl_coefficient, ExperienceSums& sums) const {
  const std::size_t length = response.actions.size();
  std::vector<double> rewards(length);
  for (std::size_t t = 0; t < length; ++t) {
    rewards[t] = -kl_coefficient * kl_per_token[t];
    sums.kl += static_cast<double>(response.old_log_probs[t]) - reference_log_probs[t];
  }
  rewards.back() += last_reward;
  response.advantages = gae(rewards, response.values, options_.gamma, options_.lambda);
  response.returns.resize(length);
  for (std::size_t t = 0; t < length; ++t) {
    response.returns[t] = response.advantages[t] + response.values[t];
    add(sums.advantages, response.advantages[t]);
    add(sums.returns, response.returns[t]);
    add(sums.residuals, response.returns[t] - response.values[t]);
  }
}

std::vector<double> ExperienceCollector::fill(GrainExperience& out, std::int64_t step, double kl_coefficient) {
  ExperienceSums sums;
  const auto rollouts = roll_out(step, out.grain);
  if (rollouts.empty()) return to_row(sums);
  const torch::NoGradGuard no_gradients;
  const auto scores = checked_scores(callbacks_.reward, rollouts, "reward");
  std::vector<double> gold(rollouts.size(), 0.0);
  if (callbacks_.monitor) gold = checked_scores(callbacks_.monitor, rollouts, "monitored score");

  std::vector<const Response*> pointers;
  for (const Rollout& rollout : rollouts) out.responses.push_back(make_response(rollout));
  for (const Response& response : out.responses) pointers.push_back(&response);
  const auto batch = make_action_batch(pointers, policy_.device(), shared_.trunk_layers);
  const auto reference_Md = action_states(reference_, batch);
  const auto reference_M = chosen_log_probs(reference_Md, reference_.output_Vd, batch.targets_M, options_.temperature)
                               .to(torch::kCPU)
                               .contiguous();
  const auto old_M = join(pointers, &Response::old_log_probs, torch::kCPU);
  const auto kl_M = kl_estimate(old_M, reference_M, options_.kl_estimator).contiguous();
  const auto value_Md = shared_.value_on_base ? reference_Md : action_states(value_.body, batch);
  const auto values_M = value_.values_N(value_Md).to(torch::kCPU).contiguous();

  std::size_t row = 0;
  for (std::size_t i = 0; i < rollouts.size(); ++i) {
    Response& response = out.responses[i];
    const std::size_t length = response.actions.size();
    const auto values = floats(values_M).subspan(row, length);
    response.values.assign(values.begin(), values.end());
    if (shared_.value_on_base) {
      response.value_features_Td =
          value_Md.narrow(0, static_cast<std::int64_t>(row), static_cast<std::int64_t>(length));
    }
    const bool ended = rollouts[i].completion.ended;
    estimate_advantages(response, floats(reference_M).subspan(row, length), floats(kl_M).subspan(row, length),
                        scores[i] + (ended ? 0.0 : options_.missing_end_penalty), kl_coefficient, sums);
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
  policy_.merge_into(sampled_);
  Experience experience;
  ExperienceSums shape;
  const auto row = sum_grain_rows(*run_.comm, run_.grains, columns(shape).size(), [&](int grain) {
    experience.grains.push_back({grain, grain_items(options_.prompts_per_step, grain, run_.grains).first, {}});
    return fill(experience.grains.back(), step, kl_coefficient);
  });
  experience.sums = from_row(row);
  if (options_.whiten_advantages) whiten(experience.grains, experience.sums.advantages);
  return experience;
}

}  // namespace rlaif::train
