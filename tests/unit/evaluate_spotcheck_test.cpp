#include "rlaif/evaluate/spotcheck.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

namespace rlaif::evaluate {
namespace {

const double nan = std::nan("");

std::map<Pick, std::set<std::size_t>> by_pick(const std::vector<PickedPair>& picked) {
  std::map<Pick, std::set<std::size_t>> sets;
  for (const PickedPair& one : picked) EXPECT_TRUE(sets[one.pick].insert(one.index).second);
  return sets;
}

// 100 pairs of which pair i has p = i / 100, so that 50 is the most uncertain one.
std::vector<double> ramp() {
  std::vector<double> p;
  for (int i = 0; i < 100; ++i) p.push_back(i / 100.0);
  return p;
}

TEST(Spotcheck, TakesTheLeastCertainAndTheFurthestApart) {
  const std::vector<double> p = ramp();
  std::vector<double> other = p;
  other[10] = 0.9;   // 0.8 apart
  other[95] = 0.2;   // 0.75 apart
  other[60] = 0.4;   // 0.2 apart
  other[20] = 0.45;  // the same side
  const auto picked = by_pick(pick_pairs(p, std::vector<std::vector<double>>{other}, 10, 7, {0.0, 0.2}));
  EXPECT_EQ(picked.at(Pick::disagreement), (std::set<std::size_t>{10, 95}));
  std::set<std::size_t> uncertain = picked.at(Pick::uncertain);
  EXPECT_EQ(uncertain.size(), 8u);
  EXPECT_EQ(uncertain.erase(46) + uncertain.erase(54), 1u);  // both are 0.04 from 0.5: one of them was drawn
  EXPECT_EQ(uncertain, (std::set<std::size_t>{47, 48, 49, 50, 51, 52, 53}));
  EXPECT_EQ(picked.count(Pick::control), 0u);
}

TEST(Spotcheck, SharesAreKeptAndFilledUpWithUncertainPairs) {
  const std::vector<double> p = ramp();
  const auto alone = by_pick(pick_pairs(p, {}, 20, 7));
  EXPECT_EQ(alone.at(Pick::control).size(), 6u);
  EXPECT_EQ(alone.at(Pick::uncertain).size(), 14u);
  std::vector<double> other = p;
  other[3] = 0.9;
  const auto two = by_pick(pick_pairs(p, std::vector<std::vector<double>>{other}, 20, 1, {0.0, 0.3}));
  EXPECT_EQ(two.at(Pick::disagreement), (std::set<std::size_t>{3}));
  EXPECT_EQ(two.at(Pick::uncertain).size(), 19u);
}

TEST(Spotcheck, PairsWithoutAVerdictAreNotPickedAndNoneTwice) {
  std::vector<double> p = ramp();
  for (std::size_t i = 0; i < p.size(); ++i)
    if (i % 2 == 0) p[i] = nan;
  const std::vector<PickedPair> all = pick_pairs(p, {}, 1000, 7);
  EXPECT_EQ(all.size(), 50u);
  std::set<std::size_t> seen;
  for (const PickedPair& one : all) EXPECT_TRUE(one.index % 2 == 1 && seen.insert(one.index).second);
  std::vector<double> other(p.size(), nan);
  EXPECT_EQ(by_pick(pick_pairs(p, std::vector<std::vector<double>>{other}, 10, 7)).count(Pick::disagreement), 0u);
}

TEST(Spotcheck, TheSeedDecidesAndTheControlIsDrawnFromAll) {
  const std::vector<double> p = ramp();
  const auto order = [&](std::uint64_t seed) {
    std::vector<std::size_t> indices;
    for (const PickedPair& one : pick_pairs(p, {}, 20, seed)) indices.push_back(one.index);
    return indices;
  };
  EXPECT_EQ(order(3), order(3));
  EXPECT_NE(order(3), order(4));
  // Over many seeds each pair is a control as often as another: 6 of 100, 4000 times; expected 240 with deviation 15.
  std::map<std::size_t, int> times;
  for (std::uint64_t seed = 0; seed < 4000; ++seed)
    for (const PickedPair& one : pick_pairs(p, {}, 20, seed)) times[one.index] += one.pick == Pick::control;
  for (const auto& [pair, count] : times) EXPECT_NEAR(count, 240, 75) << pair;
  EXPECT_EQ(times.size(), 100u);
}

}  // namespace
}  // namespace rlaif::evaluate
