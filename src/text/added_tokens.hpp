// Finding added tokens in a text before it is pre-tokenized.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "rlaif/text/tokenizer.hpp"

namespace rlaif::text {

struct Segment {
  std::optional<TokenId> token;  // nothing: plain text
  std::string_view text;
};

// Leftmost, then longest, as the reference library matches them: tokens that are not to be normalized go first over
// the whole text, the others over what is left.
class AddedTokenMatcher {
 public:
  AddedTokenMatcher() = default;
  explicit AddedTokenMatcher(const std::vector<AddedToken>& tokens);
  std::vector<Segment> segments(std::string_view text, SpecialText special) const;

 private:
  using Group = std::array<std::vector<AddedToken>, 256>;  // by first byte, longest first
  static void split(const Group& group, std::string_view text, SpecialText special, std::vector<Segment>& out);
  std::array<Group, 2> groups_;  // not normalized, normalized
  std::array<bool, 2> in_use_{};
};

}  // namespace rlaif::text
