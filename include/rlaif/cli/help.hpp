// What --help prints: of the program, of a command, of a key.
//   std::cout << command_help(*find_command("study"), resolved->table);
#pragma once

#include <string>
#include <vector>

#include "rlaif/core/option_table.hpp"

namespace rlaif::cli {

// A flag that a command takes beside keys: --count N. What is not declared is refused.
struct Flag {
  std::string name;
  std::string value;  // what stands for its value in help; empty: it takes none
  std::string meaning;
};
struct CommandHelp {
  std::string name;
  std::string usage;                  // after "rlaif "
  std::string summary;                // one line
  std::string detail;                 // a few lines, may be empty
  std::vector<std::string> sections;  // of the deck that it reads; "*": all
  std::vector<Flag> flags = {};
  std::vector<std::string> actions = {};   // the first word, where it is one of a few
  std::vector<std::string> examples = {};  // whole command lines, with a comment behind '#'
  bool takes_deck() const { return usage.find("DECK") != std::string::npos; }
};
const std::vector<CommandHelp>& command_helps();
const CommandHelp* find_command(const std::string& name);
// Flags of all commands, each once.
std::vector<Flag> all_flags();

std::string program_help();
std::string command_help(const CommandHelp& command, const OptionTable& table);
// " [steps, at least 1]"
std::string unit_and_range(const OptionTable::Entry& entry);

}  // namespace rlaif::cli
