// What --help prints.
#pragma once

#include <string>
#include <vector>

#include "rlaif/core/option_table.hpp"

namespace rlaif::cli {

struct CommandHelp {
  std::string name;
  std::string usage;                  // after "rlaif "
  std::string summary;                // one line
  std::string detail;                 // a few lines, may be empty
  std::vector<std::string> sections;  // of the deck that it reads; "*": all
};
const std::vector<CommandHelp>& command_helps();
const CommandHelp* find_command(const std::string& name);

std::string program_help();
std::string command_help(const CommandHelp& command, const OptionTable& table);

}  // namespace rlaif::cli
