#include <gtest/gtest.h>

#include <cmath>

#include "judge_fixture.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"

namespace rlaif::judge {
namespace {

// The utility is written in the text: "-0.25 some words".
double written_utility(const Prompt&, const Completion& completion) { return std::stod(completion.text); }

std::string with_words(double utility, std::uint64_t words) {
  std::string text = std::to_string(utility);
  for (std::uint64_t i = 0; i < words; ++i) text += " word";
  return text;
}

// Utilities spread over [-1, 1] as in the closed world, lengths over 5 to 24 words.
std::vector<Comparison> spread_comparisons(std::size_t count) {
  std::vector<Comparison> result;
  for (std::uint64_t id = 0; id < count; ++id) {
    Rng rng(21, Stream::test, {id});
    const double first = 2.0 * rng.uniform() - 1.0, second = 2.0 * rng.uniform() - 1.0;
    result.push_back(comparison(id, "?", with_words(first, 5 + rng.below(20)), with_words(second, 5 + rng.below(20))));
  }
  return result;
}

double agreement(const std::vector<Comparison>& comparisons, const std::vector<Verdict>& verdicts) {
  double agree = 0.0;
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    const bool first = written_utility({}, comparisons[i].first) > written_utility({}, comparisons[i].second);
    agree += (verdicts[i].p_first > 0.5) == first;
  }
  return agree / static_cast<double>(comparisons.size());
}

TEST(Annotators, AgreeWithTheUtilityAsOftenAsPeopleDo) {
  const auto comparisons = spread_comparisons(8000);
  const auto people = make_annotators("people", {}, written_utility, {});
  const double agree = agreement(comparisons, people->judge(comparisons));
  // Flips alone would leave .75; noise and length take a little more. Standard error .005.
  EXPECT_GT(agree, 0.70);
  EXPECT_LT(agree, 0.75);
}

TEST(Annotators, WithoutNoiseLengthAndFlipsGiveTheUtilitysOrder) {
  const auto comparisons = spread_comparisons(500);
  const AnnotatorOptions exact{.utility_noise = 0.0, .length_weight = 0.0, .flip_rate = 0.0};
  EXPECT_EQ(agreement(comparisons, make_annotators("exact", exact, written_utility, {})->judge(comparisons)), 1.0);
  AnnotatorOptions contrary = exact;
  contrary.flip_rate = 1.0;
  EXPECT_EQ(agreement(comparisons, make_annotators("contrary", contrary, written_utility, {})->judge(comparisons)),
            0.0);
}

TEST(Annotators, FlipTheShareTheyAreAskedTo) {
  const auto comparisons = spread_comparisons(8000);
  const AnnotatorOptions options{.utility_noise = 0.0, .length_weight = 0.0, .flip_rate = 0.25};
  EXPECT_NEAR(agreement(comparisons, make_annotators("people", options, written_utility, {})->judge(comparisons)), 0.75,
              0.015);
}

TEST(Annotators, LabelIsKeyedByTheComparisonAndNotByTheBatch) {
  const auto comparisons = spread_comparisons(300);
  const auto people = make_annotators("people", {}, written_utility, {});
  const auto together = people->judge(comparisons);
  for (std::size_t i = comparisons.size(); i-- > 0;)
    EXPECT_EQ(people->judge(std::span(comparisons).subspan(i, 1))[0].p_first, together[i].p_first);

  const auto others = make_annotators("people", {.seed = 1}, written_utility, {})->judge(comparisons);
  int different = 0;
  for (std::size_t i = 0; i < others.size(); ++i) different += others[i].p_first != together[i].p_first;
  EXPECT_GT(different, 60);
  EXPECT_LT(different, 180);
}

TEST(Annotators, APersonKeepsTheirTasteForLength) {
  // Equal utilities, one response 200 words longer: with one person and no noise the label shows their taste alone.
  std::vector<Comparison> comparisons;
  for (std::uint64_t id = 0; id < 50; ++id) comparisons.push_back(comparison(id, "?", with_words(0, 200), "0"));
  int like_long = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const AnnotatorOptions one{.people = 1, .utility_noise = 0.0, .flip_rate = 0.0, .seed = seed};
    const auto verdicts = make_annotators("one", one, written_utility, {})->judge(comparisons);
    for (const Verdict& verdict : verdicts) EXPECT_EQ(verdict.p_first, verdicts[0].p_first);
    like_long += verdicts[0].p_first > 0.5;
  }
  EXPECT_GT(like_long, 8);
  EXPECT_LT(like_long, 32);
}

TEST(Annotators, ATieIsACoinsToss) {
  std::vector<Comparison> comparisons;
  for (std::uint64_t id = 0; id < 1000; ++id) comparisons.push_back(comparison(id, "?", "0.5 a", "0.5 b"));
  const AnnotatorOptions exact{.utility_noise = 0.0, .length_weight = 0.0, .flip_rate = 0.0};
  double first = 0.0;
  for (const Verdict& verdict : make_annotators("exact", exact, written_utility, {})->judge(comparisons))
    first += verdict.p_first;
  EXPECT_NEAR(first, 500.0, 60.0);
}

TEST(Annotators, LabelsAreHardForOneOrderAndHaveTheirPrice) {
  cost::Price price;
  price.per_label_usd = 0.67;
  const auto verdicts = make_annotators("people", {}, written_utility, price)->judge(spread_comparisons(20));
  for (const Verdict& verdict : verdicts) {
    EXPECT_EQ(verdict.status, VerdictStatus::ok);
    EXPECT_TRUE(verdict.p_first == 0.0 || verdict.p_first == 1.0);
    EXPECT_EQ(verdict.p_first_by_order[0], verdict.p_first);
    EXPECT_TRUE(std::isnan(verdict.p_first_by_order[1]));
    EXPECT_DOUBLE_EQ(verdict.usage.cost_usd, 0.67);
  }
}

TEST(Annotators, OptionsOutOfRangeAreRefused) {
  EXPECT_THROW(make_annotators("p", {.people = 0}, written_utility, {}), Error);
  EXPECT_THROW(make_annotators("p", {.utility_noise = -0.1}, written_utility, {}), Error);
  EXPECT_THROW(make_annotators("p", {.length_weight = std::nan("")}, written_utility, {}), Error);
  EXPECT_THROW(make_annotators("p", {.flip_rate = 1.5}, written_utility, {}), Error);
}

}  // namespace
}  // namespace rlaif::judge
