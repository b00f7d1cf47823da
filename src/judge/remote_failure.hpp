// Requests without an answer: which end the run, and what the others are counted as.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "rlaif/core/error.hpp"
#include "rlaif/core/types.hpp"
#include "rlaif/judge/http.hpp"

namespace rlaif::judge {

// Who asked whom, for messages.
struct Asker {
  const std::string& judge;
  const std::string& url;
  const std::string& model;
  const std::string& key_variable;
  bool has_worked;  // the server has answered before: what fails now is no mistake of the set-up
};

struct Failures {
  std::optional<Error> fatal;  // the first
  std::size_t not_sent = 0;
  std::map<std::string, int> causes;

  // Counts a failure; the status that the comparison gets. Messages hold no key: the reply must hold none.
  VerdictStatus add(const HttpReply& reply, const Asker& asker);
  // "no answer to 3 (2 x HTTP 500, 1 x timed out)"; empty where there was none.
  std::string summary() const;
};

}  // namespace rlaif::judge
