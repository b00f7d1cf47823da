// Which tokens end a response: one answer for generation, training, judges, evaluation and the files that are saved.
//
//   EndTokens ends({im_end, endoftext});   // the chat template's end of a turn first
//   ends.written();                        // im_end: what training puts behind a response
//   ends.contains(drawn);                  // whether a response is over
#pragma once

#include <algorithm>
#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/core/types.hpp"

namespace rlaif {

// Ids in the order of their weight, each once. Every one of them ends a response when it is drawn; the first is the one
// that is written behind a response that somebody else made.
class EndTokens {
 public:
  EndTokens() = default;
  explicit EndTokens(const std::vector<TokenId>& ids) { add(ids); }

  void add(const std::vector<TokenId>& ids) {
    for (const TokenId id : ids) {
      if (!contains(id)) ids_.push_back(id);
    }
  }
  bool empty() const { return ids_.empty(); }
  bool contains(TokenId id) const { return std::find(ids_.begin(), ids_.end(), id) != ids_.end(); }
  TokenId written() const {
    RLAIF_CHECK(!empty(), "a model that knows what ends its responses");
    return ids_.front();
  }
  const std::vector<TokenId>& ids() const { return ids_; }
  bool operator==(const EndTokens&) const = default;

 private:
  std::vector<TokenId> ids_;
};

}  // namespace rlaif
