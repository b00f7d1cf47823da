// Comparisons labelled by every judge of a data set: ranks take blocks from a shared counter, and a block becomes a shard of
// each judge's store.
//   Labelling labelling(context, data, language.get());
//   labelling.run(Split::train, 12, [&](std::int64_t block) { return comparisons_of(block); });
//   Json facts = labelling.facts(12, 0);
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "../judged_blocks.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/run/stage.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/study/judges.hpp"

namespace rlaif::stages {

std::string store_of(const DataSet& data, const std::string& judge, Split split);

class Labelling {
 public:
  // Collective, as all of it is. Makes the judges; `language` is for those that are models of this process.
  Labelling(const Context& context, const DataSet& data, const Language* language);

  // Labels the blocks that not every judge's store has yet and finishes the stores. `comparisons_of` depends on the block
  // alone. Throws Error(interrupted) between blocks where the run is asked to stop.
  void run(Split split, std::int64_t blocks,
           const std::function<std::vector<Comparison>(std::int64_t block)>& comparisons_of);

  // For the done marker: "judge_rank_seconds" by judge, and where there are such judges "asked" of combined ones, "paid" of
  // servers, "canaries".
  Json facts(std::int64_t train_blocks, std::int64_t heldout_blocks) const;

 private:
  JudgedStore store(const std::string& judge, Split split) const;
  void label(Split split, std::int64_t block, const std::vector<Comparison>& comparisons);
  std::vector<std::int64_t> open_blocks(Split split, std::int64_t blocks) const;

  const Context& context_;
  const DataSet& data_;
  StageSpending spending_;
  std::vector<BoundJudge> judges_;
  std::map<std::string, double> judge_seconds_;
};

// Adds the judges to a stage of labelling: their sections, the models that they are, the stores that they make.
void add_labelling(const Study& study, const DataSet& data, run::Stage& stage);

}  // namespace rlaif::stages
