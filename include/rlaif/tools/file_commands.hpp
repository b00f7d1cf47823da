// Commands that read a file of the user's and write one: completions of prompts, verdicts on pairs.
#pragma once

#include "rlaif/comm/communicator.hpp"
#include "rlaif/study/options.hpp"

namespace rlaif::tools {

void bind_io(OptionTable& table, IoOptions& options);

// `rlaif generate`: io.samples completions of every prompt of io.input by io.model -> io.output.
// `rlaif judge`: verdicts of io.judge on the pairs of io.input -> io.output. The order of the input is kept.
void run_generate_command(const StudyOptions& options, const ResolvedDeck& deck, const comm::Communicator& comm);
void run_judge_command(const StudyOptions& options, const ResolvedDeck& deck, const comm::Communicator& comm);

}  // namespace rlaif::tools
