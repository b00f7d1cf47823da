// What a reasoning model writes before its answer is no answer: <think>...</think> and its kin, in the text of the answer.
//
//   answer_after_thoughts("<think>Verdict: B? No.</think>\nVerdict: A").text == "\nVerdict: A"
#pragma once

#include <cstddef>
#include <string_view>

namespace rlaif::text {

struct ThoughtfulAnswer {
  std::string_view text;     // what follows the last thought: all where there is none
  bool is_thinking = false;  // a thought at its beginning is not closed: the answer never came, and `text` is empty
};

// Marks: <think>, <thinking>, <thought>, <thoughts>, <reasoning>, <reflection>, <scratchpad>, <seed:think> in any case, [THINK],
// the signs that Kimi and gpt-oss write where nobody parses them. A closing mark without an opening one ends a thought that began
// before the text (chat templates open it). Marks that an answer quotes, in quotation marks, in backticks, in a code fence or
// in a line with '>', are none; an opening mark within an answer begins a thought only where it is closed.
ThoughtfulAnswer answer_after_thoughts(std::string_view text);

}  // namespace rlaif::text
