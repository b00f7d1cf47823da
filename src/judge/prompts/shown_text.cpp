#include "rlaif/judge/prompts/shown_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "rlaif/core/utf8.hpp"

namespace rlaif::judge {
namespace {

constexpr std::size_t longest_name = 64;
constexpr std::string_view full_width_bar = "\xEF\xBD\x9C";  // U+FF5C

// Marks without a form in common, less their first character.
constexpr std::array named_marks = std::to_array<std::string_view>({"INST]",
                                                                    "/INST]",
                                                                    "<SYS>>",
                                                                    "</SYS>>",
                                                                    "s>",
                                                                    "/s>",
                                                                    "bos>",
                                                                    "eos>",
                                                                    "pad>",
                                                                    "unk>",
                                                                    "sop>",
                                                                    "eop>",
                                                                    "gMASK]",
                                                                    "BOS_TOKEN>",
                                                                    "EOS_TOKEN>",
                                                                    "seed:bos>",
                                                                    "seed:eos>",
                                                                    "start_of_turn>",
                                                                    "end_of_turn>",
                                                                    "end_of_utterance>",
                                                                    "SYSTEM_PROMPT]",
                                                                    "/SYSTEM_PROMPT]",
                                                                    "AVAILABLE_TOOLS]",
                                                                    "/AVAILABLE_TOOLS]",
                                                                    "TOOL_CALLS]",
                                                                    "TOOL_RESULTS]",
                                                                    "/TOOL_RESULTS]",
                                                                    "TOOL_CONTENT]",
                                                                    "/TOOL_CONTENT]",
                                                                    "THINK]",
                                                                    "/THINK]"});

struct Range {
  char32_t first, last;
};
template <std::size_t n>
bool is_in(char32_t code, const std::array<Range, n>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [code](const Range& range) { return code >= range.first && code <= range.last; });
}

constexpr char32_t zero_width_non_joiner = 0x200C, zero_width_joiner = 0x200D, black_flag = 0x1F3F4,
                   cancel_tag = 0xE007F;
bool is_joiner(char32_t code) { return code == zero_width_non_joiner || code == zero_width_joiner; }
bool is_tag(char32_t code) { return code >= 0xE0000 && code <= cancel_tag; }
bool is_selector(char32_t code) { return (code >= 0xFE00 && code <= 0xFE0F) || (code >= 0xE0100 && code <= 0xE01EF); }

// Nobody sees them, wherever they stand.
constexpr std::array hidden = std::to_array<Range>({{0x0, 0x8},
                                                    {0xB, 0xC},
                                                    {0xE, 0x1F},
                                                    {0x7F, 0x9F},
                                                    {0x61C, 0x61C},
                                                    {0x180E, 0x180E},
                                                    {0x200B, 0x200B},
                                                    {0x200E, 0x200F},
                                                    {0x202A, 0x202E},
                                                    {0x2060, 0x2069},
                                                    {0xFEFF, 0xFEFF},
                                                    {0xFFF9, 0xFFFB}});
// Of what is hidden or may be: what shown_text writes in angle brackets, and so what it must not leave as it stands.
bool may_be_hidden(char32_t code) {
  return is_in(code, hidden) || is_joiner(code) || is_tag(code) || is_selector(code);
}

// Scripts whose letters join, where joiners change what is written: Arabic to Mandaic, those of India to Myanmar,
// Khmer, Mongolian, of the islands, and the forms of Arabic.
constexpr std::array joining = std::to_array<Range>({{0x600, 0x8FF},
                                                     {0x900, 0x109F},
                                                     {0x1780, 0x18AF},
                                                     {0x1900, 0x1CFF},
                                                     {0xA840, 0xA9FF},
                                                     {0xAA00, 0xAADF},
                                                     {0xABC0, 0xABFF},
                                                     {0xFB50, 0xFDFF},
                                                     {0xFE70, 0xFEFE},
                                                     {0x10A00, 0x11FFF},
                                                     {0x1E900, 0x1E95F}});
constexpr std::array emoji = std::to_array<Range>({{0x203C, 0x203C},
                                                   {0x2049, 0x2049},
                                                   {0x2122, 0x2122},
                                                   {0x2139, 0x2139},
                                                   {0x2190, 0x21FF},
                                                   {0x2300, 0x23FF},
                                                   {0x2460, 0x24FF},
                                                   {0x25A0, 0x27BF},
                                                   {0x2900, 0x297F},
                                                   {0x2B00, 0x2BFF},
                                                   {0x3030, 0x303D},
                                                   {0x3297, 0x3299},
                                                   {0x1F000, 0x1FAFF},
                                                   {0xFE0F, 0xFE0F}});

// A character, and what stands before and after it (0: nothing).
bool is_hidden(char32_t code, char32_t before, char32_t after) {
  if (is_in(code, hidden)) return true;
  if (is_joiner(code))
    return is_joiner(before) || !(is_in(before, joining) || is_in(after, joining) || is_in(before, emoji));
  if (is_selector(code)) {
    const bool is_keycap = (before >= '0' && before <= '9') || before == '#' || before == '*';
    return (before < 0x80 && !is_keycap) || may_be_hidden(before);
  }
  return is_tag(code);
}

// Bytes of the tags that make a flag of a region, behind the black flag: three to six letters or digits and their end.
std::size_t flag_tags(std::string_view text) {
  std::size_t bytes = 0;
  for (int count = 0; count <= 6 && bytes < text.size(); ++count) {
    const Utf8Step step = decode_utf8(text.substr(bytes));
    if (!step.valid) return 0;
    bytes += step.length;
    if (step.code == cancel_tag) return count >= 3 ? bytes : 0;
    const char32_t letter = step.code - 0xE0000;
    if (!(letter >= 'a' && letter <= 'z') && !(letter >= '0' && letter <= '9')) return 0;
  }
  return 0;
}

bool is_name(unsigned char c) {
  return c > ' ' && c != 0x7F && c != '<' && c != '>' && c != '|' && c != '[' && c != ']';
}
bool is_plain_name(unsigned char c) { return is_name(c) && c < 0x80; }

template <class Is>
std::size_t name_at(std::string_view text, const Is& is) {
  std::size_t size = 0;
  while (size < text.size() && is(static_cast<unsigned char>(text[size]))) ++size;
  return size <= longest_name ? size : 0;
}

// "|im_end|>", "|turn>" and "turn|>".
bool is_barred_mark(std::string_view rest) {
  if (rest.starts_with('|')) {
    const std::size_t name = name_at(rest.substr(1), is_name);
    const std::string_view end = rest.substr(1 + name);
    return name > 0 &&
           (end.starts_with("|>") || (end.starts_with('>') && name_at(rest.substr(1), is_plain_name) == name));
  }
  if (rest.starts_with(full_width_bar)) {
    // The bytes of a name may be those of the bar.
    const std::string_view inside = rest.substr(full_width_bar.size());
    const std::size_t name = inside.find(full_width_bar);
    return name != std::string_view::npos && name > 0 && name <= longest_name && name_at(inside, is_name) >= name &&
           inside.substr(name + full_width_bar.size()).starts_with('>');
  }
  const std::size_t name = name_at(rest, is_plain_name);
  return name > 0 && rest.substr(name).starts_with("|>");
}

// "U+202E>" of a character that may be hidden, and "0xFF>".
bool is_written_mark(std::string_view rest) {
  const bool is_byte = rest.starts_with("0x");
  if (!is_byte && !rest.starts_with("U+")) return false;
  std::uint32_t code = 0;
  std::size_t at = 2;
  for (; at < rest.size() && at < 8; ++at) {
    const char c = rest[at];
    if ((c < '0' || c > '9') && (c < 'A' || c > 'F')) break;
    code = code * 16 + static_cast<std::uint32_t>(c <= '9' ? c - '0' : c - 'A' + 10);
  }
  if (at >= rest.size() || rest[at] != '>') return false;
  return is_byte ? at == 4 && code >= 0x80 : at >= 6 && may_be_hidden(code) && (at == 6 || rest[2] != '0');
}

// At the first character of a mark that may be broken already: spaces may stand behind it.
bool is_mark(std::string_view text) {
  if (text.empty() || (text.front() != '<' && text.front() != '[')) return false;
  const std::size_t name = text.find_first_not_of(' ', 1);
  if (name == std::string_view::npos) return false;
  const std::string_view rest = text.substr(name);
  const char closing = text.front() == '<' ? '>' : ']';
  for (const std::string_view mark : named_marks)
    if (mark.back() == closing && rest.starts_with(mark)) return true;
  return text.front() == '<' && (is_barred_mark(rest) || is_written_mark(rest));
}

char32_t code_at(std::string_view text) {
  const Utf8Step step = text.empty() ? Utf8Step{} : decode_utf8(text);
  return step.valid ? step.code : 0;
}

}  // namespace

std::string shown_text(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  char32_t before = 0;  // the character before, as it came
  while (!text.empty()) {
    const Utf8Step step = decode_utf8(text);
    std::size_t taken = step.valid ? step.length : 1;
    if (!step.valid) {
      shown += fmt::format("<0x{:02X}>", static_cast<unsigned char>(text.front()));
    } else if (const std::size_t tags = before == black_flag && is_tag(step.code) ? flag_tags(text) : 0; tags > 0) {
      shown += text.substr(0, taken = tags);
    } else if (is_hidden(step.code, before, code_at(text.substr(taken)))) {
      shown += fmt::format("<U+{:04X}>", static_cast<unsigned>(step.code));
    } else {
      shown += text.substr(0, taken);
      if (is_mark(text)) shown += ' ';
    }
    before = step.valid ? step.code : 0xFFFD;
    text.remove_prefix(taken);
  }
  return shown;
}

}  // namespace rlaif::judge
