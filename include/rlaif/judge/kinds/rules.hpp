// A book of rules as a judge.
//   const auto judge = make_rules_judge("brief", RuleBook::load("rules_brief.json"), price);
#pragma once

#include <memory>
#include <string>

#include "rlaif/cost/prices.hpp"
#include "rlaif/judge/judge.hpp"
#include "rlaif/judge/rules/book.hpp"

namespace rlaif::judge {

// P(first is better) = sigmoid((score of first - score of second) / scale); a tie is 0.5 with status ok. The same in
// both orders by construction, which is what p_first_by_order says. No tokens; a label's price. The rationale names the
// rules that one side alone keeps.
std::unique_ptr<Judge> make_rules_judge(std::string name, RuleBook book, cost::Price price);

}  // namespace rlaif::judge
