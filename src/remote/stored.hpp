// What the store of paid answers holds for a request.
#pragma once

#include <optional>
#include <string>

#include "rlaif/remote/answer_cache.hpp"
#include "rlaif/remote/protocol.hpp"

namespace rlaif::remote {

// What earlier versions took for an answer may be an error in a reply with status 200; it is asked again.
inline std::optional<std::string> stored_answer(const AnswerCache& answers, const Protocol& protocol,
                                                const RequestHash& request) {
  return answers.find(request, [&](const std::string& body) { return !protocol.read(body).error; });
}

}  // namespace rlaif::remote
