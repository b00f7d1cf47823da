#include "rlaif/train/answers.hpp"

#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/losses.hpp"

namespace rlaif::train {

torch::Tensor answer_log_probs(const model::Transformer& model, std::span<const Answer> answers) {
  std::vector<std::vector<TokenId>> inputs;  // every sequence without its last token, which predicts nothing
  std::vector<std::int64_t> rows, targets, lengths;
  std::int64_t begin = 0;
  for (const Answer& answer : answers) {
    RLAIF_CHECK(answer.prompt_length > 0 && answer.length() > 0, "a prompt and an answer of at least 1 token");
    const auto answer_tokens = answer.tokens.subspan(static_cast<std::size_t>(answer.prompt_length));
    for (std::size_t t = 0; t < answer_tokens.size(); ++t) {
      rows.push_back(begin + answer.prompt_length - 1 + static_cast<std::int64_t>(t));
      targets.push_back(answer_tokens[t]);
    }
    lengths.push_back(answer.length());
    inputs.emplace_back(answer.tokens.begin(), answer.tokens.end() - 1);
    begin += static_cast<std::int64_t>(inputs.back().size());
  }
  const auto device = model.device();
  const auto hidden_Md =
      model.hidden_states(model::pack(inputs, device)).index_select(0, torch::tensor(rows).to(device));
  const auto log_probs_M =
      chosen_log_probs(hidden_Md, model.output_Vd, torch::tensor(targets).to(device)).to(torch::kFloat64);
  std::vector<torch::Tensor> sums;
  for (const auto& of_answer : log_probs_M.split_with_sizes(lengths)) sums.push_back(of_answer.sum());
  return torch::stack(sums);
}

}  // namespace rlaif::train
