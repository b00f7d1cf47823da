// The labels that recorded pairs come with: people's, as a judge like any other.
//   make_given_judge("people", price)->judge(comparisons)  // Comparison::label; missing where a pair has none
#pragma once

#include <memory>
#include <string>

#include "rlaif/judge/judge.hpp"

namespace rlaif::judge {

// P(first) is the label, soft ones and ties included, in no order. Each costs one label.
std::unique_ptr<Judge> make_given_judge(std::string name, cost::Price price);

}  // namespace rlaif::judge
