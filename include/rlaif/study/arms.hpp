// What policies are made from: the arms of a study, and the data that they learn from.
//   for (const ArmOptions& arm : study.arms)  if (arm.start == first_policy) ...
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "rlaif/study/policy.hpp"

namespace rlaif::stages {
class Algorithm;
class Maker;
}  // namespace rlaif::stages

namespace rlaif::study {

// How pairs are drawn: [annotate].
struct AnnotateOptions {
  std::int64_t pairs_a_prompt() const { return static_cast<std::int64_t>(completions) * (completions - 1) / 2; }
  std::int64_t pairs() const { return prompts * pairs_a_prompt(); }  // to learn from, at most
  std::int64_t prompts = 4000, heldout_prompts = 600;
  int completions = 2;
  int redraws = 3;
  std::int64_t block = 50;
  double temperature = 1.0;
  int top_k = 0;
  double top_p = 1.0;
  int max_new_tokens = 40;
  int slots = 64;
};

// Labels by people that take the place of a judge's where a policy or reward model learns: preferences/spotcheck-<name>, or
// those of the study's judge of that name.
struct PeopleOptions {
  std::string name;         // empty: none
  std::int64_t labels = 0;  // the first so many of them; 0: all
  double weight = 1.0;
};
// Which of a store's labels count where something learns from them.
struct LabelUse {
  std::int64_t first = 0;  // the store's first usable ones; 0: all
  PeopleOptions people;
};

// What reward models are trained from.
enum class RewardStart {
  policy,   // the policy whose responses are compared
  network,  // a network of other sizes, fine-tuned as the policy was: models/sft-reward
};
struct RewardModelOptions {
  RewardStart start = RewardStart::policy;
  ModelOptions network;  // where reward models start from one
  LowRankOptions adapter;
};

// What an algorithm learns from, and what a maker of data makes.
enum class DataKind { preferences, demonstrations, prompts };
const char* to_string(DataKind kind);

// Data that arms name as what they learn from: [data.NAME].
struct DataOptions {
  std::string name;
  std::string maker = {};                     // a name of stages/maker.hpp
  std::string policy = first_policy;          // whose responses it consists of, where a policy is sampled
  std::string of = {};                        // another data set that it is made from; empty: from none
  DataKind makes = DataKind::demonstrations;  // by its maker
  std::shared_ptr<stages::Maker> how = {};    // the maker, bound to the keys of the section
  std::string section() const { return "data." + name; }
};

// A policy that the study makes: by an algorithm from `start`, and from `data`, or where it names none, from `judge`'s
// labels of start's responses.
struct ArmOptions {
  std::string name;
  std::string judge;
  std::string start = first_policy;             // or an arm before this one
  bool is_round = false;                        // of iterative training: listed in study.rounds
  std::string algorithm = "ppo";                // a name of stages/algorithm.hpp
  std::string data = {};                        // a name of [data.NAME]; empty: pairs by its start
  std::shared_ptr<stages::Algorithm> how = {};  // the algorithm, bound to the keys of the arm
  std::string section() const { return (is_round ? "round." : "arm.") + name; }
};

}  // namespace rlaif::study
