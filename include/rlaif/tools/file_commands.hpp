// Commands that read a file of the user's and write one: completions of prompts, verdicts on pairs.
#pragma once

#include <filesystem>
#include <string>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/core/resolved_deck.hpp"
#include "rlaif/study/study.hpp"

namespace rlaif::tools {

struct IoOptions {
  std::filesystem::path input, output;
  std::string model = "sft";
  std::string judge;
  int samples = 1;
  double temperature = 1.0;
  int top_k = 0;
  double top_p = 1.0;
  int max_new_tokens = 40;
};
void bind_io(OptionTable& table, IoOptions& options);

// `rlaif generate`: io.samples completions of every prompt of io.input by io.model -> io.output.
// `rlaif judge`: verdicts of io.judge on the pairs of io.input -> io.output. The order of the input is kept. Both load
// the study.
void run_generate_command(Study& study, const IoOptions& io, const ResolvedDeck& deck, const comm::Communicator& comm);
void run_judge_command(Study& study, const IoOptions& io, const ResolvedDeck& deck, const comm::Communicator& comm);

}  // namespace rlaif::tools
