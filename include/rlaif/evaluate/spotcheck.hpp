// Which pairs are worth a person's time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rlaif::evaluate {

enum class Pick : std::uint8_t { control, disagreement, uncertain };
const char* to_string(Pick pick);  // "control", "disagreement", "uncertain"

struct SpotcheckShares {
  double control = 0.3;       // drawn at random from all pairs, before anything else
  double disagreement = 0.3;  // the rest is uncertain
};
struct PickedPair {
  std::size_t index = 0;
  Pick pick = Pick::control;
};

// At most `count` pairs, each once, in the order in which they are to be shown, which is drawn. `p_first`: a judge's P(first
// is better), one a pair; NaN: no verdict, such pairs are not picked. `others`: those of other judges on the same pairs,
// NaN where there is none; may be empty.
//   control       uniformly from all pairs with a verdict, so that agreement on it holds for all pairs
//   disagreement  of the rest, pairs of which two judges name different sides, by the distance of their P(first), largest
//                 first; where there are too few, uncertain ones take their place
//   uncertain     of the rest, by |p_first - 0.5|, smallest first
// Ties are broken by draws. A function of its arguments: the seed keys every draw.
std::vector<PickedPair> pick_pairs(std::span<const double> p_first, std::span<const std::vector<double>> others,
                                   std::size_t count, std::uint64_t seed, SpotcheckShares shares = {});

}  // namespace rlaif::evaluate
