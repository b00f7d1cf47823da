// Decks (run/deck_file.hpp) and the command line: command line beats deck beats default; unknown keys fail.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rlaif/core/option_table.hpp"
#include "rlaif/run/deck_file.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/stages/resources.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/study.hpp"
#include "rlaif/tools/calibrate.hpp"
#include "rlaif/tools/file_commands.hpp"

namespace rlaif::cli {

// A command line taken apart: rlaif <command> [words] [--section.key=value ...] [--flags].
struct CommandLine {
  std::string command;
  std::vector<std::string> words;           // deck, files, sub-commands
  std::map<std::string, std::string> keys;  // with a dot in the name
  bool help = false, dry_run = false, version = false;
  std::map<std::string, std::string> flags;  // --count N and the like, that some command declares (cli/help.hpp)
  std::string flag_or(const std::string& name, const std::string& otherwise) const;
  // Throws Error(usage) for what is not a number of at least `least`.
  double number_or(const std::string& name, double otherwise, double least) const;
};
CommandLine parse_command_line(int argc, const char* const* argv);

// What deck and command line say over the defaults: a study, what stages and commands are told, and the table of the
// keys that they are bound to.
struct Resolved {
  study::Study study;
  stages::StageOptions stages;
  stages::PlanOptions plan;
  std::vector<std::shared_ptr<stages::Algorithm>> algorithms;  // bound to the sections of their names
  tools::IoOptions io;
  tools::CalibrateOptions calibrate;
  OptionTable table;
  ResolvedDeck deck;
};
std::unique_ptr<Resolved> resolve(const std::filesystem::path& deck_file, const CommandLine& line);
// The same of a deck that was read before; `over` beats the deck, with paths relative to it too.
std::unique_ptr<Resolved> resolve_keys(const run::DeckFile& deck, const CommandLine& line,
                                       const std::map<std::string, std::string>& over = {});

// The sections of the study's arms, rounds, data sets, judges and writers: arm.rlaif, judge.ai.
std::vector<std::string> named_sections(const study::Study& study);
// Whether a key of an included deck is of an arm, round, data set, judge or writer that the study, whose `sections` these are,
// does not have: who includes a deck may name other ones in their place.
bool is_set_aside(const run::DeckFile& deck, const std::string& key, const run::DeckValue& value,
                  const std::vector<std::string>& sections);

// The text of a key in a deck, its comment off. Numbers and names from a list have no '#', so that "8 #eight" is 8 too;
// in a sentence nobody can tell which it is: an Error(usage).
std::string deck_text_of(const OptionTable& table, const std::string& key, const run::DeckValue& value);

// Registers every key in the table. The lists of [study] have been read before: they say which sections there are.
void register_options(Resolved& resolved);

// "ai people" -> names; each must be letters, digits, '-' or '_' and stand once.
std::vector<std::string> parse_names(const std::string& key, const std::string& text);

}  // namespace rlaif::cli
