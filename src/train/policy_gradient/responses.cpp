#include "responses.hpp"

#include <algorithm>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::train {

SharedBase shared_base(const PolicyModels& models) {
  const auto& [policy, reference, value] = models;
  const auto over_policy = [&policy = policy](const model::Transformer& model) {
    return policy.adapter && model.embedding_Vd.is_same(policy.embedding_Vd);
  };
  const auto trunk = [&](const model::Transformer& model) {
    return model.adapter ? model.adapter->options().first_layer : model.config().num_layers;
  };
  if (!over_policy(reference)) return {};
  const std::int64_t trunk_layers = std::min(trunk(policy), trunk(reference));
  if (!value) return {trunk_layers, false};
  if (!over_policy(value->body)) return {};
  return {std::min(trunk_layers, trunk(value->body)), !value->body.adapter && !reference.adapter};
}

Response make_response(const Drawn& drawn) {
  Response response;
  response.prompt_tokens = drawn.prompt_tokens;
  response.actions = drawn.completion.tokens;
  if (drawn.completion.ended) response.actions.push_back(drawn.completion.end_token);
  response.old_log_probs = drawn.completion.log_probs;
  response.ended = drawn.completion.ended;
  response.trunk_Ld = drawn.trunk_Td;
  RLAIF_CHECK(!response.prompt_tokens.empty() && !response.actions.empty(), "a prompt and at least one action");
  RLAIF_CHECK(response.actions.size() == response.old_log_probs.size(), "one log-probability an action");
  return response;
}

ActionBatch make_action_batch(std::span<const Response* const> responses, torch::Device device,
                              std::int64_t trunk_layers) {
  std::vector<std::vector<TokenId>> inputs;
  std::vector<std::int64_t> rows, targets;
  std::vector<torch::Tensor> trunks;
  std::int64_t begin = 0;
  for (const Response* response : responses) {
    std::vector<TokenId> input = response->prompt_tokens;
    const auto before_first = begin + static_cast<std::int64_t>(input.size()) - 1;
    input.insert(input.end(), response->actions.begin(), response->actions.end() - 1);
    for (std::size_t t = 0; t < response->actions.size(); ++t) {
      rows.push_back(before_first + static_cast<std::int64_t>(t));
      targets.push_back(response->actions[t]);
    }
    const auto length = static_cast<std::int64_t>(input.size());
    if (trunk_layers > 0) trunks.push_back(response->trunk_Ld.narrow(0, 0, length));
    begin += length;
    inputs.push_back(std::move(input));
  }
  ActionBatch batch{
      model::pack(inputs, device), torch::tensor(rows).to(device), torch::tensor(targets).to(device), {}, 0};
  if (trunk_layers > 0) {
    batch.trunk_Nd = torch::cat(trunks);
    batch.trunk_layers = trunk_layers;
  }
  return batch;
}

torch::Tensor action_states(const model::Transformer& model, const ActionBatch& batch) {
  const torch::Tensor hidden_Nd =
      batch.trunk_Nd.defined() ? model.final_states(model.run_layers(batch.trunk_Nd, batch.packed, batch.trunk_layers,
                                                                     model.config().num_layers))
                               : model.hidden_states(batch.packed);
  return hidden_Nd.index_select(0, batch.rows_M);
}

namespace {

template <class T>
torch::Tensor join_field(std::span<const Response* const> responses, const std::vector<T> Response::* field,
                         torch::Device device) {
  std::vector<float> all;
  for (const Response* response : responses) {
    all.insert(all.end(), (response->*field).begin(), (response->*field).end());
  }
  return torch::tensor(all).to(device);
}

}  // namespace

torch::Tensor join(std::span<const Response* const> responses, const std::vector<float> Response::* field,
                   torch::Device device) {
  return join_field(responses, field, device);
}

torch::Tensor join(std::span<const Response* const> responses, const std::vector<double> Response::* field,
                   torch::Device device) {
  return join_field(responses, field, device);
}

}  // namespace rlaif::train
