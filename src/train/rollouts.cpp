#include "rollouts.hpp"

#include <algorithm>

#include "rlaif/core/error.hpp"

namespace rlaif::train {

namespace {

// Logits of a large vocabulary are the usual out-of-memory: 2^24 of them are 64 MB.
constexpr std::int64_t kLogitsAtOnce = std::int64_t{1} << 24;

}  // namespace

Response make_response(const Rollout& rollout, TokenId end_token) {
  Response response;
  response.prompt_tokens = rollout.prompt_tokens;
  response.actions = rollout.completion.tokens;
  if (rollout.completion.ended) response.actions.push_back(end_token);
  response.old_log_probs = rollout.completion.log_probs;
  RLAIF_CHECK(!response.prompt_tokens.empty() && !response.actions.empty(), "a prompt and at least one action");
  RLAIF_CHECK(response.actions.size() == response.old_log_probs.size(), "one log-probability an action");
  return response;
}

ActionBatch make_action_batch(std::span<const Response* const> responses, torch::Device device) {
  std::vector<std::vector<TokenId>> inputs;
  std::vector<std::int64_t> rows, targets;
  std::int64_t begin = 0;
  for (const Response* response : responses) {
    std::vector<TokenId> input = response->prompt_tokens;
    const auto before_first = begin + static_cast<std::int64_t>(input.size()) - 1;
    input.insert(input.end(), response->actions.begin(), response->actions.end() - 1);
    for (std::size_t t = 0; t < response->actions.size(); ++t) {
      rows.push_back(before_first + static_cast<std::int64_t>(t));
      targets.push_back(response->actions[t]);
    }
    begin += static_cast<std::int64_t>(input.size());
    inputs.push_back(std::move(input));
  }
  return {model::pack(inputs, device), torch::tensor(rows).to(device), torch::tensor(targets).to(device)};
}

torch::Tensor action_log_probs(const model::Transformer& model, const ActionBatch& batch, double temperature) {
  const torch::NoGradGuard no_gradients;
  const auto hidden_Md = model.hidden_states(batch.packed).index_select(0, batch.rows_M);
  const std::int64_t block = std::max<std::int64_t>(1, kLogitsAtOnce / model.config().vocab_size);
  std::vector<torch::Tensor> parts;
  for (std::int64_t row = 0; row < batch.size(); row += block) {
    const std::int64_t count = std::min(block, batch.size() - row);
    parts.push_back(token_log_probs(model.logits(hidden_Md.narrow(0, row, count)),
                                    batch.targets_M.narrow(0, row, count), temperature));
  }
  return torch::cat(parts).to(torch::kCPU);
}

torch::Tensor action_values(const model::ScalarModel& model, const ActionBatch& batch) {
  return model.values_N(model.body.hidden_states(batch.packed).index_select(0, batch.rows_M));
}

}  // namespace rlaif::train
