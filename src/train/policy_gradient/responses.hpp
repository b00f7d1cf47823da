// Responses of the policy and the packed batches made of them. Private to train.
//   const ActionBatch batch = make_action_batch(responses, policy.device());
//   const torch::Tensor states_Md = action_states(policy, batch);
#pragma once

#include <span>
#include <vector>

#include "rlaif/model/transformer.hpp"
#include "rlaif/train/policy_gradient.hpp"

namespace rlaif::train {

// What is known of one response. T actions: the generated tokens, then the end token that was drawn, where it ended.
struct Response {
  std::vector<TokenId> prompt_tokens;
  std::vector<TokenId> actions;            // [T]
  std::vector<float> old_log_probs;        // [T], by the engine that drew them
  std::vector<float> reference_log_probs;  // [T]; empty where the loss needs none
  double reward = 0.0;                     // of the whole response; NaN: it could not be had
  bool ended = false;
  std::vector<double> values;       // [T], before each action, by the value model before the update
  std::vector<double> advantages;   // [T]
  std::vector<double> returns;      // [T]
  torch::Tensor trunk_Ld;           // states of prompt and actions before the first layer that differs between
                                    // the models, [L, d]; undefined where they share no layers
  torch::Tensor value_features_Td;  // states that a value head alone is trained on; undefined elsewhere
};

// What the models of a run have in common: where they are adapters over one base, everything below the first layer
// with an adapter is computed once a rollout.
struct SharedBase {
  std::int64_t trunk_layers = 0;  // layers [0, trunk_layers) are the same in all; 0: nothing is shared
  bool value_on_base = false;     // the value model is a head over the reference itself
};
SharedBase shared_base(const PolicyModels& models);
Response make_response(const Drawn& drawn);

// Some responses laid end to end, each without its last action, which only is a target: M actions in all.
struct ActionBatch {
  model::PackedSequences packed;
  torch::Tensor rows_M;     // row of the state before each action, int64
  torch::Tensor targets_M;  // the actions, int64
  torch::Tensor trunk_Nd;   // input of layer `trunk_layers`, where the responses have it
  std::int64_t trunk_layers = 0;
  std::int64_t size() const { return rows_M.size(0); }
};
ActionBatch make_action_batch(std::span<const Response* const> responses, torch::Device device,
                              std::int64_t trunk_layers = 0);

// States after the final norm before each action, [M, d].
torch::Tensor action_states(const model::Transformer& model, const ActionBatch& batch);

// One field of every response, end to end, as float32 [M].
torch::Tensor join(std::span<const Response* const> responses, const std::vector<float> Response::* field,
                   torch::Device device);
torch::Tensor join(std::span<const Response* const> responses, const std::vector<double> Response::* field,
                   torch::Device device);

}  // namespace rlaif::train
