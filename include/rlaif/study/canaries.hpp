// Canaries of a stage: mixed into what judges are asked, counted a block, summed for the report.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/study/judges.hpp"

namespace rlaif::study {

void bind_canaries(OptionTable& table, CanaryOptions& options);

// Whether this judge is asked canaries: one is a language model, and the deck gives a rate above 0. People and recorded
// verdicts know nothing of them, rules read no instructions.
bool takes_canaries(const Judges& judges, const JudgeOptions& judge);

// Wraps the judge where it takes canaries. Collective. Throws Error(input) naming file and line, Error(usage) for the
// rate.
void add_canaries(const Context& context, const JudgeOptions& options, BoundJudge& bound);

// canaries/<store>/block-000012.json of the run: what the canaries of one block came to. Written before the block's
// shard, so that a block that is done has its counts, and a block that is done again the same ones.
std::filesystem::path canary_file(const RunDirectory& directory, const std::string& store, std::int64_t block);
void write_canary_counts(const RunDirectory& directory, const std::string& store, std::int64_t block,
                         BoundJudge& bound);
// Stores of a judge below canaries/, each with how many blocks it has.
struct CanaryBlocks {
  const JudgeOptions& judge;
  std::vector<std::pair<std::string, std::int64_t>> stores;
};
// Sums over the blocks of a judge's stores, by judge, with a warning where fewer than nine in ten were right; null where
// no judge took canaries. Collective.
Json canary_facts(const Context& context, const std::string& stage, const std::vector<CanaryBlocks>& asked);

// "12 of 16 canaries right (3 wrong, 1 without verdict; not right: fake-grade 2, wrong-sum 2)"
std::string canary_text(const Json& counts);
// What this process's judge has counted since the last call, summed over ranks; said, with a warning as above.
void report_canaries(const comm::Communicator& comm, const std::string& who, BoundJudge& bound);

}  // namespace rlaif::study
