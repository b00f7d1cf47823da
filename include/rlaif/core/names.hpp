// Names of what a table holds: the entry of one, and the nearest known one for messages about others.
//   const AlgorithmEntry& entry = entry_named(algorithms(), "algorithm", "arm.a.algorithm", "ppo");
#pragma once

#include <string>
#include <vector>

#include "rlaif/core/error.hpp"

namespace rlaif {

// The known name with the least edit distance (ties: the first). Empty where `known` is.
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

// "unknown key 'ppo.stps'; the nearest known one is 'ppo.steps'"
std::string unknown_name_message(const std::string& what, const std::string& name,
                                 const std::vector<std::string>& known);

// The entry of a table whose `name` is this. Throws Error(usage) naming `key`, what the table is of, and the nearest name.
template <class Entry>
const Entry& entry_named(const std::vector<Entry>& entries, const std::string& what, const std::string& key,
                         const std::string& name) {
  std::vector<std::string> known;
  for (const Entry& entry : entries) {
    if (entry.name == name) return entry;
    known.emplace_back(entry.name);
  }
  throw usage_error(key + ": " + unknown_name_message(what, name, known));
}

}  // namespace rlaif
