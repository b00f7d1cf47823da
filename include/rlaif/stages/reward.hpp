// Rewards: what scores a response while a policy is trained. A new one is a class in a file of its own under
// src/stages/rewards/ and a line in its registry.cpp.
//   auto reward = reward_named("arm.rlaif.reward", "model").make(context, arm, parts);
//   reward->score(drawn);   // one number a response
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rlaif/run/stage.hpp"
#include "rlaif/study/context.hpp"

namespace rlaif::model {
class Transformer;
struct ScalarModel;
}  // namespace rlaif::model
namespace rlaif::train {
struct Asked;
struct Drawn;
}  // namespace rlaif::train

namespace rlaif::stages {

class Reward {
 public:
  virtual ~Reward() = default;
  // One score a response, in the units that training sees. Called for the responses of one grain on the rank that owns
  // it: it makes no collective calls, and what it returns depends on its argument alone.
  virtual std::vector<double> score(std::span<const train::Drawn> drawn) = 0;
  // P(the first is better) of every two neighbours, which answer one prompt; NaN: not known. By the difference of their
  // scores (Bradley and Terry 1952) where a reward has no word of its own on pairs.
  virtual std::vector<double> prefer(std::span<const train::Drawn> pairs);
  // What a judge was asked since the last call, where the reward asks one.
  virtual bool asks_judge() const { return false; }
  virtual train::Asked asked();
  virtual Json facts() const { return Json::object(); }  // for the done marker. Collective
};

// What a reward may use of the models that are being trained.
struct RewardParts {
  const Language& language;
  const model::Transformer& start;            // the policy that the arm starts from
  const model::ScalarModel* model = nullptr;  // the arm's reward model, where there is one
  bool shares_trunk = false;                  // the reward model goes on from states that the rollout has computed
};

struct RewardEntry {
  const char* name;   // arm.NAME.reward
  const char* about;  // for --help
  // Throws Error(usage) naming `key`. nullptr: nothing can be wrong.
  void (*check)(const std::string& key, const Study& study, const ArmOptions& arm);
  // Collective. Throws Error(input) naming the file.
  std::unique_ptr<Reward> (*make)(const Context& context, const ArmOptions& arm, const RewardParts& parts);
  bool from_model = false;  // it needs the arm's reward model
  bool asks_judge = false;  // it asks the arm's judge while it scores
  AsksAbout asks_about = AsksAbout::pairs;
  int least_responses = 1, most_responses = 1 << 20;  // to a prompt that it can score
};
const std::vector<RewardEntry>& rewards();
const RewardEntry& reward_named(const std::string& key, const std::string& name);
// What the entry says of itself, and its own check. Throws Error(usage) naming `key`.
void check_reward(const std::string& key, const RewardEntry& entry, int responses, const Study& study,
                  const ArmOptions& arm);
// How often a judge is asked, at most, about so many responses; 0 where it is not.
double comparisons_asked(const RewardEntry& entry, double responses, double to_a_prompt);
// The same for the plan, of the arm's judge.
run::Needs::Asked asked_by(const RewardEntry& entry, const ArmOptions& arm, double responses, double to_a_prompt);

}  // namespace rlaif::stages
