// Responses that a policy draws for prompts of the study, each scored by a reward: what the makers of best and worst responses
// choose from.
//   ScoredDrawsOptions options;  bind_scored_draws(table, data, options);
//   ScoredDraws draws(context, *language, data, options);      // collective
//   for (const ScoredPrompt& one : draws.of(begin, end)) ...
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/core/option_table.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/stages/plan.hpp"
#include "rlaif/stages/reward.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/train/policy_gradient.hpp"

namespace rlaif::stages {

struct ScoredDrawsOptions {
  std::string judge;             // of the study: by its reward model, by itself, or by its rules
  std::string reward = "model";  // a name of stages/reward.hpp
  std::int64_t prompts = 2000, block = 50;
  int responses = 16;  // to a prompt
  double missing_end_penalty = -1.0;
  double temperature = 1.0;
  int top_k = 0;
  double top_p = 1.0;
  int max_new_tokens = 40;
  int slots = 64;
};

// data.NAME.policy, .reward, .prompts, .responses, .block, .missing_end_penalty, .temperature, ...
void bind_scored_draws(OptionTable& table, DataOptions& data, ScoredDrawsOptions& options);
// Throws Error(usage) naming the key.
void check_scored_draws(const Study& study, const std::string& section, const ScoredDrawsOptions& options);
// Before the stage: the reward model, where it needs one, which learns from the judge's labels of the study's first pairs.
void plan_scored_draws(StudyPlan& plan, const Study& study, const ScoredDrawsOptions& options);
// Adds to a stage what the draws read, what decides them and what they need.
void add_scored_draws(const Study& study, const DataSet& data, const ScoredDrawsOptions& options, run::Stage& stage);

struct ScoredPrompt {
  Prompt prompt;
  std::vector<Completion> responses;  // with their texts
  std::vector<double> scores;         // with the penalty of a missing end; NaN: it could not be had
  // The places of the responses with a score, the best first; of equal ones the one that was drawn first.
  std::vector<std::size_t> best_first() const;
};

class ScoredDraws {
 public:
  // Collective to make and to destroy. Throws Error(input) naming what does not fit.
  ScoredDraws(const Context& context, const Language& language, const DataSet& data, const ScoredDrawsOptions& options);
  // Of the items [begin, end), by the items alone; prompts that are too long for the context are left out.
  std::vector<ScoredPrompt> of(std::int64_t begin, std::int64_t end);
  // What the judge was asked since the last call.
  train::Asked asked() { return reward_->asked(); }
  bool asks_judge() const { return reward_->asks_judge(); }
  Json facts() const { return reward_->facts(); }  // collective

 private:
  const Context& context_;
  const Language& language_;
  const DataSet& data_;
  const ScoredDrawsOptions& options_;
  model::Transformer policy_;
  std::optional<model::ScalarModel> reward_model_;
  std::unique_ptr<Reward> reward_;
  generate::Engine engine_;
};

// Of the labels that the reward model of a judge learned from: how many there are, and what they cost. On the root.
Json label_facts(const Context& context, const std::string& judge);

}  // namespace rlaif::stages
