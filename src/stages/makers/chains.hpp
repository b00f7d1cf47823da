// Chains of revisions (Constitutional AI, Bai et al. 2212.08073, section 3): an answer, and what became of it step by step. One
// line of data/<name>/chains-000012.jsonl each, from which demonstrations and pairs are chosen.
//   for (const Chain& chain : read_chains(folder / chain_file(Split::train, 0)))
//     for (const Demonstration& one : demonstrations_of(chain, StepRange::read("data.a.steps", "1..2", 4), counts)) ...
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "demonstrations.hpp"
#include "rlaif/stages/maker.hpp"
#include "rlaif/study/task.hpp"

namespace rlaif::stages {

// What became of a step: "changed", "unchanged", or why there is no revision: "no_critique", a status of the writer
// ("truncated", "refused", ...), "empty", a fault of its text (write/faults.hpp).
struct ChainStep {
  std::string principle;  // its id
  std::string critique;   // empty where none was asked for or none came
  std::string revision;   // what was written, taken or not
  std::string outcome;
  std::string stock = {};  // of a revision that was taken with a stock phrase: which fault that is
  bool is_revision() const { return outcome == "changed" || outcome == "unchanged"; }
};

struct Chain {
  Prompt prompt;
  Completion answer;
  bool is_revised = true;  // false: an answer that helps, which nobody was to revise
  std::vector<ChainStep> steps = {};
  Usage usage = {};        // of the writer
  std::int64_t texts = 0;  // that it was asked for

  // The response after so many steps: the last revision up to there, else the answer.
  const std::string& response_after(std::size_t steps_taken) const;
  // The number of the last step with a revision; 0: none.
  std::size_t last_revision() const;
};

Json to_json(const Chain& chain);
// Throws Error(input) naming file, line and key.
std::vector<Chain> read_chains(const std::filesystem::path& file);
// chains-000012.jsonl, or heldout-chains-000012.jsonl.
std::string chain_file(Split split, std::int64_t block);

// Which steps of a chain are demonstrations; 0 is the answer.
struct StepRange {
  std::size_t first = 1, last = 1;
  bool only_last = false;  // the last revision alone, whichever step it is of
  // "all", "last", "2" or "1..3", of chains of so many turns. Throws Error(usage) naming the key.
  static StepRange read(const std::string& key, const std::string& text, int turns);
};

// What was left out and why, by name.
using ChainCounts = std::map<std::string, std::int64_t>;

// The response after each of those steps that have a revision, with the number of the step and its principle; of step 0 the answer,
// where it ended and is not blank. Of a chain that is not revised its answer.
std::vector<Demonstration> demonstrations_of(const Chain& chain, const StepRange& range, ChainCounts& left_out);

// The last revision against the answer, the revision labelled better; in either place by a hash of the prompt's id. Nothing where no
// step changed the answer, or the last one changed it back.
std::optional<Comparison> pair_of(const Chain& chain, ChainCounts& left_out);

// Of all chains: outcomes by step, and by principle how often it was drawn and how often it changed the response.
Json chain_facts(const std::vector<Chain>& chains);

}  // namespace rlaif::stages
