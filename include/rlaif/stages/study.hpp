// A study: its stages in order, each run once, resumed at the first that is not done.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "rlaif/run/stage.hpp"
#include "rlaif/stages/resources.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/study.hpp"

namespace rlaif::stages {

// The stages of the deck, in order. Tokenizer and judge training belong to the command "sft". Study and options must
// outlive them.
std::vector<Stage> plan_stages(const Study& study, const StageOptions& options);

// The resolved deck, the plan and its size, as `--dry-run` prints them.
std::string describe_plan(const Study& study, const StageOptions& options, const PlanOptions& plan,
                          const ResolvedDeck& deck, int ranks);

// Loads the study and runs the stages of `command` ("study": all, and the report) that are not done. Collective.
// Throws Error(usage) where an earlier stage that the command does not run is not done.
void run_study(const std::string& command, Study& study, const StageOptions& options, const PlanOptions& plan,
               const ResolvedDeck& deck, const comm::Communicator& comm, const std::function<bool()>& stop_requested);

}  // namespace rlaif::stages
