// A reward model in a folder, which scores responses as texts: by its own tokenizer, conversation format and head, that
// need not be those of the policy.
//   check_reward_folder("judge.rm.folder", judge.reward_model);               // before anything is loaded
//   const auto scorer = load_response_scorer(context, judge.reward_model);    // collective
//   scorer->score(responses);
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "rlaif/judge/kinds/reward_model.hpp"
#include "rlaif/study/context.hpp"

namespace rlaif::study {

// Where the model of a judge's section lies: its folder, or models/<model> of the run.
std::filesystem::path reward_folder(const std::filesystem::path& run_directory, const RewardJudgeOptions& options);

// The folder of the model that an adapter's folder was made over. Throws Error(input) where it is not there, or is an
// adapter itself.
std::filesystem::path adapted_folder(const std::filesystem::path& adapter);

// Throws Error(input) naming the file: a classifier of several labels, no score head, one with a bias, no tokenizer, no
// chat template where `chat_format_key` names none; weights are not read.
void check_reward_folder(const std::filesystem::path& folder, const RewardJudgeOptions& options,
                         const std::string& chat_format_key);

// What a folder is read with beside its own files.
struct ReadWith {
  std::string chat_format_key = {};  // that messages name
  std::string system = {}, date = {};
  comm::DevicePlan device = {};
};
// A response that ended is read as the template writes the whole conversation, one that was cut off as prompt and text;
// the score is that of the last token that is no padding, as Hugging Face's models for sequence classification have it.
// A reward model that this program trained is read as it has learned: prompt, completion, and the end token where there
// is one; a model of this run with the deck's system turn. Every response is computed by itself, as rows of a product
// of packed ones differ in last bits by what is beside them: its score is the same bits whatever else is asked, on any
// number of ranks. Throws Error(input) as above, or where the tokenizer has more tokens than the model.
std::shared_ptr<judge::ResponseScorer> read_response_scorer(const std::filesystem::path& folder,
                                                            const RewardJudgeOptions& options, const ReadWith& with);
// The same of a judge of the study, on all ranks together.
std::shared_ptr<judge::ResponseScorer> load_response_scorer(const Context& context, const JudgeOptions& judge);

}  // namespace rlaif::study
