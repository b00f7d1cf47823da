#include "rollouts.hpp"

#include <cmath>
#include <string>
#include <tuple>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/policy_loss.hpp"

namespace rlaif::train {

Rollouts::Rollouts(const model::Transformer& policy, const PolicyGradientCallbacks& callbacks,
                   const PolicyGradientOptions& options, const SharedBase& shared, const StageRun& run)
    : policy_(policy),
      callbacks_(callbacks),
      options_(options),
      run_(run),
      shared_(shared),
      sampled_(policy.merged()),
      engine_(sampled_, generate::EngineOptions{.slots = options.rollout.slots}) {}

// A response that is yet to be drawn, to the prompt at a place of the run.
Drawn Rollouts::asked(std::int64_t place) const {
  Drawn drawn;
  std::tie(drawn.prompt, drawn.prompt_tokens) = callbacks_.prompt(place);
  const auto length = static_cast<std::int64_t>(drawn.prompt_tokens.size());
  const std::int64_t limit = policy_.config().max_positions - options_.rollout.max_new_tokens;
  if (length < 1 || length > limit) {
    throw input_error(run_.name + ": prompt " + std::to_string(drawn.prompt.id) + " has " + std::to_string(length) +
                      " tokens; 1 to " + std::to_string(limit) + " were expected (context less max_new_tokens)");
  }
  return drawn;
}

std::vector<Drawn> Rollouts::draw(std::span<const std::int64_t> places, int responses, double temperature) {
  const RolloutOptions& rollout = options_.rollout;
  std::vector<Drawn> all;
  std::vector<generate::GenerationRequest> requests;
  for (const std::int64_t place : places) {
    const Drawn prompt = asked(place);
    requests.push_back({prompt.prompt_tokens, prompt.prompt.id, {}});
    // The place in the run is part of the sample: a prompt that comes again is drawn afresh.
    for (int k = 0; k < responses; ++k) {
      requests.back().samples.push_back(static_cast<std::uint32_t>(place * responses + k));
      all.push_back(prompt);
    }
  }
  if (requests.empty()) return all;
  const torch::NoGradGuard no_gradients;
  auto generated = engine_.generate(requests, {.temperature = temperature,
                                               .top_k = rollout.top_k,
                                               .top_p = rollout.top_p,
                                               .max_new_tokens = rollout.max_new_tokens,
                                               .stop_tokens = policy_.config().end_tokens.ids(),
                                               .seed = options_.seed});
  std::size_t next = 0;
  for (std::vector<generate::Generated>& of_prompt : generated) {
    for (generate::Generated& one : of_prompt) {
      all[next++].completion = {one.sample, "",           std::move(one.tokens), std::move(one.log_probs),
                                one.ended,  one.end_token};
    }
  }
  if (shared_.trunk_layers > 0) add_trunks(all);
  return all;
}

std::vector<Drawn> Rollouts::draw(std::span<const std::int64_t> places) {
  return draw(places, options_.rollout.responses, options_.rollout.temperature);
}

std::vector<Drawn> Rollouts::draw_greedily(std::span<const std::int64_t> places) { return draw(places, 1, 0.0); }

void Rollouts::add_trunks(std::span<Drawn> drawn) const {
  std::vector<std::vector<TokenId>> sequences;
  for (const Drawn& one : drawn) {
    std::vector<TokenId> tokens = one.prompt_tokens;
    tokens.insert(tokens.end(), one.completion.tokens.begin(), one.completion.tokens.end());
    // The reward model alone reads the state of the end, and has learned from ends as they are written.
    if (one.completion.ended) tokens.push_back(policy_.config().end_tokens.written());
    sequences.push_back(std::move(tokens));
  }
  const auto packed = model::pack(sequences, policy_.device());
  const auto trunk_Nd = policy_.run_layers(policy_.embed(packed), packed, 0, shared_.trunk_layers);
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    drawn[i].trunk_Td = trunk_Nd.narrow(0, packed.offsets[i], packed.offsets[i + 1] - packed.offsets[i]);
  }
}

std::vector<double> Rollouts::checked(std::vector<double> scores, std::span<const Drawn> drawn, const char* what,
                                      bool may_be_missing) const {
  RLAIF_CHECK(scores.size() == drawn.size(), "one score a response");
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isfinite(scores[i]) && !(may_be_missing && std::isnan(scores[i]))) {
      throw input_error(run_.name + ": the " + what + " of a response to \"" + drawn[i].prompt.text +
                        "\" is not a finite number");
    }
  }
  return scores;
}

std::vector<double> Rollouts::scores(std::span<const Drawn> drawn) const {
  // A judge that is asked may give no score; a reward model that gives none to a value model is broken.
  const bool may_be_missing = options_.advantage != AdvantageEstimator::gae || static_cast<bool>(callbacks_.asked);
  return checked(callbacks_.reward(drawn), drawn, "reward", may_be_missing);
}

std::vector<double> Rollouts::monitored(std::span<const Drawn> drawn) const {
  if (!callbacks_.monitor) return std::vector<double>(drawn.size(), 0.0);
  return checked(callbacks_.monitor(drawn), drawn, "monitored score", false);
}

double Rollouts::with_penalties(double score, const Completion& completion) const {
  const RolloutOptions& rollout = options_.rollout;
  const double longest = rollout.max_new_tokens;
  const double length = static_cast<double>(completion.tokens.size()) + (completion.ended ? 1.0 : 0.0);
  return score + (completion.ended ? 0.0 : rollout.missing_end_penalty) +
         rollout.overlong_penalty * overlong_penalty(length, longest, rollout.overlong_share * longest);
}

}  // namespace rlaif::train
