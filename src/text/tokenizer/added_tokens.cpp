#include "added_tokens.hpp"

#include <algorithm>

#include "regex.hpp"
#include "rlaif/core/utf8.hpp"

namespace rlaif::text {
namespace {

// Unicode's word characters (UTS 18, annex C): Alphabetic, marks, digits, connectors, joiners.
bool starts_with_word(std::string_view text) {
  static const Regex word(R"([\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{200C}\x{200D}\x{24B6}-\x{24E9})"
                          R"(\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}])");
  return !text.empty() && word.matches_at_start(text);
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  const bool free_left = begin == 0 || !starts_with_word(text.substr(previous_character(text, begin)));
  return free_left && !starts_with_word(text.substr(end));
}

}  // namespace

void AddedTokenMatcher::add(Group& group, AddedToken token) {
  if (token.content.empty()) return;  // nothing is left of it in normalized form
  group.tokens[static_cast<unsigned char>(token.content.front())].push_back(std::move(token));
  group.in_use = true;
}

void AddedTokenMatcher::sort(Group& group) {
  for (auto& same_start : group.tokens) {
    std::stable_sort(same_start.begin(), same_start.end(),
                     [](const auto& a, const auto& b) { return a.content.size() > b.content.size(); });
  }
}

AddedTokenMatcher::AddedTokenMatcher(const std::vector<AddedToken>& tokens, const Normalizer& normalizer) {
  for (const AddedToken& token : tokens) {
    if (token.special) add(special_, token);
    if (token.normalized) {
      AddedToken changed = token;
      changed.content = normalizer.apply(token.content);
      add(normalized_, std::move(changed));
    } else {
      add(raw_, token);
    }
  }
  for (Group* group : {&raw_, &normalized_, &special_}) sort(*group);
}

// Appends what the group finds in the text and what lies between; counts(token, begin, end): whether a find stands.
template <class Counts>
void AddedTokenMatcher::split(const Group& group, std::string_view text, const Counts& counts,
                              std::vector<Segment>& out) {
  std::size_t done = 0, at = 0;
  while (at < text.size() && group.in_use) {
    const auto& candidates = group.tokens[static_cast<unsigned char>(text[at])];
    const auto token = std::find_if(candidates.begin(), candidates.end(), [&](const AddedToken& candidate) {
      return text.substr(at).starts_with(candidate.content);
    });
    if (token == candidates.end()) {
      ++at;
      continue;
    }
    std::size_t begin = at, end = at + token->content.size();
    at = end;  // a token that was found and passed over hides what overlaps it, as in the reference
    if (!counts(*token, begin, end)) continue;
    if (token->single_word && !stands_alone(text, begin, end)) continue;
    if (token->lstrip) begin = std::max(skip_spaces_left(text, begin), done);
    if (token->rstrip) end = skip_spaces_right(text, end);
    if (begin > done) out.push_back({std::nullopt, text.substr(done, begin - done)});
    out.push_back({token->id, text.substr(begin, end - begin)});
    done = end;
  }
  if (done < text.size()) out.push_back({std::nullopt, text.substr(done)});
}

void AddedTokenMatcher::visit_rest(const std::vector<Segment>& segments, std::string_view text, SpecialText special,
                                   const Normalizer& normalizer, const Visit& f) const {
  const auto counts = [&](const AddedToken& token, std::size_t, std::size_t) {
    return !token.special || special == SpecialText::as_tokens;
  };
  std::string normal;
  std::vector<Segment> pieces;
  for (const Segment& segment : segments) {
    if (segment.token) {
      f(segment);
      continue;
    }
    std::string_view plain = segment.text;
    if (!normalizer.empty()) plain = normal = normalizer.apply(plain);
    pieces.clear();
    split(normalized_, plain, counts, pieces);
    for (Segment& piece : pieces) {
      const bool first = segment.text.data() == text.data() && piece.text.data() == plain.data();
      piece.place = first ? Place::at_start : Place::later;
      f(piece);
    }
  }
}

void AddedTokenMatcher::for_each_segment(std::string_view text, SpecialText special, const Normalizer& normalizer,
                                         const Visit& f) const {
  std::vector<Segment> segments;
  split(
      raw_, text,
      [&](const AddedToken& token, std::size_t, std::size_t) {
        return !token.special || special == SpecialText::as_tokens;
      },
      segments);
  visit_rest(segments, text, special, normalizer, f);
}

void AddedTokenMatcher::for_each_segment(std::string_view text, std::span<const ByteRange> control,
                                         const Normalizer& normalizer, const Visit& f) const {
  const auto in_control = [&](const AddedToken&, std::size_t begin, std::size_t end) {
    return std::any_of(control.begin(), control.end(),
                       [&](const ByteRange& range) { return begin >= range.begin && end <= range.end; });
  };
  std::vector<Segment> outer, segments;
  split(special_, text, in_control, outer);
  for (const Segment& segment : outer) {
    if (segment.token) {
      segments.push_back(segment);
    } else {
      split(
          raw_, segment.text, [](const AddedToken& token, std::size_t, std::size_t) { return !token.special; },
          segments);
    }
  }
  visit_rest(segments, text, SpecialText::as_text, normalizer, f);
}

}  // namespace rlaif::text
