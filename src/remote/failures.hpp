// Requests without an answer: which end the run, and what the others are counted as.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "rlaif/core/error.hpp"
#include "rlaif/core/types.hpp"
#include "rlaif/remote/http.hpp"

namespace rlaif::remote {

// Who asked whom, for messages.
struct AskedServer {
  const std::string& who;  // "judge ai"
  const std::string& url;
  const std::string& model;
  const std::string& key_variable;
  bool has_worked;  // the server has answered before: that it cannot be reached now is no mistake of the set-up
};

// A question, by its place in the plan and by the texts it is about.
struct AskedAbout {
  std::size_t place = 0;
  std::uint64_t topic = 0;
};

// Of one call. What a server refuses in words that are not known may lie in one pair's texts, or in the set-up: a set-up that
// is wrong answers nobody. So it is looked at when all have been asked, whatever the order in which they came back.
struct Failures {
  std::optional<Error> fatal;  // the first that no other pair will be spared: key, money, TLS
  std::size_t not_sent = 0;
  std::map<std::string, int> causes;
  std::map<std::size_t, std::string> refused;  // by place: an error in words, to be thrown or shown
  std::set<std::uint64_t> refused_topics;

  // Counts a failure; the status that the comparison gets. Messages hold no key: the reply must hold none.
  VerdictStatus add(const HttpReply& reply, const AskedAbout& question, const AskedServer& asker);
  // "no answer to 3 (2 x HTTP 500, 1 x timed out)", with what was said to the first that was refused; empty where there was none.
  std::string summary() const;
};

}  // namespace rlaif::remote
