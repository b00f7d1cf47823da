// What servers say in place of an answer, in the words of their vendors and however they wrap it.
//
//   read_error(422, R"({"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096"})")
//     .complaint == Complaint::too_long
#pragma once

#include <optional>
#include <string>

#include "rlaif/core/json.hpp"

namespace rlaif::remote {

enum class Complaint {
  too_long,   // this request does not fit the model's context or the server's limits
  filtered,   // this request, or its answer, was taken by moderation
  no_money,   // the account has no money or quota left
  wrong_key,  // who asks is not known
  other
};

struct ServerError {
  int status = 502;  // HTTP's, or the one that the body names
  Complaint complaint = Complaint::other;
  std::string words;  // one line for messages; may be empty

  // Another attempt may help.
  bool is_passing() const;
};

// Of a reply whose status says that it is an error.
ServerError read_error(int status, const std::string& body);

// Of a reply whose status says that all is well: an error at its top ("error", {"object": "error"}, {"type": "error"}, also
// in a list). Its status is the code within, or what its words stand for, else 502. Nothing where no error is said.
std::optional<ServerError> error_at_top(const Json& body);
// Of {"error": ...} or one of its parts, whatever it says.
ServerError error_within(const Json& error);

// 2xx, but neither an answer nor an error: HTML, cut or empty bodies of proxies. As a bad gateway's.
ServerError no_answer(const std::string& body);

// `value` holds a word or a number other than 0: proxies send an empty error beside a good answer.
bool says_something(const Json& value);

}  // namespace rlaif::remote
