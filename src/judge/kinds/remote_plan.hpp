// From comparisons, or responses to be scored, to the questions of a server, before anything is sent.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "rlaif/judge/kinds/remote.hpp"
#include "rlaif/remote/question.hpp"
#include "scores/scored_by_principles.hpp"

namespace rlaif::judge {

// What is asked for a comparison: indices of questions by order; none is sent where it does not fit the context. Of a response all
// are in the first order.
struct QuestionsOf {
  bool fits = true;
  std::array<std::vector<std::size_t>, 2> by_order;
};

struct Plan {
  std::vector<remote::Question> questions;  // without duplicates
  std::map<remote::RequestHash, std::size_t> known;
  std::vector<QuestionsOf> asked_about;  // one a comparison, or a response and its principles
  // Those that something needs which fits.
  std::vector<remote::Question*> asked();
};

class Planner {
 public:
  // Throws Error(usage) for options out of range, and where style and principles do not fit one another.
  Planner(const std::string& name, const RemoteOptions& options, const RemoteParts& parts,
          const remote::Protocol& protocol);

  Plan plan(std::span<const Comparison> comparisons) const;
  Plan plan(std::span<const ShownResponse> responses) const;
  // All that may be asked about responses, which must outlive it.
  std::vector<ShownResponse> questions_about(std::span<const Response> responses) const;
  ScoringBy scoring_by() const;
  const remote::Pricer& pricer() const { return pricer_; }

 private:
  // Adds the question, or finds the one that is the same.
  void ask(Plan& plan, QuestionsOf& asked, std::size_t order, remote::Question question) const;
  remote::Pricer make_pricer(const std::string& name, const remote::Protocol& protocol) const;

  RemoteOptions options_;
  RemoteParts parts_;
  int requests_an_order_;
  remote::Pricer pricer_;
};

}  // namespace rlaif::judge
