#include "rlaif/judge/kinds/combine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "judge_fixture.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::judge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Says by a comparison's id what it was told to, and remembers each call.
class Scripted final : public Judge {
 public:
  explicit Scripted(std::string name, std::map<std::uint64_t, Verdict> verdicts, double cost_usd = 0.0)
      : name_(std::move(name)), verdicts_(std::move(verdicts)) {
    for (auto& [id, verdict] : verdicts_) verdict.usage = {10, 4, 1, cost_usd};
  }
  const std::string& name() const override { return name_; }
  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    std::vector<Verdict> said;
    calls.emplace_back();
    for (const Comparison& comparison : comparisons) {
      calls.back().push_back(comparison.id);
      said.push_back(verdicts_.at(comparison.id));
    }
    return said;
  }

  std::vector<std::vector<std::uint64_t>> calls;

 private:
  std::string name_;
  std::map<std::uint64_t, Verdict> verdicts_;
};

Verdict failed(VerdictStatus status) {
  Verdict verdict;
  verdict.status = status;
  return verdict;
}

Verdict with_reason(Verdict verdict, const std::string& reason) {
  verdict.rationale = reason;
  return verdict;
}

std::shared_ptr<Scripted> scripted(const std::string& name, const std::vector<Verdict>& verdicts,
                                   double cost_usd = 0.0) {
  std::map<std::uint64_t, Verdict> by_id;
  for (const Verdict& verdict : verdicts) by_id.emplace(by_id.size(), verdict);
  return std::make_shared<Scripted>(name, by_id, cost_usd);
}

std::vector<Comparison> comparisons(std::size_t count) {
  std::vector<Comparison> made;
  for (std::uint64_t id = 0; id < count; ++id) made.push_back(comparison(id, "?", "a", "b"));
  return made;
}

FittedJudge of_confusion(double first_seen, double second_seen) {
  FittedJudge fitted;
  fitted.confusion = {{{first_seen, 1.0 - first_seen}, {1.0 - second_seen, second_seen}}};
  return fitted;
}

FittedJudge of_temperature(double temperature, double weight = 1.0) {
  FittedJudge fitted;
  fitted.temperature = temperature;
  fitted.weight = weight;
  return fitted;
}

double vote(Vote how, std::vector<double> p, std::vector<FittedJudge> fitted = {}) {
  fitted.resize(p.size());
  return combined_vote(how, p, fitted);
}

std::vector<std::string> names_of(const Verdict& verdict) {
  std::vector<std::string> names;
  for (const MemberVerdict& member : verdict.members) names.push_back(member.name);
  return names;
}

TEST(Calibrated, DividesTheLogOddsByTheTemperature) {
  EXPECT_DOUBLE_EQ(calibrated(0.8, 2.0), 2.0 / 3.0);      // odds 4 -> 2
  EXPECT_NEAR(calibrated(0.9, 0.5), 81.0 / 82.0, 1e-15);  // odds 9 -> 81
  EXPECT_NEAR(calibrated(0.2, 2.0), 1.0 / 3.0, 1e-15);
  EXPECT_EQ(calibrated(0.8123, 1.0), 0.8123);
}

TEST(Calibrated, CertaintyStaysFinite) {
  EXPECT_NEAR(log_odds(1.0), std::log(999999.0), 1e-9);
  EXPECT_NEAR(log_odds(0.0), -std::log(999999.0), 1e-9);
  EXPECT_NEAR(calibrated(1.0, 2.0), 1.0 - 1.0 / (1.0 + std::sqrt(999999.0)), 1e-12);
}

