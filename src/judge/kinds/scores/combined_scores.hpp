// Scores of judges made of judges. Private to judge.
#pragma once

#include <memory>
#include <vector>

#include "rlaif/judge/kinds/combine.hpp"
#include "rlaif/judge/scorer.hpp"

namespace rlaif::judge {

// Whether every member gives scores.
bool all_score(const std::vector<Member>& members);
// The mean of the members' scores; those without one are left out. Fewer than `least`: the status that most of the others have
// (ties: the first of the enum).
std::unique_ptr<ResponseScorer> make_mean_scorer(std::vector<Member> members, std::size_t least);
// Levels, the first to be obeyed first: the mean of all levels' scores, where those behind a level below `gate` are not asked and
// worth -1, the least. A level without a score has not opened the gate: there is none.
std::unique_ptr<ResponseScorer> make_gated_scorer(std::vector<Member> levels, double gate);

}  // namespace rlaif::judge
