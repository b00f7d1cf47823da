#include "rlaif/study/task.hpp"

#include <numeric>

#include "rlaif/core/error.hpp"
#include "rlaif/core/ids.hpp"
#include "rlaif/core/option_table.hpp"
#include "rlaif/records/records.hpp"

namespace rlaif::study {

Task::Task(const TaskOptions& options, std::map<Split, std::vector<Prompt>> prompts)
    : world_(world::World::load(options.world)), files_(std::move(prompts)) {
  if (!options.rules.empty()) rules_ = judge::RuleBook::load(options.rules);
  if (!options.train_prompts.empty()) files_[Split::train] = records::read_prompts(options.train_prompts);
  if (!options.heldout_prompts.empty()) files_[Split::heldout] = records::read_prompts(options.heldout_prompts);
}

std::size_t Task::file_place(std::size_t size, Purpose purpose, Split split, std::uint64_t seed,
                             std::uint64_t item) const {
  const std::array<std::uint64_t, 4> key{static_cast<std::uint64_t>(purpose), static_cast<std::uint64_t>(split), seed,
                                         item / size};
  std::vector<std::size_t>& order = orders_[key];
  if (order.empty()) {
    order.resize(size);
    std::iota(order.begin(), order.end(), std::size_t{0});
    Rng(seed, Stream::prompt_choice, {key[0], key[1], key[3], ~std::uint64_t{0}}).shuffle(order);
  }
  return order[item % size];
}

Prompt Task::draw(Purpose purpose, Split split, std::uint64_t seed, std::int64_t index) const {
  const auto item = static_cast<std::uint64_t>(index);
  Rng rng(seed, Stream::prompt_choice, {static_cast<std::uint64_t>(purpose), static_cast<std::uint64_t>(split), item});
  const auto file = files_.find(split);
  Prompt prompt = file != files_.end() ? file->second[file_place(file->second.size(), purpose, split, seed, item)]
                                       : world_.sample_prompt(rng, split == Split::heldout);
  prompt.id = prompt_id(static_cast<std::uint64_t>(purpose), static_cast<std::uint64_t>(split), item);
  return prompt;
}

std::vector<Mark> Task::marks() const {
  if (!rules_) return {{"good"}, {"clear", true}, {"helpful", true}, {"harmless", true}, {"honest", true}};
  std::vector<Mark> marks;
  for (const std::string& name : rules_->names()) marks.push_back({name});
  marks.push_back({"all_rules"});
  return marks;
}

std::optional<Grade> Task::grade(const Prompt& prompt, const Completion& completion) const {
  Grade grade;
  if (rules_) {
    const judge::RuleScores scores = rules_->score(prompt.text, completion.text, completion.ended);
    const std::vector<std::string> names = rules_->names();
    grade.score = scores.score;
    for (std::size_t i = 0; i < names.size(); ++i) grade.marks.emplace_back(names[i], scores.kept[i]);
    grade.marks.emplace_back("all_rules", scores.all_kept);
    return grade;
  }
  const Prompt* known = world_.find(prompt.text);
  if (!known) return std::nullopt;
  const world::Gold gold = world_.score(*known, completion.text, completion.ended);
  grade.score = gold.utility;
  grade.marks = {{"good", gold.good}, {"clear", gold.clear}};
  for (const auto& [name, mark] :
       {std::pair{"helpful", gold.helpful}, std::pair{"harmless", gold.harmless}, std::pair{"honest", gold.honest}}) {
    if (mark) grade.marks.emplace_back(name, *mark);
  }
  return grade;
}

double Task::utility(const Prompt& prompt, const Completion& completion) const {
  const std::optional<Grade> found = grade(prompt, completion);
  if (!found) throw input_error("the world does not know the prompt \"" + prompt.text + "\": it has no gold utility");
  return found->score;
}

std::vector<std::pair<std::string, std::optional<text::ChatFormat>>> chat_format_choices() {
  std::vector<std::pair<std::string, std::optional<text::ChatFormat>>> formats{{"auto", std::nullopt}};
  for (const auto format : {text::ChatFormat::plain, text::ChatFormat::chatml, text::ChatFormat::llama2,
                            text::ChatFormat::llama3, text::ChatFormat::zephyr}) {
    formats.emplace_back(text::to_string(format), format);
  }
  return formats;
}

void bind_task(OptionTable& table, TaskOptions& o) {
  table.add_input("task.world", &o.world, "world.json", "data of the closed world");
  table.add_input("task.train_prompts", &o.train_prompts, "", "JSON Lines of prompts; empty: the world's");
  table.add_input("task.heldout_prompts", &o.heldout_prompts, "", "JSON Lines of held-out prompts; empty: the world's");
  table.add_choice<std::optional<text::ChatFormat>>(
      "task.chat_format", &o.chat_format, chat_format_choices(),
      "how a prompt becomes tokens; auto: by the template in model.folder, which is executed, else plain");
  table.add("task.system", &o.system, "", "system turn of every prompt; empty: the template's own, if it has one")
      .prose();
  table.add("task.date", &o.date, "YYYY-MM-DD",
            "the day that a model's template writes where it asks for today; empty: it gets none");
  table.add_input("task.rules", &o.rules, "",
                  "file of rules that responses are held against; empty: the world's gold utility");
}

}  // namespace rlaif::study
