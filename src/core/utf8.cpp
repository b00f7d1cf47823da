#include "rlaif/core/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "rlaif/core/error.hpp"

namespace rlaif {
namespace {

// Rows of table 3-7: how long a sequence with this lead byte is, and what its second byte may be.
struct LeadByte {
  std::size_t length = 0;
  unsigned char second_low = 0x80, second_high = 0xBF;
};

LeadByte lead_byte(unsigned char lead) {
  if (lead < 0x80) return {1};
  if (lead < 0xC2) return {0};
  if (lead < 0xE0) return {2};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

// Eight bytes at a time: most texts are ASCII for long stretches.
std::size_t skip_ascii(std::string_view bytes, std::size_t at) {
  for (std::uint64_t eight; at + sizeof eight <= bytes.size(); at += sizeof eight) {
    std::memcpy(&eight, bytes.data() + at, sizeof eight);
    if (eight & 0x8080808080808080u) break;
  }
  while (at < bytes.size() && static_cast<unsigned char>(bytes[at]) < 0x80) ++at;
  return at;
}

}  // namespace

Utf8Step decode_utf8(std::string_view bytes) {
  RLAIF_CHECK(!bytes.empty(), "decode_utf8 needs at least one byte");
  const auto lead = static_cast<unsigned char>(bytes[0]);
  const LeadByte rule = lead_byte(lead);
  if (rule.length == 0) return {0, 1, false};
  if (rule.length == 1) return {lead, 1, true};
  char32_t code = lead & (0x7Fu >> rule.length);
  for (std::size_t i = 1; i < rule.length; ++i) {
    if (i >= bytes.size()) return {0, i, false};
    const auto next = static_cast<unsigned char>(bytes[i]);
    const bool fits = i == 1 ? next >= rule.second_low && next <= rule.second_high : (next & 0xC0u) == 0x80u;
    if (!fits) return {0, i, false};
    code = (code << 6) | (next & 0x3Fu);
  }
  return {code, rule.length, true};
}

std::size_t first_invalid_utf8(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    at = skip_ascii(bytes, at);
    if (at == bytes.size()) break;
    const Utf8Step step = decode_utf8(bytes.substr(at));
    if (!step.valid) return at;
    at += step.length;
  }
  return at;
}

bool is_valid_utf8(std::string_view bytes) { return first_invalid_utf8(bytes) == bytes.size(); }

std::string replace_invalid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t good = first_invalid_utf8(bytes);
    out.append(bytes.substr(0, good));
    bytes.remove_prefix(good);
    if (bytes.empty()) break;
    out.append("\xEF\xBF\xBD");
    bytes.remove_prefix(decode_utf8(bytes).length);
  }
  return out;
}

std::size_t count_characters(std::string_view bytes) {
  std::size_t count = 0;
  for (; !bytes.empty(); ++count) bytes.remove_prefix(decode_utf8(bytes).length);
  return count;
}

void append_utf8(std::string& out, char32_t code) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | (code >> 6));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

bool is_white_space(char32_t code) {
  return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F ||
         code == 0x3000;
}

std::size_t previous_character(std::string_view text, std::size_t end) {
  std::size_t at = end - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u) --at;
  return at;
}

std::size_t skip_spaces_left(std::string_view text, std::size_t end) {
  while (end > 0) {
    const std::size_t at = previous_character(text, end);
    if (!is_white_space(decode_utf8(text.substr(at)).code)) break;
    end = at;
  }
  return end;
}

std::size_t skip_spaces_right(std::string_view text, std::size_t begin) {
  while (begin < text.size()) {
    const Utf8Step step = decode_utf8(text.substr(begin));
    if (!is_white_space(step.code)) break;
    begin += step.length;
  }
  return begin;
}

std::string one_line(std::string_view text, std::size_t most) {
  std::size_t end = std::min(text.size(), most);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  std::string line(text.substr(0, end));
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  return end < text.size() ? line + "..." : line;
}

}  // namespace rlaif
