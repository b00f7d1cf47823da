// A deck as it was resolved: every key with the text that set it. A run directory is bound to the hash of those that decide
// results.
//   deck.hash();   // "a90d1c1e5b0c3f77": another one, and the directory is another run's
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace rlaif {

// `results` marks the keys that decide results; those are hashed, and a run directory is bound to them.
struct ResolvedDeck {
  struct Entry {
    std::string key, text;
    bool results = true;
  };
  std::vector<Entry> entries;                                          // in the order of registration
  std::vector<std::pair<std::string, std::string>> inputs;             // key of a path, checksum of the file it names
  std::vector<std::pair<std::string, std::filesystem::path>> missing;  // files that a plan expects and did not find
  std::string canonical() const;  // "key = text" lines of the keys that decide results, and inputs
  std::string hash() const;       // 16 hex digits
};

}  // namespace rlaif
