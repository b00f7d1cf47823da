// A sweep: one study a cell, for all combinations of the values of its axes, and what they came to, over seeds.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/core/json.hpp"

namespace rlaif::tools {

struct SweepValue {
  std::string label;
  std::vector<std::string> texts;  // of the axis's keys
};
// What varies. Its keys are set together.
struct SweepAxis {
  std::string name;
  std::vector<std::string> keys;
  std::vector<SweepValue> values;
};
inline const char* const seed_axis = "seed";   // averaged over
inline const char* const ranks_key = "ranks";  // of an axis: on how many ranks a cell runs; no key of the study

// KEY[, KEY ...]: [LABEL =] VALUE[, VALUE ...] | ...   Throws Error(usage) naming the axis for anything else, a label that
// stands twice, or fewer values than keys.
SweepAxis parse_axis(const std::string& name, const std::string& text);

struct SweepOptions {
  std::string name;                 // of the deck
  std::filesystem::path directory;  // decks/, cells/, shared/, report/, cells.jsonl
  bool share = true;                // cells that agree on a stage make it once
  std::vector<std::string>
      columns;                  // of the printed table: "arms.rlaif.win_rate_vs_sft"; empty: a choice of the program's
  std::vector<SweepAxis> axes;  // by name; seeds, where there are, last
};
// The keys of the section [sweep], without "sweep.": directory, seeds, share, columns, axis.NAME. Throws Error(usage).
// An axis over ranks wants the times of every stage: nothing is shared then.
SweepOptions read_sweep(const std::string& deck_name, const std::map<std::string, std::string>& keys);

struct SweepCell {
  int number = 0;
  std::string name;                                         // "judge-small_labels-200_seed-0": its run's folder
  std::vector<std::pair<std::string, std::string>> values;  // axis and label
  std::map<std::string, std::string> keys;                  // what the cell sets
  int ranks = 0;                                            // 0: as many as are started
  std::string deck_hash;                                    // of the study; of a plan
};
// Seeds vary fastest, so that cells that start together share little. Throws Error(usage) where two axes set one key.
std::vector<SweepCell> sweep_cells(const SweepOptions& sweep);

std::filesystem::path cell_deck(const SweepOptions& sweep, const SweepCell& cell);  // decks/NAME.cfg
std::filesystem::path cell_run(const SweepOptions& sweep, const SweepCell& cell);   // cells/NAME

// Writes cells.jsonl and cells.tsv (number, name, ranks, deck, run directory). read_cells: of a sweep that was planned;
// throws Error(input).
void write_cells(const SweepOptions& sweep, const std::vector<SweepCell>& cells);
std::vector<SweepCell> read_cells(const std::filesystem::path& directory);

// What is there of a cell. Any time: nothing is locked or written.
struct CellState {
  bool done = false;
  std::string
      text;  // "done", "not started", "runs on host a, ...: 3 stages done", "stopped after ...", "of another deck"
  std::map<std::string, double> metrics;      // of a done cell: numbers of results.json by their path
  std::vector<std::string> instruction_sets;  // that a done cell was computed with
};
CellState look_at_cell(const std::filesystem::path& run, const std::string& deck_hash);

// Cells, groups of cells that differ in the seed alone with mean, 95 % interval by Student's t, standard deviation and n of every
// metric, and the missing cells with their state.
Json collect_sweep(const SweepOptions& sweep, const std::vector<SweepCell>& cells);
std::string sweep_table(const SweepOptions& sweep, const Json& collected);
std::string sweep_csv(const Json& collected);  // a line a group and metric

}  // namespace rlaif::tools
