#include "rlaif/text/thoughts.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

#include "rlaif/text/blanks.hpp"

namespace rlaif::text {
namespace {

struct Marks {
  std::string_view open, close;
};
// In small letters. Which mark closes a thought that another one opened does not matter: models mix them.
constexpr std::array thought_marks =
    std::to_array<Marks>({{"<think>", "</think>"},
                          {"<thinking>", "</thinking>"},
                          {"<thought>", "</thought>"},
                          {"<thoughts>", "</thoughts>"},
                          {"<reasoning>", "</reasoning>"},
                          {"<reflection>", "</reflection>"},
                          {"<scratchpad>", "</scratchpad>"},
                          {"<seed:think>", "</seed:think>"},
                          {"[think]", "[/think]"},
                          {"\xE2\x97\x81think\xE2\x96\xB7", "\xE2\x97\x81/think\xE2\x96\xB7"},
                          {"<|begin_of_thought|>", "<|end_of_thought|>"},
                          {"<|channel|>analysis<|message|>", "<|channel|>final<|message|>"},
                          {"<|channel>thought", "<channel|>"}});

constexpr std::array quotes = std::to_array<Marks>({{"\"", "\""},
                                                    {"'", "'"},
                                                    {"`", "`"},
                                                    {"\xE2\x80\x9C", "\xE2\x80\x9D"},  // U+201C, U+201D
                                                    {"\xE2\x80\x98", "\xE2\x80\x99"},  // U+2018, U+2019
                                                    {"\xC2\xAB", "\xC2\xBB"}});        // U+00AB, U+00BB

// `small` has the text's length, with ASCII letters in small.
class ThoughtReader {
 public:
  explicit ThoughtReader(std::string_view text) : small_(text) {
    lines_.push_back(0);
    for (std::size_t at = 0; at < small_.size(); ++at) {
      char& c = small_[at];
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (c == '\n') lines_.push_back(at + 1);
      if (c == '`') ticks_.push_back(at);
    }
    for (const std::size_t line : lines_)
      if (is_fence(line)) fences_.push_back(line);
  }

  // Where the answer begins; npos where a thought does not end.
  std::size_t answer() const {
    std::size_t begin = 0;
    while (true) {
      const std::size_t opened = after_opening(begin);
      const bool is_thinking = opened != std::string::npos;
      const std::size_t closed = after_closing(is_thinking ? opened : begin, is_thinking ? std::string::npos : begin);
      if (closed == std::string::npos) return is_thinking ? std::string::npos : begin;
      begin = closed;
    }
  }

 private:
  // Past the opening mark that the text begins with at `from`, white space aside; npos where there is none.
  std::size_t after_opening(std::size_t from) const {
    while (from < small_.size() && is_blank(small_[from])) ++from;
    for (const Marks& one : thought_marks)
      if (small_.compare(from, one.open.size(), one.open) == 0) return from + one.open.size();
    return std::string::npos;
  }

  // Past the first closing mark from `from` on that is not quoted. Code fences are read where the answer began at `answer`; a
  // thought (npos) leaves them open.
  std::size_t after_closing(std::size_t from, std::size_t answer) const {
    for (std::size_t at = from; at < small_.size(); ++at) {
      if (small_[at] != '<' && small_[at] != '[' && static_cast<unsigned char>(small_[at]) != 0xE2) continue;
      for (const Marks& one : thought_marks) {
        if (small_.compare(at, one.close.size(), one.close) != 0) continue;
        const std::size_t end = at + one.close.size();
        if (!is_quoted(at, end) && (answer == std::string::npos || !is_fenced(answer, at, end))) return end;
      }
    }
    return std::string::npos;
  }

  bool is_quoted(std::size_t begin, std::size_t end) const {
    const std::string_view before = std::string_view(small_).substr(0, begin),
                           after = std::string_view(small_).substr(end);
    for (const Marks& quote : quotes)
      if (before.ends_with(quote.open) && after.starts_with(quote.close)) return true;
    const auto line = std::lower_bound(lines_.begin(), lines_.end(), begin + 1);  // the one after
    const std::size_t line_begin = *(line - 1), line_end = line == lines_.end() ? small_.size() : *line;
    const std::size_t first = small_.find_first_not_of(" \t", line_begin);
    if (small_[first] == '>') return true;
    const auto tick = [this](std::size_t at) { return std::lower_bound(ticks_.begin(), ticks_.end(), at); };
    return (tick(begin) - tick(line_begin)) % 2 == 1 && tick(end) < tick(line_end);
  }

  // Between two lines of ``` of which the first opens a fence and the second closes it.
  bool is_fenced(std::size_t from, std::size_t begin, std::size_t end) const {
    const auto next = std::lower_bound(fences_.begin(), fences_.end(), end);
    const auto before = std::lower_bound(fences_.begin(), fences_.end(), begin) -
                        std::lower_bound(fences_.begin(), fences_.end(), from);
    return before % 2 == 1 && next != fences_.end() && is_bare_fence(*next);
  }

  bool is_fence(std::size_t line) const {
    const std::size_t first = small_.find_first_not_of(" \t", line);
    return first != std::string::npos && small_.compare(first, 3, "```") == 0;
  }
  bool is_bare_fence(std::size_t line) const {
    const std::string_view rest = std::string_view(small_).substr(line, small_.find('\n', line) - line);
    return rest.find_first_not_of(" \t\r`") == std::string_view::npos;
  }

  std::string small_;
  std::vector<std::size_t> lines_, ticks_, fences_;  // where lines begin, backticks, lines that begin with ```
};

}  // namespace

ThoughtfulAnswer answer_after_thoughts(std::string_view text) {
  const std::size_t begin = ThoughtReader(text).answer();
  if (begin == std::string::npos) return {text.substr(text.size()), true};
  return {text.substr(begin), false};
}

}  // namespace rlaif::text
