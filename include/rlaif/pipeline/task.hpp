// What the policy is asked and how an answer can be checked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/core/rng.hpp"
#include "rlaif/core/types.hpp"
#include "rlaif/pipeline/options.hpp"
#include "rlaif/world/world.hpp"

namespace rlaif::pipeline {

enum class Split : std::uint64_t { train = 0, heldout = 1 };

// The closed world and the prompts of a study: the world's own, or those of files. A prompt that the world does not
// know has no gold utility.
class Task {
 public:
  // Throws Error(input) naming file, line and key.
  explicit Task(const TaskOptions& options);

  const world::World& world() const { return world_; }

  // The i-th prompt drawn for a purpose: by the families' weights from the world, uniformly from a file. `id` of the
  // result is unique within the purpose and split: it keys everything drawn for it.
  enum class Purpose : std::uint64_t { annotate = 1, ppo = 2, evaluate = 3 };
  Prompt draw(Purpose purpose, Split split, std::uint64_t seed, std::int64_t index) const;

  // nullopt: the world does not know the prompt.
  std::optional<world::Gold> gold(const Prompt& prompt, const Completion& completion) const;
  // As gold, throwing Error(input) naming the prompt.
  double utility(const Prompt& prompt, const Completion& completion) const;

 private:
  world::World world_;
  std::map<Split, std::vector<Prompt>> files_;
};

}  // namespace rlaif::pipeline
