// Who asks a server that is paid: on whose account requests, answers and dollars are.
//   Asker{"judge", "ai"}.text();   // "judge ai", as in messages
#pragma once

#include <compare>
#include <string>

namespace rlaif::cost {

struct Asker {
  std::string role, name;  // the section of the deck: [judge.ai], [writer.big]
  std::string text() const { return role + " " + name; }
  auto operator<=>(const Asker&) const = default;
};

}  // namespace rlaif::cost
