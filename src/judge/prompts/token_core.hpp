// What a token says without its dressing. Private to judge.
//   token_core(" **A**", false);   // "a"
#pragma once

#include <string>
#include <string_view>

namespace rlaif::judge {

// Without white space (also as tokenizers write it), brackets, quotation marks and emphasis; in small letters unless it counts
// `as_it_stands`.
std::string token_core(std::string_view token, bool as_it_stands);

// exp of a listed log-probability; 0 from -9999 down, which means outside the list; NaN where it is none.
double listed_mass(double log_prob);

}  // namespace rlaif::judge
