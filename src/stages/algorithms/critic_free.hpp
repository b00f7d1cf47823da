// Policy gradients without a value model: one algorithm with choices (advantage, ratio, sum of losses, clipping, KL,
// what becomes of groups that say nothing), of which GRPO, RLOO and REINFORCE are defaults and the names of papers
// presets.
//
//   CriticFreeKind kind{.name = "grpo", .advantages = {{"group", train::AdvantageEstimator::group}}, ...};
//   kind.presets = {{"gspo", "one ratio a response", {.ratio = train::RatioLevel::sequence}}};
//   return make_critic_free(std::move(kind));
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/stages/algorithm.hpp"
#include "rlaif/train/policy_gradient_options.hpp"

namespace rlaif::stages {

struct KlTerm {
  train::KlPlace place = train::KlPlace::none;
  train::KlEstimator estimator = train::KlEstimator::k1;
  bool operator==(const KlTerm&) const = default;
};
enum class SilentGroups { keep, redraw };

// What a deck, a preset and an algorithm may each say. The deck's word goes before the preset's, and may not contradict
// it; the preset's goes before the algorithm's.
struct Choices {
  std::optional<train::AdvantageEstimator> advantage = {};
  std::optional<train::RatioLevel> ratio = {};
  std::optional<train::LossSum> sum = {};
  std::optional<KlTerm> kl = {};
  std::optional<SilentGroups> silent_groups = {};
  std::optional<bool> whiten_advantages = {};
  std::optional<double> clip = {}, clip_high = {}, dual_clip = {}, overlong_share = {};
};

struct Preset {
  std::string name, about;
  Choices choices;
};

struct CriticFreeKind {
  std::string name;  // of the algorithm, its section and its stages
  std::vector<std::pair<std::string, train::AdvantageEstimator>> advantages;  // that it may have, as decks name them
  int least_responses = 1;                                                    // a prompt
  train::PolicyGradientOptions defaults;
  Choices choices;  // its own
  std::vector<Preset> presets;
};

std::unique_ptr<Algorithm> make_critic_free(CriticFreeKind kind);
// What a kind's own steps, KL and schedule are where nothing else is said: those of PPO, without its value model.
train::PolicyGradientOptions critic_free_defaults();
// The choices of a kind with this advantage where it says nothing else: ratio by token, clipped at 0.2, sum by a constant, k1 in the
// reward, silent groups kept.
Choices critic_free_choices(train::AdvantageEstimator advantage);

}  // namespace rlaif::stages
