// What the policy is asked and how an answer can be checked.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/core/option_table.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/core/types.hpp"
#include "rlaif/judge/rules/book.hpp"
#include "rlaif/run/layers.hpp"
#include "rlaif/text/chat_style.hpp"
#include "rlaif/world/world.hpp"

namespace rlaif::study {

struct TaskOptions {
  std::filesystem::path world, train_prompts, heldout_prompts, rules;
  std::string system, date;
  std::optional<text::ChatFormat> chat_format;  // none: what model.folder says, else plain
};
void bind_task(OptionTable& table, TaskOptions& options);
// "auto", which is none, and the formats by name.
std::vector<std::pair<std::string, std::optional<text::ChatFormat>>> chat_format_choices();

enum class Split : std::uint64_t { train = 0, heldout = 1 };

// What can be checked of a response: a score, and the marks that it consists of.
struct Grade {
  double score = 0.0;
  std::vector<std::pair<std::string, bool>> marks;  // in a fixed order
};

struct Mark {
  std::string name;
  bool has_column = false;  // in the table of policies; others are listed below it
};

// The prompts of a study, the closed world's own or those of files, and the yardstick that responses are held against:
// the world's gold utility, or a book of rules. Gold knows the world's prompts only.
class Task {
 public:
  // `prompts` take the place of the world's where no file holds any. Throws Error(input) naming file, line and key.
  explicit Task(const TaskOptions& options, std::map<Split, std::vector<Prompt>> prompts = {});

  const world::World& world() const { return world_; }

  // The i-th prompt drawn for a purpose: by the families' weights from the world; from a file each prompt once, then
  // each once again, always in an order of its own. `id` of the result is unique within the purpose and split: it keys
  // everything drawn for it.
  enum class Purpose : std::uint64_t { annotate = 1, ppo = 2, evaluate = 3 };
  Prompt draw(Purpose purpose, Split split, std::uint64_t seed, std::int64_t index) const;

  // "gold" or "rules", and the marks it gives.
  std::string yardstick() const { return rules_ ? "rules" : "gold"; }
  std::vector<Mark> marks() const;
  // nullopt: the yardstick does not know the prompt.
  std::optional<Grade> grade(const Prompt& prompt, const Completion& completion) const;
  // The score alone, throwing Error(input) naming the prompt where there is none.
  double utility(const Prompt& prompt, const Completion& completion) const;

 private:
  std::size_t file_place(std::size_t size, Purpose purpose, Split split, std::uint64_t seed, std::uint64_t item) const;

  world::World world_;
  std::optional<judge::RuleBook> rules_;
  std::map<Split, std::vector<Prompt>> files_;
  mutable std::map<std::array<std::uint64_t, 4>, std::vector<std::size_t>> orders_;  // permutations made so far
};

}  // namespace rlaif::study