TEST(CombinedVote, MajorityIsTheShareOfVotes) {
  EXPECT_DOUBLE_EQ(vote(Vote::majority, {0.51, 0.4, 0.99}), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(vote(Vote::majority, {0.9, 0.5}), 0.75);
  EXPECT_DOUBLE_EQ(vote(Vote::majority, {0.9, 0.1}), 0.5);
}

TEST(CombinedVote, MeanIsOfTheProbabilities) { EXPECT_DOUBLE_EQ(vote(Vote::mean, {0.9, 0.4, 0.2}), 0.5); }

TEST(CombinedVote, WeightedAddsWeightedCalibratedLogOdds) {
  // ln 4 + 2 * (-ln 3) / 2 = ln(4 / 3)
  EXPECT_NEAR(vote(Vote::weighted, {0.8, 0.25}, {of_temperature(1.0), of_temperature(2.0, 2.0)}), 4.0 / 7.0, 1e-15);
  // A weight of 0 is not heard, a negative one turns the judge round.
  EXPECT_NEAR(vote(Vote::weighted, {0.8, 0.01}, {of_temperature(1.0), of_temperature(1.0, 0.0)}), 0.8, 1e-15);
  EXPECT_NEAR(vote(Vote::weighted, {0.8, 0.2}, {of_temperature(1.0), of_temperature(1.0, -1.0)}), 16.0 / 17.0, 1e-15);
}

TEST(CombinedVote, DawidSkeneIsThePosteriorOfHardVotes) {
  const FittedJudge a = of_confusion(0.9, 0.8), b = of_confusion(0.6, 0.7);
  // first: .9 * .4 = .36, second: .2 * .7 = .14
  EXPECT_NEAR(vote(Vote::dawid_skene, {0.55, 0.3}, {a, b}), 0.72, 1e-12);
  // both say second: .1 * .4 = .04 against .8 * .7 = .56
  EXPECT_NEAR(vote(Vote::dawid_skene, {0.45, 0.3}, {a, b}), 1.0 / 15.0, 1e-12);
  // a tie says nothing: .9 against .2
  EXPECT_NEAR(vote(Vote::dawid_skene, {0.99, 0.5}, {a, b}), 9.0 / 11.0, 1e-12);
  // judges that never err and contradict each other
  EXPECT_DOUBLE_EQ(vote(Vote::dawid_skene, {0.99, 0.1}), 0.5);
}

TEST(Ensemble, LeavesOutWhoHasNoVerdict) {
  const auto a = scripted("a", {with_reason(combine_orders(0.9, 0.7), "A is right"), combine_orders(0.9, 0.9)}, 0.5);
  const auto b = scripted("b", {combine_orders(0.4, 0.2), failed(VerdictStatus::refused)}, 0.25);
  const auto c = scripted("c", {single_order(1.0), single_order(0.6)}, 0.125);
  const auto verdicts = make_ensemble("panel", {{a, {}}, {b, {}}, {c, {}}}, {})->judge(comparisons(2));

  EXPECT_EQ(verdicts[0].status, VerdictStatus::ok);
  EXPECT_NEAR(verdicts[0].p_first, (0.8 + 0.3 + 1.0) / 3.0, 1e-15);
  EXPECT_NEAR(verdicts[0].p_first_by_order[0], (0.9 + 0.4 + 1.0) / 3.0, 1e-15);
  EXPECT_NEAR(verdicts[0].p_first_by_order[1], (0.7 + 0.2) / 2.0, 1e-15);
  EXPECT_EQ(verdicts[0].rationale, "a 0.8000, b 0.3000, c 1.0000");
  EXPECT_THAT(names_of(verdicts[0]), ElementsAre("a", "b", "c"));

  EXPECT_NEAR(verdicts[1].p_first, 0.75, 1e-15);
  EXPECT_EQ(verdicts[1].rationale, "a 0.9000, b refused, c 0.6000");
  for (const Verdict& verdict : verdicts) {
    EXPECT_EQ(verdict.usage.input_tokens, 30);
    EXPECT_EQ(verdict.usage.cached_input_tokens, 12);
    EXPECT_EQ(verdict.usage.output_tokens, 3);
    EXPECT_DOUBLE_EQ(verdict.usage.cost_usd, 0.875);
  }
}

TEST(Ensemble, TooFewVerdictsAreTheMostFrequentFailureAndNoScore) {
  const auto a = scripted("a", {single_order(0.9), single_order(0.9), failed(VerdictStatus::unparseable)});
  const auto b = scripted(
      "b", {failed(VerdictStatus::refused), failed(VerdictStatus::unparseable), failed(VerdictStatus::truncated)});
  const auto c =
      scripted("c", {failed(VerdictStatus::refused), failed(VerdictStatus::refused), failed(VerdictStatus::truncated)});
  const auto verdicts = make_ensemble("panel", {{a, {}}, {b, {}}, {c, {}}}, {})->judge(comparisons(3));
  EXPECT_EQ(verdicts[0].status, VerdictStatus::refused);
  EXPECT_EQ(verdicts[1].status, VerdictStatus::refused);  // a tie with unparseable, which comes later in the enum
  EXPECT_EQ(verdicts[2].status, VerdictStatus::truncated);
  for (const Verdict& verdict : verdicts) {
    EXPECT_EQ(verdict.p_first, 0.5);
    EXPECT_TRUE(std::isnan(verdict.p_first_by_order[0]) && std::isnan(verdict.p_first_by_order[1]));
    EXPECT_EQ(verdict.usage.input_tokens, 30);  // they were asked all the same
  }
  // One is enough where that was asked for; of two, more than half are two.
  EXPECT_EQ(make_ensemble("panel", {{a, {}}, {b, {}}, {c, {}}}, {Vote::mean, 1})->judge(comparisons(1))[0].p_first,
            0.9);
  EXPECT_EQ(make_ensemble("pair", {{a, {}}, {b, {}}}, {})->judge(comparisons(1))[0].status, VerdictStatus::refused);
}

TEST(Ensemble, VotesWithWhatCalibrationFound) {
  const auto a = scripted("a", {single_order(0.8)}), b = scripted("b", {single_order(0.25)});
  const EnsembleOptions weighted{Vote::weighted, 0}, posterior{Vote::dawid_skene, 0};
  const std::vector<Member> tempered{{a, of_temperature(1.0)}, {b, of_temperature(2.0, 2.0)}};
  EXPECT_NEAR(make_ensemble("e", tempered, weighted)->judge(comparisons(1))[0].p_first, 4.0 / 7.0, 1e-15);
  const std::vector<Member> confused{{a, of_confusion(0.9, 0.8)}, {b, of_confusion(0.6, 0.7)}};
  EXPECT_NEAR(make_ensemble("e", confused, posterior)->judge(comparisons(1))[0].p_first, 0.72, 1e-12);
}

TEST(Cascade, AsksTheNextWhereConfidenceIsShort) {
  const auto cheap = scripted(
      "cheap", {single_order(0.95), single_order(0.7), single_order(0.1), failed(VerdictStatus::truncated)}, 0.01);
  const auto dear = scripted("dear",
                             {combine_orders(0.2, 0.2), with_reason(combine_orders(0.3, 0.5), "B is brief"),
                              combine_orders(0.9, 0.9), combine_orders(0.6, 0.6)},
                             1.0);
  const auto verdicts = make_cascade("cascade", {{cheap, {}}, {dear, {}}}, {0.9})->judge(comparisons(4));
  EXPECT_THAT(cheap->calls, ElementsAre(ElementsAre(0u, 1u, 2u, 3u)));
  EXPECT_THAT(dear->calls, ElementsAre(ElementsAre(1u, 3u)));  // one call; .9 of comparison 2 reaches the threshold

  EXPECT_EQ(verdicts[0].p_first, 0.95);
  EXPECT_TRUE(std::isnan(verdicts[0].p_first_by_order[1]));
  EXPECT_EQ(verdicts[0].rationale, "cheap 0.9500");
  EXPECT_DOUBLE_EQ(verdicts[0].usage.cost_usd, 0.01);
  EXPECT_DOUBLE_EQ(verdicts[1].p_first, 0.4);
  EXPECT_EQ(verdicts[1].p_first_by_order[1], 0.5);
  EXPECT_EQ(verdicts[1].rationale, "cheap 0.7000, dear 0.4000 | B is brief");
  EXPECT_THAT(names_of(verdicts[1]), ElementsAre("cheap", "dear"));
  EXPECT_DOUBLE_EQ(verdicts[1].usage.cost_usd, 1.01);
  EXPECT_EQ(verdicts[1].usage.input_tokens, 20);
  EXPECT_EQ(verdicts[2].p_first, 0.1);
  EXPECT_EQ(verdicts[3].rationale, "cheap truncated, dear 0.6000");
  EXPECT_EQ(verdicts[3].p_first, 0.6);
}

TEST(Cascade, ConfidenceIsCalibratedAndTheVerdictStandsAsItIs) {
  const auto cheap = scripted("cheap", {single_order(0.8), single_order(0.9)});
  const auto dear = scripted("dear", {single_order(0.3), single_order(0.3)});
  // Odds 4 -> 2 and 9 -> 3: confidences 2/3 and 3/4.
  const auto verdicts = make_cascade("c", {{cheap, of_temperature(2.0)}, {dear, {}}}, {0.75})->judge(comparisons(2));
  EXPECT_THAT(dear->calls, ElementsAre(ElementsAre(0u)));
  EXPECT_EQ(verdicts[1].p_first, 0.9);
}

TEST(Cascade, TheLastOnesVerdictStandsWhateverItIs) {
  const auto cheap = scripted("cheap", {single_order(0.6)}, 0.01),
             middle = scripted("middle", {single_order(0.8)}, 0.1);
  const auto dear = scripted("dear", {failed(VerdictStatus::filtered)}, 1.0);
  const auto verdict = make_cascade("c", {{cheap, {}}, {middle, {}}, {dear, {}}}, {0.9, 0.9})->judge(comparisons(1))[0];
  EXPECT_EQ(verdict.status, VerdictStatus::filtered);
  EXPECT_EQ(verdict.rationale, "cheap 0.6000, middle 0.8000, dear filtered");
  EXPECT_DOUBLE_EQ(verdict.usage.cost_usd, 1.11);
}

TEST(Cascade, WhoIsNotNeededIsNotAsked) {
  const auto cheap = scripted("cheap", {single_order(0.95)}), dear = scripted("dear", {single_order(0.3)});
  make_cascade("c", {{cheap, {}}, {dear, {}}}, {0.9})->judge(comparisons(1));
  EXPECT_THAT(dear->calls, IsEmpty());
}

TEST(Hierarchy, TheFirstLevelThatIsSureDecides) {
  const auto safe =
      scripted("safe", {single_order(0.05), single_order(0.5), single_order(0.6), failed(VerdictStatus::refused)});
  const auto helpful =
      scripted("helpful", {single_order(0.9), single_order(0.85), single_order(0.55), single_order(0.9)});
  const auto brief = scripted("brief", {single_order(0.9), single_order(0.1), single_order(0.45), single_order(0.9)});
  const auto verdicts =
      make_hierarchy("levels", {{safe, {}}, {helpful, {}}, {brief, {}}}, {0.8})->judge(comparisons(4));
  EXPECT_THAT(helpful->calls, ElementsAre(ElementsAre(1u, 2u)));
  EXPECT_THAT(brief->calls, ElementsAre(ElementsAre(2u)));
  EXPECT_EQ(verdicts[0].p_first, 0.05);
  EXPECT_EQ(verdicts[1].p_first, 0.85);
  EXPECT_EQ(verdicts[1].rationale, "safe 0.5000, helpful 0.8500");
  EXPECT_EQ(verdicts[2].p_first, 0.45);  // the last level's, sure or not
  // What the first level could not judge, no lower level clears.
  EXPECT_EQ(verdicts[3].status, VerdictStatus::refused);
  EXPECT_EQ(verdicts[3].rationale, "safe refused");
}

TEST(Hierarchy, ALevelThatFindsNoDifferencePassesToTheNextWhateverTheGate) {
  const auto safe = scripted("safe", {single_order(0.5), single_order(0.51), combine_orders(0.8, 0.2)});
  const auto helpful = scripted("helpful", {single_order(0.5), single_order(0.9), single_order(0.3)});
  const auto verdicts = make_hierarchy("levels", {{safe, {}}, {helpful, {}}}, {0.5})->judge(comparisons(3));
  EXPECT_THAT(helpful->calls, ElementsAre(ElementsAre(0u, 2u)));
  EXPECT_EQ(verdicts[0].p_first, 0.5);  // no level finds one: a tie, with status ok
  EXPECT_EQ(verdicts[0].status, VerdictStatus::ok);
  EXPECT_EQ(verdicts[1].p_first, 0.51);
  EXPECT_EQ(verdicts[2].p_first, 0.3);
  // A cascade goes by confidence alone: at 0.5 whatever the cheap one says stands.
  const auto dear = scripted("dear", {single_order(0.9), single_order(0.9), single_order(0.9)});
  make_cascade("c", {{safe, {}}, {dear, {}}}, {0.5})->judge(comparisons(3));
  EXPECT_THAT(dear->calls, IsEmpty());
}

TEST(Combined, WhatMembersSaidStandsInTheVerdict) {
  const auto a = scripted("a", {single_order(0.9)}, 0.01), b = scripted("b", {failed(VerdictStatus::refused)}, 0.02);
  for (const auto& judge : {std::shared_ptr<Judge>(make_ensemble("panel", {{a, {}}, {b, {}}}, {Vote::mean, 1})),
                            std::shared_ptr<Judge>(make_cascade("steps", {{b, {}}, {a, {}}}, {0.8}))}) {
    std::vector<MemberVerdict> members = judge->judge(comparisons(1))[0].members;
    ASSERT_EQ(members.size(), 2u);
    if (members[0].name == "b") std::swap(members[0], members[1]);
    EXPECT_EQ(members[0].name, "a");
    EXPECT_EQ(members[0].status, VerdictStatus::ok);
    EXPECT_EQ(members[0].p_first, 0.9);
    EXPECT_DOUBLE_EQ(members[0].cost_usd, 0.01);
    EXPECT_EQ(members[1].name, "b");
    EXPECT_EQ(members[1].status, VerdictStatus::refused);
    EXPECT_DOUBLE_EQ(members[1].cost_usd, 0.02);
  }
}

TEST(Combined, MembersMayBeCombinedThemselves) {
  const auto a = scripted("a", {single_order(0.9), single_order(0.9)}, 0.01),
             b = scripted("b", {single_order(0.8), single_order(0.2)}, 0.02);
  const auto dear = scripted("dear", {single_order(0.1), single_order(0.1)}, 1.0);
  const std::shared_ptr<Judge> panel = make_ensemble("panel", {{a, {}}, {b, {}}}, {Vote::majority, 0});
  const auto verdicts = make_cascade("cascade", {{panel, {}}, {dear, {}}}, {0.8})->judge(comparisons(2));
  EXPECT_EQ(verdicts[0].rationale, "panel 1.0000 | a 0.9000, b 0.8000");
  EXPECT_THAT(names_of(verdicts[0]), ElementsAre("panel"));
  EXPECT_EQ(verdicts[1].rationale, "panel 0.5000, dear 0.1000");
  EXPECT_DOUBLE_EQ(verdicts[1].usage.cost_usd, 1.03);
}

TEST(Combined, OptionsOutOfRangeAreRefused) {
  const auto a = scripted("a", {}), b = scripted("b", {});
  const std::vector<Member> one{{a, {}}}, two{{a, {}}, {b, {}}};
  EXPECT_THROW(make_ensemble("e", one, {}), Error);
  EXPECT_THROW(make_ensemble("e", two, {Vote::mean, 3}), Error);
  EXPECT_THROW(make_ensemble("e", two, {Vote::mean, -1}), Error);
  EXPECT_THROW(make_cascade("c", one, {}), Error);
  EXPECT_THROW(make_cascade("c", two, {}), Error);
  EXPECT_THROW(make_cascade("c", two, {0.9, 0.9}), Error);
  EXPECT_THROW(make_cascade("c", two, {0.4}), Error);
  EXPECT_THROW(make_cascade("c", two, {nan}), Error);
  EXPECT_THROW(make_hierarchy("h", one, {0.8}), Error);
  EXPECT_THROW(make_hierarchy("h", two, {1.1}), Error);
}

TEST(LengthCorrected, TakesTheSlopeTimesTheDifferenceOff) {
  std::map<std::uint64_t, Verdict> said{{0, combine_orders(0.8, 0.5)},
                                        {1, single_order(0.8)},
                                        {2, single_order(0.8)},
                                        {3, failed(VerdictStatus::refused)}};
  const auto judge = make_length_corrected(std::make_unique<Scripted>("ai", said, 0.5), std::log(2.0));
  const auto verdicts = judge->judge(std::vector<Comparison>{
      comparison(0, "?", "three words here", "two words"), comparison(1, "?", "two words", "two others"),
      comparison(2, "?", "one", "now four words: here"), comparison(3, "?", "one", "two words")});
  EXPECT_EQ(judge->name(), "ai");
  // One word more: odds halve. .65 is odds 13/7 -> 13/14; .8 is 4 -> 2; .5 is 1 -> 1/2.
  EXPECT_NEAR(verdicts[0].p_first, 13.0 / 27.0, 1e-12);
  EXPECT_NEAR(verdicts[0].p_first_by_order[0], 2.0 / 3.0, 1e-12);
  EXPECT_NEAR(verdicts[0].p_first_by_order[1], 1.0 / 3.0, 1e-12);
  EXPECT_EQ(verdicts[1].p_first, 0.8);                   // equal length: untouched
  EXPECT_NEAR(verdicts[2].p_first, 32.0 / 33.0, 1e-12);  // three words fewer: odds 4 -> 32
  EXPECT_TRUE(std::isnan(verdicts[2].p_first_by_order[1]));
  EXPECT_EQ(verdicts[3].status, VerdictStatus::refused);
  EXPECT_EQ(verdicts[3].p_first, 0.5);
  EXPECT_DOUBLE_EQ(verdicts[0].usage.cost_usd, 0.5);
}

}  // namespace
}  // namespace rlaif::judge
