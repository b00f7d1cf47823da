// What a server's answer says, thoughts and cut ends apart, before anybody looks for a verdict in it. Private to judge.
//   const SaidAnswer said = said_in(answer, *protocol, at_once);
//   if (said.status == VerdictStatus::ok) read_verdict(said.text, labels);
#pragma once

#include <span>
#include <string_view>

#include "rlaif/core/types.hpp"
#include "rlaif/remote/protocol.hpp"

namespace rlaif::judge {

struct SaidAnswer {
  VerdictStatus status = VerdictStatus::missing;
  std::string_view text;                          // behind the last thought
  std::span<const remote::TokenPosition> tokens;  // of the text, where log-probabilities were asked for and came
};
// `at_once`: the first token is the verdict, whose log-probabilities are whole, whatever was cut off behind it. The answer must
// outlive what is returned.
SaidAnswer said_in(const remote::Answer& answer, const remote::Protocol& protocol, bool at_once);

}  // namespace rlaif::judge
