// What every stage is handed, and the process-wide settings of libtorch.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/comm/device.hpp"
#include "rlaif/run/here.hpp"
#include "rlaif/study/study.hpp"
#include "rlaif/study/task.hpp"
#include "rlaif/text/chat.hpp"

namespace rlaif::model {
class Transformer;
struct ScalarModel;
}  // namespace rlaif::model
namespace rlaif::train {
struct StageRun;
}

namespace rlaif::study {

void set_threads(int threads);  // CPU threads of this rank

struct Context : Here {
  Context(const Here& here, const Study& of_study, const Task& loaded) : Here(here), study(of_study), task(loaded) {}

  const Study& study;
  const Task& task;

  train::StageRun stage_run(const std::string& stage) const;
};

// The run's tokenizer with its chat format. Every rank reads it; a bad file is one error.
struct Language {
  text::Tokenizer tokenizer;
  text::ChatEncoder chat;
  Language(text::Tokenizer t, text::ChatStyle style, std::string system)
      : tokenizer(std::move(t)), chat(tokenizer, std::move(style), std::move(system)) {}
};
std::unique_ptr<Language> load_language(const Context& context);

// Prompt and completion as a reward model reads them: with the end token where the completion ended.
std::vector<TokenId> reward_tokens(const Language& language, std::vector<TokenId> prompt, const Completion& completion);

// Models of the run by name (or a folder), on this rank's device. Every rank reads the folder; a bad file is one error.
// A model whose vocabulary the run's tokenizer does not fit is an Error(input). "sft" is the deck's own folder where
// nothing was trained on it. What the run keeps as an adapter comes back over its base, weights merged.
model::Transformer load_run_model(const Context& context, const std::string& name, const Language& language);
// The same with the base at hand: an adapter's untouched weights are shared with it.
model::Transformer load_policy(const Context& context, const std::string& name, const model::Transformer& base,
                               const Language& language);
// One of a folder on its own, outside of a study, with the tokenizer and the chat template that lie in it (plain where it has
// none); of an adapter, over the model that it names as its base. Throws Error(input) naming the folder or file that does not fit.
struct FolderModel {
  std::unique_ptr<Language> language;
  std::unique_ptr<model::Transformer> model;
};
FolderModel read_model_folder(const std::filesystem::path& folder, const std::string& system,
                              const comm::DevicePlan& device);

// A reward model, over `base` where it is an adapter.
model::ScalarModel load_run_reward(const Context& context, const std::string& name, const model::Transformer& base);

// One of a folder, this run's or another's; of an adapter, over the model that it names as its base, by a path from the
// folder or a whole one. Throws Error(input) naming the folder where the base is none.
model::ScalarModel read_reward_folder(const std::filesystem::path& folder, const comm::DevicePlan& device);

// A model of the given sizes, or the folder's, with the run's vocabulary and end token. Keyed by seed and whose it is.
model::Transformer fresh_model(const Context& context, const ModelOptions& options, const Language& language,
                               std::uint64_t key);

// Root writes models/<name>/ with the tokenizer beside the weights; of a model with an adapter, the adapter alone,
// which names `base` (of a policy, sft).
void save_run_model(const Context& context, const std::string& name, const Language& language,
                    const model::Transformer& model);
void save_run_reward(const Context& context, const std::string& name, const Language& language,
                     const model::ScalarModel& model, const std::string& base);

// log p(token) of each completion token (and the end token where ended) under a model at a temperature, one vector a
// sequence. Packed batches, no gradients.
struct ScoredSequence {
  std::vector<TokenId> prompt, completion;  // completion with its end token where it ended
};
std::vector<std::vector<double>> completion_log_probs(const model::Transformer& model,
                                                      const std::vector<ScoredSequence>& sequences, double temperature);

// Longest prompt that leaves room for max_new_tokens in the model's context.
std::int64_t longest_prompt(const model::Transformer& model, int max_new_tokens);

}  // namespace rlaif::study
