#include "rlaif/pipeline/task.hpp"

#include "rlaif/core/error.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::pipeline {

Task::Task(const TaskOptions& options) : world_(world::World::load(options.world)) {
  if (!options.train_prompts.empty()) files_[Split::train] = text::read_prompts(options.train_prompts);
  if (!options.heldout_prompts.empty()) files_[Split::heldout] = text::read_prompts(options.heldout_prompts);
}

Prompt Task::draw(Purpose purpose, Split split, std::uint64_t seed, std::int64_t index) const {
  const auto item = static_cast<std::uint64_t>(index);
  Rng rng(seed, Stream::prompt_choice, {static_cast<std::uint64_t>(purpose), static_cast<std::uint64_t>(split), item});
  const auto file = files_.find(split);
  Prompt prompt =
      file != files_.end() ? rng.pick(file->second) : world_.sample_prompt(rng, split == Split::heldout);
  prompt.id = (static_cast<std::uint64_t>(purpose) << 56) | (static_cast<std::uint64_t>(split) << 48) | item;
  return prompt;
}

std::optional<world::Gold> Task::gold(const Prompt& prompt, const Completion& completion) const {
  const Prompt* known = world_.find(prompt.text);
  if (!known) return std::nullopt;
  return world_.score(*known, completion.text, completion.ended);
}

double Task::utility(const Prompt& prompt, const Completion& completion) const {
  const std::optional<world::Gold> score = gold(prompt, completion);
  if (!score) throw input_error("the world does not know the prompt \"" + prompt.text + "\": it has no gold utility");
  return score->utility;
}

}  // namespace rlaif::pipeline
