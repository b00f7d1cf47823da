// Price tables: what labels and tokens cost.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "rlaif/core/types.hpp"

namespace rlaif::cost {

struct Price {
  std::string name;    // "human-label", "ai-label", ...
  std::string as_of;   // ISO date the price was noted
  std::string source;  // where it was read
  double per_label_usd = 0.0;
  double input_per_million_usd = 0.0;
  double cached_input_per_million_usd = 0.0;  // where the table has none: the price of uncached input
  double cache_write_per_million_usd =
      0.0;  // input that is kept in a cache for later; the same where the table has none
  double output_per_million_usd = 0.0;

  // Price of one labelled comparison with these tokens: input that a cache answered, or that went into one
  // (`cache_write_tokens` of usage.input_tokens), has its own price.
  double label_usd(const Usage& usage, std::int64_t cache_write_tokens = 0) const;
};

// A JSON file {"prices": [{...}]}. Throws Error(input) naming file and entry: unknown keys, negative or non-finite
// numbers, duplicate names.
class PriceTable {
 public:
  static PriceTable load(const std::filesystem::path& file);
  const Price& at(const std::string& name) const;  // throws Error(usage) naming the nearest known name
  const std::vector<Price>& entries() const { return prices_; }

 private:
  std::filesystem::path file_;
  std::vector<Price> prices_;
};

}  // namespace rlaif::cost
