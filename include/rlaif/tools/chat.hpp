// Talking to a model, or to two side by side without knowing which is which.
//   const ChatOptions options{.models = {"runs/demo/models/rlaif"}};
//   chat(options, std::cin, std::cout, isatty(0));
//
// A line is a turn of the user's; an empty one begins a new conversation. Answers appear as they are drawn. With two models each turn
// is answered by both, in an order drawn by seed and turn; the next line is a vote, a, b, t (a tie) or s (none), and the
// conversation goes on with the answer that was preferred. Votes are kept as labelled pairs in the form that `rlaif convert` and
// maker = recorded read; which model was which is told at the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace rlaif::tools {

struct ChatOptions {
  std::vector<std::filesystem::path> models;  // one or two folders
  std::filesystem::path votes;                // a file of JSON Lines that grows; empty: votes are counted alone
  std::string system;
  double temperature = 0.7;
  int max_new_tokens = 256;
  std::uint64_t seed = 0;
};

// Until the input ends. `is_spoken`: prompts such as "you> " are printed. Throws Error(input) for a folder that holds no model,
// Error(usage) for a line that is no vote where one was expected and the input is no terminal.
void chat(const ChatOptions& options, std::istream& in, std::ostream& out, bool is_spoken);

}  // namespace rlaif::tools
