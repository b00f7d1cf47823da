// Every key that a deck may have, of every kind of judge, maker and algorithm, and what `rlaif help KEY` says of it.
//   std::cout << key_help("judge.ai.url");   // that of judge.NAME.url, for kind = openai and anthropic
#pragma once

#include <string>
#include <vector>

#include "rlaif/core/option_table.hpp"

namespace rlaif::cli {

struct KnownKey {
  std::string section;             // "judge.NAME"
  std::string name;                // "url"
  std::vector<std::string> where;  // "kind = openai": what gives a section this key; empty: the section always has it
  OptionTable::Entry entry;        // without its binding
  std::string key() const { return section + "." + name; }
};
// In the order of the resolved deck; keys that differ in default or meaning from kind to kind stand once for each.
const std::vector<KnownKey>& every_key();

// What a section is for, in a sentence: "judge.NAME" -> "a judge ...". Empty: an unknown one.
std::string section_about(const std::string& section);

// Text for a key ("judge.ai.url", "--ppo.steps=8"), the last part of keys ("url") or a section ("[ppo]", "judge"). Throws
// Error(usage) that names the nearest key, section or command.
std::string key_help(const std::string& word);

}  // namespace rlaif::cli
