// Commands about files and the machine: preferences, world, constitution, info.
#pragma once

#include <string>

#include "rlaif/cli/deck.hpp"
#include "rlaif/comm/communicator.hpp"

namespace rlaif::cli {

// These run on one rank and print to standard output. Errors: usage for wrong words, input for bad files.
void run_preferences_command(const CommandLine& line);
void run_world_command(const CommandLine& line);
void run_constitution_command(const CommandLine& line);

// Collective: versions, ranks, hosts and devices.
void run_info_command(const CommandLine& line, const comm::Communicator& comm);

// The word at `index` after the command; throws Error(usage) saying that `what` was expected.
const std::string& word(const CommandLine& line, std::size_t index, const std::string& what);
// Throws Error(usage) where there are more than `count`.
void no_more_words(const CommandLine& line, std::size_t count);

// The number behind a flag. Throws Error(usage) where it is not whole, or beyond `least` and `most`.
double whole_number(const CommandLine& line, const std::string& flag, double otherwise, double least,
                    double most = 9007199254740992.0);

std::string unknown_command_message(const std::string& command);

}  // namespace rlaif::cli
