// A line of the store of paid answers (answer_cache.hpp): money held before a request, an answer, a failure.
//   if (const auto line = read_answer_line(text)) paid += line->kind == "answer" ? line->usd : 0.0;
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "rlaif/remote/answer_cache.hpp"

namespace rlaif::remote {

struct AnswerLine {
  RequestHash request;
  std::string_view kind;  // "sent", "answer" or "failed"
  double usd = 0.0;
};
// Takes a whole line apart without parsing its body. Nothing where it is not as it was written.
std::optional<AnswerLine> read_answer_line(std::string_view line);
// With its line break; `body` of an answer alone.
std::string write_answer_line(const RequestHash& request, std::string_view kind, double usd,
                              const std::string_view* body);

struct HashOfHash {
  std::size_t operator()(const RequestHash& hash) const { return hash.low; }
};

}  // namespace rlaif::remote
