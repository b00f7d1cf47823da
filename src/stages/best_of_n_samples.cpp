// Many responses of sft to held-out prompts, as reward models score them: what the curve of the best of n is made from.
#include <algorithm>
#include <map>

#include "rlaif/core/ids.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/run/blocks.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/study/prompt_room.hpp"
#include "rlaif/text/jsonl.hpp"
#include "rlaif/train/reward.hpp"
#include "sampling.hpp"

namespace rlaif::stages {
namespace {

using RewardModels = std::map<std::string, model::ScalarModel>;  // by the labels that they learned from

// Those of arms that start from sft.
RewardModels reward_models(const Context& context, const model::Transformer& sft) {
  RewardModels models;
  for (const ArmOptions& arm : context.study.arms) {
    if (!algorithm_of(arm).trains_reward_model() || arm.start != first_policy || models.contains(labels_of(arm)))
      continue;
    models.emplace(labels_of(arm), load_run_reward(context, "reward-" + labels_of(arm), sft));
  }
  return models;
}

// The samples of one prompt, without their texts.
Json line_of(const Context& context, const Language& language, const Prompt& prompt, const std::vector<TokenId>& tokens,
             const std::vector<generate::Generated>& generated, const RewardModels& models) {
  std::vector<std::vector<TokenId>> sequences;
  Json samples = Json::array();
  for (const generate::Generated& one : generated) {
    const Completion completion{one.sample, language.tokenizer.decode_text(one.tokens), one.tokens, {}, one.ended};
    const auto grade = context.task.grade(prompt, completion);
    if (!grade) return Json();
    samples.push_back({{"utility", grade->score},
                       {"tokens", one.tokens.size() + (one.ended ? 1 : 0)},
                       {"ended", one.ended},
                       {"scores", Json::object()}});
    sequences.push_back(reward_tokens(language, tokens, completion));
  }
  for (const auto& [labels, model] : models) {
    const std::vector<double> scores = train::score_sequences(model, sequences);
    for (std::size_t i = 0; i < scores.size(); ++i) samples[i]["scores"][labels] = scores[i];
  }
  return {
      {"prompt_id", prompt_item(prompt.id)}, {"prompt", text::prompt_json(prompt)}, {"samples", std::move(samples)}};
}

}  // namespace

std::vector<Json> sample_best_of_n(const Context& context, const EvaluateOptions& options, const Language& language,
                                   const model::Transformer& sft) {
  if (options.best_of_n == 0) return {};
  const RewardModels models = reward_models(context, sft);
  if (models.empty()) return {};
  generate::Engine engine(sft, {options.slots, 1024});
  // Draws that no table of policies has.
  const std::uint64_t seed = context.study.run.seed + 0xbe57;
  const auto work = [&](std::int64_t begin, std::int64_t end) {
    std::vector<Prompt> prompts;
    std::vector<generate::GenerationRequest> requests;
    for (std::int64_t item = begin; item < end; ++item) {
      Prompt prompt = context.task.draw(Task::Purpose::evaluate, Split::heldout, context.study.run.seed, item);
      std::vector<TokenId> tokens = language.chat.prompt(prompt);
      if (static_cast<std::int64_t>(tokens.size()) > longest_prompt(sft, options.max_new_tokens)) continue;
      requests.push_back({std::move(tokens), prompt.id, {}});
      for (int k = 0; k < options.best_of_n; ++k) requests.back().samples.push_back(static_cast<std::uint32_t>(k));
      prompts.push_back(std::move(prompt));
    }
    std::vector<Json> lines;
    if (requests.empty()) return lines;
    const auto generated = engine.generate(
        requests, {options.temperature, 0, 1.0, options.max_new_tokens, sft.config().end_tokens.ids(), seed});
    for (std::size_t r = 0; r < requests.size(); ++r) {
      Json line = line_of(context, language, prompts[r], requests[r].prompt_tokens, generated[r], models);
      if (!line.is_null()) lines.push_back(std::move(line));
    }
    return lines;
  };
  return work_by_blocks(context.comm,
                        {"evaluate best of " + std::to_string(options.best_of_n), options.prompts, options.block,
                         context.directory.checkpoints("evaluate") / "best-of-n", context.stop_requested},
                        work);
}

}  // namespace rlaif::stages
