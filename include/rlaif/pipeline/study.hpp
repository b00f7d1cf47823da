// A study: its stages in order, each run once, resumed at the first that is not done.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "rlaif/pipeline/stage_parts.hpp"
#include "rlaif/pipeline/stages.hpp"

namespace rlaif::pipeline {

struct Stage {
  std::string name;     // of its done marker and metrics: "sft", "reward-ai"
  std::string command;  // of the cli that runs it alone: "sft", "reward"
  std::string size;     // what it will do, for --dry-run
  std::function<Json(const Context&)> run;
  // What decides it and what it makes. Its done marker lists the files it makes by checksum, and the stage is run again where
  // one is damaged or lost; those in metrics/ are records: damage to them is said, and nothing is run again.
  StageParts parts = {};
};

// The stages of the deck, in order. Tokenizer and judge training belong to the command "sft".
std::vector<Stage> plan_stages(const StudyOptions& options);

// The resolved deck, the plan and its size, as `--dry-run` prints them.
std::string describe_plan(const StudyOptions& options, const ResolvedDeck& deck, int ranks);

// Runs the stages of `command` ("study": all, and the report) that are not done. Collective.
// Throws Error(usage) where an earlier stage that the command does not run is not done.
void run_study(const std::string& command, const StudyOptions& options, const ResolvedDeck& deck,
               const comm::Communicator& comm, const std::function<bool()>& stop_requested);

// `rlaif generate`: io.samples completions of every prompt of io.input by io.model -> io.output.
// `rlaif judge`: verdicts of io.judge on the pairs of io.input -> io.output. The order of the input is kept.
void run_generate_command(const StudyOptions& options, const ResolvedDeck& deck, const comm::Communicator& comm);
void run_judge_command(const StudyOptions& options, const ResolvedDeck& deck, const comm::Communicator& comm);
// `rlaif calibrate`: judges on labelled pairs, or the figures of recorded verdicts -> files in calibrate.output, and a table.
void run_calibrate_command(const StudyOptions& options, const ResolvedDeck& deck, const comm::Communicator& comm);

}  // namespace rlaif::pipeline
