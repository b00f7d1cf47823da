// Comparisons judged block by block and kept as shards: what labelling and the verdict on policies have in common.
//   const std::vector<Verdict> verdicts = ask_judge(bound, comparisons, seconds);
//   write_judged_block(context.directory, store, block, bound, records);
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "rlaif/study/context.hpp"
#include "rlaif/study/judges.hpp"

namespace rlaif::stages {

// Where one judge's shards go, and below canaries/ what its canaries came to.
struct JudgedStore {
  std::filesystem::path folder;
  std::string canaries;
};

// One verdict a comparison; the time is added to `seconds` under the judge's name.
std::vector<Verdict> ask_judge(BoundJudge& bound, std::span<const Comparison> comparisons,
                               std::map<std::string, double>& seconds);
void write_judged_block(const RunDirectory& directory, const JudgedStore& store, std::int64_t block, BoundJudge& bound,
                        std::span<const Preference> records);
// Blocks whose shard, and counts of canaries where the judge takes some, are there. On one rank: damaged shards are
// removed.
std::vector<bool> finished_judged_blocks(const Context& context, const JudgeOptions& judge, const JudgedStore& store,
                                         std::int64_t blocks);

// Ranks take the items 0 to `items` - 1 as they come to them; `before` more were done by earlier starts. Collective. Throws
// Error(interrupted) on all ranks where one was asked to stop.
struct ItemWork {
  std::string stage, what;  // of messages, and of the progress line
  std::int64_t items = 0, before = 0;
};
void work_by_items(const Context& context, const ItemWork& plan, const std::function<void(std::int64_t item)>& work);

// Rank seconds by judge, summed over ranks. Collective.
std::map<std::string, double> summed_seconds(const Context& context, const std::vector<std::string>& judges,
                                             const std::map<std::string, double>& seconds);

}  // namespace rlaif::stages
