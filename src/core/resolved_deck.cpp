#include "rlaif/core/resolved_deck.hpp"

#include "rlaif/core/files.hpp"

namespace rlaif {

std::string ResolvedDeck::canonical() const {
  std::string text;
  for (const Entry& entry : entries) {
    if (entry.results) text += entry.key + " = " + entry.text + "\n";
  }
  for (const auto& [key, sum] : inputs) text += "checksum of " + key + " = " + sum + "\n";
  return text;
}

std::string ResolvedDeck::hash() const { return hex(checksum(canonical())); }

}  // namespace rlaif
