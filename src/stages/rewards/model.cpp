// Reward: the reward model, which scores tokens as they were drawn.
#include "rewards.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/train/policy_gradient.hpp"
#include "rlaif/train/reward.hpp"

namespace rlaif::stages {
namespace {

class ModelReward final : public Reward {
 public:
  explicit ModelReward(const RewardParts& parts)
      : model_(*parts.model), shares_trunk_(parts.shares_trunk), end_(parts.start.config().end_tokens.written()) {}

  std::vector<double> score(std::span<const train::Drawn> drawn) override {
    std::vector<std::vector<TokenId>> sequences;
    std::vector<torch::Tensor> trunks;
    for (const train::Drawn& one : drawn) {
      if (shares_trunk_) trunks.push_back(one.trunk_Td);
      std::vector<TokenId> tokens = one.prompt_tokens;
      tokens.insert(tokens.end(), one.completion.tokens.begin(), one.completion.tokens.end());
      if (one.completion.ended) tokens.push_back(end_);
      sequences.push_back(std::move(tokens));
    }
    return train::score_sequences(model_, sequences, 2048, trunks);
  }

 private:
  const model::ScalarModel& model_;
  bool shares_trunk_;
  TokenId end_;  // whichever token ended a response: the reward model has learned from ends as they are written
};

}  // namespace

std::unique_ptr<Reward> make_model_reward(const Context&, const ArmOptions&, const RewardParts& parts) {
  return std::make_unique<ModelReward>(parts);
}

}  // namespace rlaif::stages
