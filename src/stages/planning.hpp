// What the plans of the stages have in common: names of files, sections that decide every stage, and the bytes that
// models of the study's size need.
//   plan.add({.name = "sft", .kind = "sft", ..., .sections = sections_with(study, {"sft", "model"}), ...});
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "rlaif/model/config.hpp"
#include "rlaif/stages/plan.hpp"
#include "rlaif/study/context.hpp"
#include "rlaif/study/data_sets.hpp"

namespace rlaif::stages {

inline const std::string tokenizer_file = "models/tokenizer.json";

// Of the study, to learn from: by [annotate], or recorded ones.
std::int64_t most_pairs(const Study& study);
std::string count_text(std::int64_t value, const std::string& unit);  // "12 steps"

// Keys that decide every stage, and `more`. The policy's sizes are seen in what is read of it.
std::vector<std::string> sections_with(std::vector<std::string> more);
// Of a policy that is not trained before the pairs, its folder decides too.
void add_untouched_policy(const Study& study, std::vector<std::string>& sections);
// The sections of a judge and of all that it asks.
void add_judge(const Study& study, const JudgeOptions& judge, std::vector<std::string>& sections);
// The models of this run, or folders, that a judge and its members are.
void add_judge_models(const Study& study, const JudgeOptions& judge, std::vector<std::string>& reads);
// Labels by people that take the place of the judge's.
void add_people_labels(const Study& study, std::vector<std::string>& reads);

// A stage of the study, from one that takes the context.
std::function<Json(const Here&)> in_study(const Study& study, std::function<Json(const Context&)> stage);

// What models of the study's size need on one rank. All are predictions from sizes alone.
class Sizes {
 public:
  Sizes(const Study& study, const run::Assumed& assumed);

  const Study& study;
  const model::ModelConfig policy;
  const int ranks;
  const double weights;  // of the policy
  const double prompt_length;

  // Weights that a low-rank adapter adds, and the share of the layers' weights that it touches.
  struct Adapter {
    double parameters = 0.0;
    double touched_weights = 0.0;
  };
  Adapter adapter(const LowRankOptions& of) const;

  // Tokens that are worked on at once where `items` a step of this length are trained on.
  double trained_tokens(double items, double length) const;
  double trained_layers(const LowRankOptions& of) const;
  double cache_bytes(double slots, double length) const;
  double logits_bytes(double rows) const;
  double weight_bytes(double parameters) const;
  // Reward models that a judge is or asks: their weights, and what scoring so many responses takes.
  void add_reward_judges(run::Needs& needs, const std::string& judge, double responses, double length) const;
  // Values, gradients and two moments of what is trained, and what the backward pass keeps.
  void add_training(run::Needs& needs, const std::string& whose, double parameters, double tokens, double layers) const;
};
void add_part(run::Needs& needs, const std::string& name, double bytes);  // nothing for 0 bytes

}  // namespace rlaif::stages
