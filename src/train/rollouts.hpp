// Responses of the policy and the packed batches made of them. Private to train.
#pragma once

#include <span>
#include <vector>

#include "rlaif/model/transformer.hpp"
#include "rlaif/train/losses.hpp"
#include "rlaif/train/ppo.hpp"

namespace rlaif::train {

// What PPO knows of one response. T actions: the generated tokens, then the end token where it ended.
struct Response {
  std::vector<TokenId> prompt_tokens;
  std::vector<TokenId> actions;            // [T]
  std::vector<float> old_log_probs;        // [T], by the engine that drew them
  std::vector<double> values;              // [T], before each action, by the value model before the update
  std::vector<double> advantages;          // [T]
  std::vector<double> returns;             // [T]
};
Response make_response(const Rollout& rollout, TokenId end_token);

// Some responses laid end to end, each without its last action, which only is a target: M actions in all.
struct ActionBatch {
  model::PackedSequences packed;
  torch::Tensor rows_M;     // row of the state before each action, int64
  torch::Tensor targets_M;  // the actions, int64
  std::int64_t size() const { return rows_M.size(0); }
};
ActionBatch make_action_batch(std::span<const Response* const> responses, torch::Device device);

// log pi(action) under softmax(logits / temperature), float32 [M] on the CPU, without gradients; the logits exist for
// a block of rows at a time.
torch::Tensor action_log_probs(const model::Transformer& model, const ActionBatch& batch, double temperature);
// The value before each action, float32 [M], with gradients where enabled.
torch::Tensor action_values(const model::ScalarModel& model, const ActionBatch& batch);

// One field of every response, end to end, as float32 [M].
template <class T>
torch::Tensor join(std::span<const Response* const> responses, const std::vector<T> Response::*field,
                   torch::Device device) {
  std::vector<float> all;
  for (const Response* response : responses) {
    all.insert(all.end(), (response->*field).begin(), (response->*field).end());
  }
  return torch::tensor(all).to(device);
}

}  // namespace rlaif::train
