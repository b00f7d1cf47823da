// A judge whose verdicts were recorded.
//   const auto judge = make_replay_judge("people", {.file = "verdicts.jsonl"});
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "rlaif/judge/judge.hpp"

namespace rlaif::judge {

// Recorded verdicts: JSON Lines of {"pair_id": text, "judge": text, "style": text, "order": "ab" | "ba", "verdict": "a" |
// "b" | "tie" | null, "raw": text | null, "finish": text | null}, "raw" and "finish" optional, further keys ignored.
// "verdict" is in the pair's own frame, "ab" is first shown first. null is unparseable, or by `finish`: "length" truncated,
// "content_filter" filtered, "refusal" refused.
struct ReplayOptions {
  std::filesystem::path file;
  std::string judge, style;  // which records; may be empty where the file holds one only
  Orders orders = Orders::both;
  std::function<std::string(const Comparison&)> pair_id;  // absent: the comparison's id as digits
};
// Throws Error(input) naming file and line: a missing or wrong field, a second record for a pair and order; naming the
// file: nothing recorded for judge and style, or several where none was named. A comparison without a record is missing.
std::unique_ptr<Judge> make_replay_judge(std::string name, ReplayOptions options);

}  // namespace rlaif::judge
