#include "../../src/stages/labelled_examples.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <set>

#include "judge_fixture.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/evaluate/labelled_pairs.hpp"
#include "rlaif/stages/reward.hpp"
#include "rlaif/study/context.hpp"
#include "support/expect_error.hpp"

namespace rlaif::stages {
namespace {

namespace fs = std::filesystem;

TEST(ShareOfVotes, IsThatOfTheAnnotatorsElseTheLabel) {
  evaluate::LabelledPair pair;
  pair.label = 1.0;
  EXPECT_EQ(share_of_votes(pair), 1.0);
  pair.annotators = {1.0, 0.0, 0.5, 0.0};
  EXPECT_EQ(share_of_votes(pair), 0.375);
  pair.annotators.clear();
  pair.label = 0.5;
  EXPECT_EQ(share_of_votes(pair), 0.5);
}

class LabelledExamplesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = fs::temp_directory_path() / ("rlaif_labelled_" + std::to_string(::getpid()) + ".jsonl");
    model_.training.pairs = file_;
    model_.training.verdict_first_template = judge::inputs / "judge_verdict_first.txt";
    model_.training.principles = judge::inputs / "principles.txt";
    model_.training.context_weight = 0.25;
    write(R"({"prompt": "one", "response_a": "Ann", "response_b": "Oslo", "label": "a"}
{"prompt": "two", "response_a": "Ann", "response_b": "Oslo", "label": "b"}
{"prompt": "six", "response_a": "Ann", "response_b": "Oslo", "label": "a", "annotators": ["a", "a", "b"]}
)");
  }
  void TearDown() override { fs::remove(file_); }
  void write(const std::string& lines) const { write_file_atomic(file_, lines); }
  LabelledExamples examples(std::int64_t max_positions = 512) const { return {7, language_, model_, max_positions}; }

  struct Read {
    std::string prompt, first, verdict;
  };
  Read read(const train::Example& example) const {
    const std::string text = language_.tokenizer.decode(example.tokens);
    const auto between = [&](const std::string& before, const std::string& after) {
      const std::size_t begin = text.find(before) + before.size();
      return text.substr(begin, text.find(after, begin) - begin);
    };
    return {between("Question: ", "\n"), between("\nA: ", "\n"), text.substr(text.find("Verdict:") + 8)};
  }

  study::Language language_{judge::judge_tokenizer(), text::chat_style(text::ChatFormat::plain), ""};
  JudgeModel model_{"judge"};
  fs::path file_;
};

TEST_F(LabelledExamplesTest, EndWithTheVerdictAndWeighItApart) {
  const train::Example example = examples().at(0);
  ASSERT_EQ(example.tokens.size(), example.weights.size());
  EXPECT_EQ(example.weights.back(), 1.0F);
  for (std::size_t t = 0; t + 1 < example.weights.size(); ++t) EXPECT_EQ(example.weights[t], 0.25F) << t;
  const std::string verdict = read(example).verdict;
  EXPECT_TRUE(verdict == " A" || verdict == " B") << verdict;
}

TEST_F(LabelledExamplesTest, EveryPairComesOnceAPass) {
  const LabelledExamples all = examples();
  std::set<std::vector<std::string>> orders;
  for (int pass = 0; pass < 20; ++pass) {
    std::vector<std::string> order;
    for (int i = 0; i < 3; ++i) order.push_back(read(all.at(3 * pass + i)).prompt);
    EXPECT_EQ(std::set<std::string>(order.begin(), order.end()).size(), 3U) << pass;
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 1U);  // drawn anew
  EXPECT_EQ(all.at(40).tokens, all.at(40).tokens);
  EXPECT_EQ(examples().at(40).tokens, all.at(40).tokens);  // by the item alone
}

// Shown in both orders, the verdict names the side that people prefer, as often as they do.
TEST_F(LabelledExamplesTest, VerdictsFollowTheVotesInBothOrders) {
  const LabelledExamples all = examples();
  std::map<std::string, double> for_a, shown_first;
  constexpr int passes = 600;
  for (int i = 0; i < 3 * passes; ++i) {
    const Read one = read(all.at(i));
    const bool a_first = one.first == "Ann", said_first = one.verdict == " A";
    shown_first[one.prompt] += a_first ? 1.0 : 0.0;
    for_a[one.prompt] += a_first == said_first ? 1.0 : 0.0;
  }
  EXPECT_EQ(for_a["one"], passes);
  EXPECT_EQ(for_a["two"], 0.0);
  EXPECT_NEAR(for_a["six"] / passes, 2.0 / 3.0, 4.0 * 0.0193);  // standard error sqrt(2 / 9 / 600)
  for (const auto& [prompt, count] : shown_first) EXPECT_NEAR(count / passes, 0.5, 4.0 * 0.0205) << prompt;
  EXPECT_EQ(all.soft(), 1);
}

TEST_F(LabelledExamplesTest, LeaveOutWhatDoesNotFit) {
  write(R"({"prompt": "one", "response_a": "Ann", "response_b": "Oslo", "label": "a"}
{"prompt": ")" +
        std::string(600, 'x') + R"(", "response_a": "Ann", "response_b": "Oslo", "label": "b"}
)");
  const LabelledExamples all = examples();
  EXPECT_EQ(all.pairs(), 1);
  EXPECT_EQ(all.too_long(), 1);
  expect_error([&] { examples(8); }, ErrorKind::input, {file_.filename(), "no pair that fits", "8 tokens"});
}

TEST_F(LabelledExamplesTest, KeysThatContradictAreNamed) {
  check_labelled_examples(model_);
  model_.training.principles.clear();
  expect_error([&] { check_labelled_examples(model_); }, ErrorKind::usage, {"judge_model.principles", "has a place"});
  model_.training.verdict_first_template = judge::inputs / "judge_rationale_first.txt";
  expect_error([&] { check_labelled_examples(model_); }, ErrorKind::usage,
               {"judge_model.verdict_first_template", "asks for reasons first"});
  model_.training.pairs.clear();
  check_labelled_examples(model_);
  model_.training.principles = "some.txt";
  expect_error([&] { check_labelled_examples(model_); }, ErrorKind::usage,
               {"judge_model.principles", "without judge_model.pairs"});
}

TEST(RewardsThatAsk, SayHowOften) {
  EXPECT_EQ(comparisons_asked(reward_named("x", "judge"), 60.0, 4.0), 90.0);  // 15 groups of 6 pairs
  EXPECT_EQ(comparisons_asked(reward_named("x", "judge_score"), 60.0, 4.0), 60.0);
  EXPECT_EQ(comparisons_asked(reward_named("x", "model"), 60.0, 4.0), 0.0);
}

}  // namespace
}  // namespace rlaif::stages
