// From comparisons to the questions of a server, before anything is sent.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rlaif/judge/kinds/remote.hpp"
#include "rlaif/remote/question.hpp"

namespace rlaif::judge {

// What is asked for a comparison: indices of questions by order; none is sent where it does not fit the context.
struct QuestionsOf {
  bool fits = true;
  std::array<std::vector<std::size_t>, 2> by_order;
};

struct Plan {
  std::vector<remote::Question> questions;  // without duplicates
  std::vector<QuestionsOf> comparisons;     // one a comparison
  // Those that a comparison needs which fits.
  std::vector<remote::Question*> asked();
};

class Planner {
 public:
  // Throws Error(usage) for options out of range, and where style and principles do not fit one another.
  Planner(const std::string& name, const RemoteOptions& options, const RemoteParts& parts,
          const remote::Protocol& protocol);

  Plan plan(std::span<const Comparison> comparisons) const;
  const remote::Pricer& pricer() const { return pricer_; }

 private:
  remote::Pricer make_pricer(const std::string& name, const remote::Protocol& protocol) const;

  RemoteOptions options_;
  RemoteParts parts_;
  int requests_an_order_;
  remote::Pricer pricer_;
};

}  // namespace rlaif::judge
