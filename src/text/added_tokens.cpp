#include "added_tokens.hpp"

#include <algorithm>

#include "regex.hpp"
#include "rlaif/text/utf8.hpp"

namespace rlaif::text {
namespace {

bool is_white_space(char32_t code) {
  return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F ||
         code == 0x205F || code == 0x3000;
}

// Unicode's word characters (UTS 18, annex C): Alphabetic, marks, digits, connectors, joiners.
bool starts_with_word(std::string_view text) {
  static const Regex word(
      R"([\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{200C}\x{200D}\x{24B6}-\x{24E9})"
      R"(\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}])");
  return !text.empty() && word.matches_at_start(text);
}

// Where the last character before `end` starts.
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

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  const bool free_left = begin == 0 || !starts_with_word(text.substr(previous_character(text, begin)));
  return free_left && !starts_with_word(text.substr(end));
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(const std::vector<AddedToken>& tokens) {
  for (const AddedToken& token : tokens) {
    groups_[token.normalized][static_cast<unsigned char>(token.content.at(0))].push_back(token);
    in_use_[token.normalized] = true;
  }
  for (Group& group : groups_) {
    for (auto& same_start : group) {
      std::stable_sort(same_start.begin(), same_start.end(),
                       [](const auto& a, const auto& b) { return a.content.size() > b.content.size(); });
    }
  }
}

void AddedTokenMatcher::split(const Group& group, std::string_view text, SpecialText special,
                              std::vector<Segment>& out) {
  std::size_t done = 0, at = 0;
  while (at < text.size()) {
    const auto& candidates = group[static_cast<unsigned char>(text[at])];
    const auto token = std::find_if(candidates.begin(), candidates.end(), [&](const AddedToken& candidate) {
      return text.substr(at).starts_with(candidate.content);
    });
    if (token == candidates.end()) {
      ++at;
      continue;
    }
    std::size_t begin = at, end = at + token->content.size();
    at = end;  // a token that was found and passed over hides what overlaps it, as in the reference
    if (token->special && special == SpecialText::as_text) continue;
    if (token->single_word && !stands_alone(text, begin, end)) continue;
    if (token->lstrip) begin = std::max(skip_spaces_left(text, begin), done);
    if (token->rstrip) end = skip_spaces_right(text, end);
    if (begin > done) out.push_back({std::nullopt, text.substr(done, begin - done)});
    out.push_back({token->id, text.substr(begin, end - begin)});
    done = end;
  }
  if (done < text.size()) out.push_back({std::nullopt, text.substr(done)});
}

std::vector<Segment> AddedTokenMatcher::segments(std::string_view text, SpecialText special) const {
  std::vector<Segment> segments{{std::nullopt, text}};
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    if (!in_use_[g]) continue;
    std::vector<Segment> finer;
    for (const Segment& segment : segments) {
      if (segment.token) {
        finer.push_back(segment);
      } else {
        split(groups_[g], segment.text, special, finer);
      }
    }
    segments = std::move(finer);
  }
  return segments;
}

}  // namespace rlaif::text
