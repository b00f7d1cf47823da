// Demonstrations of a data set: what makers write and supervised fine-tuning reads.
//   plan.add(demonstrations_stage(study, data, "4000 examples", {}, [=](const Context& context) {
//     return write_demonstrations(context, data, 4000, 200, [&](std::int64_t begin, std::int64_t end) { ... });
//   }));
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/run/stage.hpp"
#include "rlaif/study/context.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/study/study.hpp"
#include "rlaif/train/language_model.hpp"

namespace rlaif::stages {

struct Demonstration {
  Prompt prompt;
  std::string response;
  Json facts = Json::object();  // further members of its line, which nothing learns from
};

// data/<name> below the run directory.
std::string data_path(const DataSet& data);

// Collective. Ranks take blocks of `block` items from a shared counter; `make` gives the demonstrations of the items [begin, end),
// any number of them, by the items alone, so that files are the same bytes on any number of ranks. Finished blocks outlive a kill.
// -> data/<name>/block-000012.jsonl, one object with "prompt" and "response" a line, and manifest.json, written last.
// Facts for the done marker: how many there are, and the sums of what their facts say of "labels" and "cost_usd". Throws Error(input) where there is none.
Json write_demonstrations(const Context& context, const DataSet& data, std::int64_t items, std::int64_t block,
                          const std::function<std::vector<Demonstration>(std::int64_t begin, std::int64_t end)>& make);

// The line of one in its file.
Json demonstration_line(const Demonstration& demonstration);
// On the root: writes data/<name> from lines by block, and returns the facts, as write_demonstrations has both.
Json write_demonstration_blocks(const Context& context, const DataSet& data, const std::vector<Json>& blocks);

// The stage "data-<name>" that makes them. `sections`: keys that decide it besides those of [data.NAME].
run::Stage demonstrations_stage(const Study& study, const DataSet& data, const std::string& size,
                                std::vector<std::string> sections, std::function<Json(const Context&)> work);

// Those of data/<name>, in the order of their blocks. Throws Error(input) naming file, line and key.
std::vector<Demonstration> read_demonstrations(const std::filesystem::path& folder);
// JSON Lines of "prompt", a text or the turns of a conversation, and "response". Throws Error(input) naming file, line and key; there is at least one.
std::vector<Demonstration> read_demonstration_file(const std::filesystem::path& file);

// Every answer of the assistant's in a conversation as a demonstration of its own, behind the turns before it; those that follow no
// user's turn, and empty ones, are none.
std::vector<Demonstration> every_answer(std::vector<Demonstration> demonstrations);

// The prompt without, the response and its end with a loss.
train::Example encode(const Language& language, const Demonstration& demonstration);
// Those that fit the context; says how many do not. `what`: the stage. Throws Error(input) naming `source` where none does.
std::vector<train::Example> encode_fitting(const Language& language, const std::vector<Demonstration>& demonstrations,
                                           std::int64_t max_positions, const std::string& what,
                                           const std::filesystem::path& source);

// Item of every position of a run over several epochs: each epoch is a permutation of its own.
class EpochOrder {
 public:
  EpochOrder(std::int64_t items, int epochs, std::uint64_t seed);
  std::int64_t steps(std::int64_t batch) const { return static_cast<std::int64_t>(order_.size()) / batch; }
  std::int64_t operator[](std::int64_t i) const { return order_[static_cast<std::size_t>(i)]; }

 private:
  std::vector<std::int64_t> order_;
};

}  // namespace rlaif::stages
