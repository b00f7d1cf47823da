#include "rlaif/study/response_scorer.hpp"

#include <cmath>
#include <optional>
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/model/adapter_file.hpp"
#include "rlaif/model/hf.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/text/chat_style.hpp"
#include "rlaif/train/reward.hpp"

namespace rlaif::study {
namespace {

namespace fs = std::filesystem;

text::ChatStyle style_of(const fs::path& folder, const RewardJudgeOptions& options, const std::string& key) {
  if (options.chat_format) return text::chat_style(*options.chat_format);
  if (std::optional<text::ChatStyle> own = text::read_chat_style(folder)) return std::move(*own);
  throw input_error(folder,
                    "has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json); "
                    "one was expected, or a format by name in " +
                        key);
}

class FolderScorer final : public judge::ResponseScorer {
 public:
  FolderScorer(const fs::path& folder, std::unique_ptr<Language> language, model::ScalarModel model)
      : language_(std::move(language)), model_(std::move(model)), is_own_(model::is_own_reward_folder(folder)) {
    const std::int64_t known = model_.body.config().vocab_size, tokens = language_->tokenizer.vocab_size();
    if (tokens > known) {
      throw input_error(folder / "tokenizer.json", "has " + std::to_string(tokens) + " tokens, the model only " +
                                                       std::to_string(known) +
                                                       ": the tokenizer does not fit the model");
    }
  }

  std::vector<judge::ResponseScore> score(std::span<const judge::Response> responses) override {
    std::vector<judge::ResponseScore> scores;
    for (const judge::Response& response : responses) scores.push_back(score_one(tokens_of(response)));
    return scores;
  }

 private:
  std::vector<TokenId> tokens_of(const judge::Response& response) const {
    const Prompt& prompt = *response.prompt;
    const Completion& completion = *response.completion;
    if (is_own_ || !completion.ended) return reward_tokens(*language_, language_->chat.prompt(prompt), completion);
    return language_->chat.answered(prompt, completion.text);
  }

  // Padding at the end: tokens of that id behind the last other one, whoever wrote them. Where the config has one token
  // for padding and for ends, a score so is read before the end, as it is elsewhere.
  void drop_padding(std::vector<TokenId>& tokens) const {
    const TokenId padding = model_.body.config().pad_token;
    if (is_own_ || padding < 0) return;
    while (tokens.size() > 1 && tokens.back() == padding) tokens.pop_back();
  }

  judge::ResponseScore score_one(std::vector<TokenId> tokens) const {
    judge::ResponseScore result;
    const auto length = static_cast<std::int64_t>(tokens.size());
    if (length > model_.body.config().max_positions) {
      result.status = VerdictStatus::truncated;
      return result;
    }
    result.usage.input_tokens = length;
    drop_padding(tokens);
    result.score = train::score_sequences(model_, std::span(&tokens, 1)).front();
    result.status = std::isfinite(result.score) ? VerdictStatus::ok : VerdictStatus::not_a_number;
    return result;
  }

  std::unique_ptr<Language> language_;
  model::ScalarModel model_;
  bool is_own_;
};

}  // namespace

fs::path reward_folder(const fs::path& run_directory, const RewardJudgeOptions& options) {
  return options.folder.empty() ? RunDirectory(run_directory).model(options.model) : options.folder;
}

fs::path adapted_folder(const fs::path& adapter) {
  const fs::path base = model::adapter_base(adapter);
  // As the program names models of its own runs, and as it was told of a folder where it was started.
  for (const fs::path& folder : {(adapter / base).lexically_normal(), base})
    if (!base.empty() && fs::exists(folder / "config.json")) return folder;
  throw input_error(adapter / "adapter_config.json",
                    "\"base_model_name_or_path\": the folder of a model was expected, found '" + base.string() + "'");
}

void check_reward_folder(const fs::path& folder, const RewardJudgeOptions& options,
                         const std::string& chat_format_key) {
  if (model::is_adapter_folder(folder))
    adapted_folder(folder);
  else
    model::check_scalar_folder(folder);
  if (!fs::exists(folder / "tokenizer.json"))
    throw input_error(folder / "tokenizer.json", "no such file; a reward model reads with its own tokenizer");
  style_of(folder, options, chat_format_key);
}

std::shared_ptr<judge::ResponseScorer> read_response_scorer(const fs::path& folder, const RewardJudgeOptions& options,
                                                            const ReadWith& with) {
  check_reward_folder(folder, options, with.chat_format_key);
  text::ChatStyle style = style_of(folder, options, with.chat_format_key);
  style.date = with.date;
  auto language =
      std::make_unique<Language>(text::Tokenizer::load(folder / "tokenizer.json"), std::move(style), with.system);
  return std::make_shared<FolderScorer>(folder, std::move(language), read_reward_folder(folder, with.device));
}

std::shared_ptr<judge::ResponseScorer> load_response_scorer(const Context& context, const JudgeOptions& judge) {
  const RewardJudgeOptions& options = judge.reward_model;
  const TaskOptions& task = context.study.task;
  const std::string system = options.folder.empty() ? task.system : "";
  std::shared_ptr<judge::ResponseScorer> scorer;
  context.comm.agree([&] {
    scorer = read_response_scorer(reward_folder(context.study.run.directory, options), options,
                                  {"judge." + judge.name + ".chat_format", system, task.date, context.device});
  });
  return scorer;
}

}  // namespace rlaif::study
