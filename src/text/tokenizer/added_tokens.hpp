// Finding added tokens in a text before it is pre-tokenized.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "normalizer.hpp"
#include "pre_tokenizer.hpp"
#include "rlaif/text/tokenizer.hpp"

namespace rlaif::text {

struct Segment {
  std::optional<TokenId> token;  // nothing: plain text
  std::string_view text;         // normalized where it is plain; seen only during its call
  Place place = Place::later;
};

// Part of a text, by its bytes.
struct ByteRange {
  std::size_t begin = 0, end = 0;
};

// Leftmost, then longest, as the reference library matches them: tokens that are not to be normalized go first over
// the whole text; what is left is normalized, piece by piece, and searched for the others in their normalized form.
class AddedTokenMatcher {
 public:
  AddedTokenMatcher() = default;
  AddedTokenMatcher(const std::vector<AddedToken>& tokens, const Normalizer& normalizer);

  using Visit = std::function<void(const Segment&)>;
  void for_each_segment(std::string_view text, SpecialText special, const Normalizer& normalizer, const Visit& f) const;
  // Special tokens count only where all of them lies in one of the ranges, which are in order; as the template of a
  // conversation is written, they are looked for before anything is normalized.
  void for_each_segment(std::string_view text, std::span<const ByteRange> control, const Normalizer& normalizer,
                        const Visit& f) const;

 private:
  struct Group {
    std::array<std::vector<AddedToken>, 256> tokens;  // by first byte, longest first
    bool in_use = false;
  };
  static void add(Group& group, AddedToken token);
  static void sort(Group& group);
  template <class Counts>
  static void split(const Group& group, std::string_view text, const Counts& counts, std::vector<Segment>& out);
  void visit_rest(const std::vector<Segment>& segments, std::string_view text, SpecialText special,
                  const Normalizer& normalizer, const Visit& f) const;

  Group raw_, normalized_, special_;  // special_: all special tokens as they are written
};

}  // namespace rlaif::text
