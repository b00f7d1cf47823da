// Two runs beside each other: keys that differ, and results that differ, told apart or not.
//   std::cout << diff_text(diff_runs("runs/a", "runs/b"));
#pragma once

#include <filesystem>
#include <string>

#include "rlaif/core/json.hpp"

namespace rlaif::tools {

// {"first", "second": folders, "keys", "other_settings": [{"key", "first", "second"}],
//  "results": [{"policy", "number", "first", "second", "difference": {"value", "low", "high"}, "paired", "told_apart"}],
//  "only_first", "only_second": policies, "notes": [...]}
//
// Numbers are those of evaluation/*.jsonl, by prompt; paired where both runs asked the same held-out prompts. "win_rate" of a
// policy is how often the second run's is better than the first run's on the same prompt, less one half. Throws Error(input) for
// what is no run directory.
Json diff_runs(const std::filesystem::path& first, const std::filesystem::path& second);
std::string diff_text(const Json& diff);

}  // namespace rlaif::tools
