#include "rlaif/judge/scorer.hpp"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "judge_fixture.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/judge/kinds/combine.hpp"
#include "rlaif/judge/kinds/rules.hpp"
#include "rlaif/judge/prompts/scores.hpp"
#include "rlaif/judge/prompts/training_text.hpp"
#include "support/rounding.hpp"

namespace rlaif::judge {
namespace {

const std::string one_principle = "Prefer the true, safe, useful and brief answer.";

// Prompts and completions, and the responses that they are.
class Answers {
 public:
  explicit Answers(const std::vector<std::string>& texts, const std::string& question = "Where does Ann live?") {
    prompt_.id = 7;
    prompt_.text = question;
    for (const std::string& text : texts) completions_.push_back(completion(text));
  }
  std::vector<Response> all() const {
    std::vector<Response> responses;
    for (const Completion& one : completions_) responses.push_back({&prompt_, &one});
    return responses;
  }

 private:
  Prompt prompt_;
  std::vector<Completion> completions_;
};

class LocalScorer : public ::testing::Test {
 protected:
  std::unique_ptr<Judge> make(const std::string& file, LocalJudgeOptions options = {},
                              Constitution principles = {one_principle}, cost::Price price = {}) {
    return make_local_judge("judge", model_, chat_, text::Conversation::load(inputs / file), std::move(principles),
                            options, std::move(price));
  }
  static LocalJudgeOptions without_least_mass() {
    LocalJudgeOptions options;
    options.scores.least_mass = 0.0;
    return options;
  }

  double probability(std::vector<TokenId> context, const std::vector<TokenId>& said) const {
    const torch::NoGradGuard no_gradients;
    double p = 1.0;
    for (const TokenId token : said) {
      const std::vector<std::vector<TokenId>> sequences{context};
      const auto batch = model::pack(sequences);
      const auto logits = model_.logits(model_.hidden_states(batch).index_select(0, batch.last_rows_S())).contiguous();
      const float* of_token = logits.const_data_ptr<float>();
      double sum = 0.0;
      for (std::int64_t v = 0; v < logits.numel(); ++v) sum += std::exp(static_cast<double>(of_token[v]));
      p *= std::exp(static_cast<double>(of_token[token])) / sum;
      context.push_back(token);
    }
    return p;
  }

  // The expectation over 1 to 10 by one forward pass a token: what goes on to 10 is no 1.
  double expected(const JudgeEncoder& encoder, const std::string& question, const std::string& answer) const {
    text::ShownTexts texts{.principles = one_principle, .prompt = question};
    texts.response = answer;
    const std::vector<TokenId> context = encoder.context(texts);
    double mass = 0.0, sum = 0.0;
    for (int score = 1; score <= 10; ++score) {
      double p = probability(context, encoder.answers()[static_cast<std::size_t>(score - 1)]);
      if (score == 1 && encoder.answers()[9].size() > encoder.answers()[0].size())
        p -= probability(context, encoder.answers()[9]);
      mass += p;
      sum += p * score;
    }
    return sum / mass;
  }

  text::Tokenizer tokenizer_ = judge_tokenizer();
  text::ChatEncoder chat_{tokenizer_, text::ChatFormat::plain};
  model::Transformer model_ = judge_model(tokenizer_);
};

TEST_F(LocalScorer, IsTheExpectationOverNumbersOfOneAndOfSeveralTokens) {
  const JudgeEncoder encoder(chat_, text::Conversation::load(inputs / "judge_score.txt"));
  ASSERT_GT(encoder.answers()[9].size(), encoder.answers()[0].size());  // "10" goes on from "1" here
  const std::vector<std::string> texts{"Ann lives in Rome.", "I do not know.", "", "Score: 10"};
  const Answers answers(texts);
  const auto scores = make("judge_score.txt", without_least_mass())->scorer()->score(answers.all());
  ASSERT_EQ(scores.size(), texts.size());
  std::set<double> distinct;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    ASSERT_EQ(scores[i].status, VerdictStatus::ok) << i;
    const double reward = score_reward(expected(encoder, "Where does Ann live?", texts[i]), {1, 10});
    EXPECT_NEAR(scores[i].score, reward, 1e-4) << i;
    EXPECT_GT(scores[i].usage.input_tokens, 20);
    EXPECT_EQ(scores[i].usage.output_tokens, 1);
    distinct.insert(scores[i].score);
  }
  EXPECT_EQ(distinct.size(), texts.size());
}

TEST_F(LocalScorer, DoesNotDependOnWhatElseIsAsked) {
  const Answers both({"Ann lives in Rome.", "I do not know."}), one({"I do not know."});
  for (const char* file : {"judge_score.txt", "judge_score_reasoned.txt"}) {
    LocalJudgeOptions options = without_least_mass();
    options.slots = 1;
    const auto judge = make(file, options);
    const auto together = judge->scorer()->score(both.all()), alone = judge->scorer()->score(one.all());
    EXPECT_EQ(together[1].status, alone[0].status) << file;
    if (alone[0].status != VerdictStatus::ok) continue;
    EXPECT_NEAR(together[1].score, alone[0].score, 1e-6) << file;
  }
}

TEST_F(LocalScorer, HasNoScoreWhereTheScaleHasTooLittleMass) {
  const Answers answers({"Ann lives in Rome."});
  const auto scores = make("judge_score.txt")->scorer()->score(answers.all());
  EXPECT_EQ(scores[0].status, VerdictStatus::unparseable);  // a model that has learned nothing
  EXPECT_TRUE(std::isnan(scores[0].score));
}

TEST_F(LocalScorer, HasNoScoreWhereTheReasonDoesNotEnd) {
  LocalJudgeOptions options = without_least_mass();
  options.max_rationale_tokens = 1;
  const Answers answers({"Ann lives in Rome."});
  const auto score = make("judge_score_reasoned.txt", options)->scorer()->score(answers.all()).front();
  EXPECT_EQ(score.status, VerdictStatus::truncated);
  EXPECT_GT(score.usage.input_tokens, 0);
}

TEST_F(LocalScorer, CostsNothingWhereAResponseDoesNotFit) {
  std::string longest;
  for (int i = 0; i < 200; ++i) longest += "Ann lives in Rome. ";
  const Answers answers({longest, "Ann lives in Rome."});
  cost::Price price;
  price.per_label_usd = 0.25;
  const auto judge = make("judge_score.txt", without_least_mass(), {one_principle}, price);
  const auto scores = judge->scorer()->score(answers.all());
  EXPECT_EQ(scores[0].status, VerdictStatus::truncated);
  EXPECT_EQ(scores[0].usage.cost_usd, 0.0);
  EXPECT_EQ(scores[1].usage.cost_usd, 0.25);
  const Verdict verdict = judge->judge(std::vector{comparison(0, "?", longest, "Rome.")}).front();
  EXPECT_EQ(verdict.status, VerdictStatus::truncated);
  EXPECT_EQ(verdict.usage.cost_usd, 0.0);
}

TEST_F(LocalScorer, ComparesByTheDifferenceOfItsScores) {
  LocalJudgeOptions options = without_least_mass();
  options.scores.temperature = 0.5;
  const auto judge = make("judge_score.txt", options);
  const Answers answers({"Ann lives in Rome.", "I do not know."});
  const auto scores = judge->scorer()->score(answers.all());
  Comparison pair = comparison(3, "Where does Ann live?", "Ann lives in Rome.", "I do not know.");
  pair.prompt.id = 7;
  const Verdict verdict = judge->judge(std::vector{pair}).front();
  EXPECT_NEAR(verdict.p_first, 1.0 / (1.0 + std::exp((scores[1].score - scores[0].score) / 0.5)), 1e-6);
  EXPECT_EQ(verdict.p_first_by_order[0], verdict.p_first_by_order[1]);
}

TEST_F(LocalScorer, ATemplateOfComparisonsScoresNothing) {
  EXPECT_EQ(make("judge_verdict_first.txt")->scorer(), nullptr);
  LocalJudgeOptions options;
  options.principle_use = PrincipleUse::each;
  EXPECT_THROW(make("judge_verdict_first.txt", options), Error);
}

// Each principle by itself gives what it gives alone; together they are weighed.
TEST_F(LocalScorer, WeighsPrinciples) {
  const Answers answers({"Ann lives in Rome."});
  LocalJudgeOptions options = without_least_mass();
  options.principle_use = PrincipleUse::each;
  const auto of = [&](Constitution principles) {
    return make("judge_score.txt", options, std::move(principles))->scorer()->score(answers.all()).front();
  };
  const ResponseScore a = of({"Be true."}), b = of({"Be brief."}), both = of({"Be true.", "Be brief."});
  ASSERT_EQ(both.status, VerdictStatus::ok);
  EXPECT_NE(a.score, b.score);
  EXPECT_NEAR(both.score, 0.5 * (a.score + b.score), 1e-6);
  EXPECT_EQ(both.usage.input_tokens, a.usage.input_tokens + b.usage.input_tokens);
}

// A judge whose scores are known by the response's text; a text that is not known has none.
class Known final : public Judge, public ResponseScorer {
 public:
  Known(std::string name, std::map<std::string, double> scores) : name_(std::move(name)), scores_(std::move(scores)) {}
  const std::string& name() const override { return name_; }
  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    return std::vector<Verdict>(comparisons.size());
  }
  ResponseScorer* scorer() override { return this; }
  std::vector<ResponseScore> score(std::span<const Response> responses) override {
    std::vector<ResponseScore> scores;
    for (const Response& one : responses) {
      asked.push_back(one.completion->text);
      ResponseScore& score = scores.emplace_back();
      score.usage.cost_usd = 1.0;
      const auto found = scores_.find(one.completion->text);
      score.status = found == scores_.end() ? VerdictStatus::refused : VerdictStatus::ok;
      if (found != scores_.end()) score.score = found->second;
    }
    return scores;
  }
  std::vector<std::string> asked;

 private:
  std::string name_;
  std::map<std::string, double> scores_;
};

TEST(CombinedScores, AnEnsembleIsTheMeanOfWhoHasAScore) {
  const auto a = std::make_shared<Known>("a", std::map<std::string, double>{{"x", 1.0}, {"y", 0.5}});
  const auto b = std::make_shared<Known>("b", std::map<std::string, double>{{"x", 0.0}});
  const auto c = std::make_shared<Known>("c", std::map<std::string, double>{{"x", -0.4}, {"y", -0.5}});
  const auto judge = make_ensemble("panel", {{a, {}}, {b, {}}, {c, {}}}, {Vote::mean, 0});
  const Answers answers({"x", "y", "z"});
  const auto scores = judge->scorer()->score(answers.all());
  EXPECT_NEAR(scores[0].score, 0.2, 1e-15);
  EXPECT_NEAR(scores[1].score, 0.0, 1e-15);
  EXPECT_EQ(scores[2].status, VerdictStatus::refused);
  EXPECT_EQ(scores[0].usage.cost_usd, 3.0);
  EXPECT_EQ(make_ensemble("panel", {{a, {}}, {b, {}}}, {Vote::majority, 0})->scorer(), nullptr);
}

// Levels of the seed: whoever fails safety gets nothing for help, and is not asked about it.
TEST(CombinedScores, AFailedLevelGetsNothingForTheLevelsBehindIt) {
  const auto safe = std::make_shared<Known>("safe", std::map<std::string, double>{{"x", 0.8}, {"y", -0.4}, {"w", 0.8}});
  const auto kind = std::make_shared<Known>("kind", std::map<std::string, double>{{"x", 0.2}, {"y", 1.0}});
  const auto judge = make_hierarchy("levels", {{safe, {}}, {kind, {}}}, {0.8, 0.0});
  const Answers answers({"x", "y", "z", "w"});
  const auto scores = judge->scorer()->score(answers.all());
  EXPECT_NEAR(scores[0].score, 0.5, 1e-15);
  EXPECT_NEAR(scores[1].score, -0.7, 1e-15);  // (-0.4 - 1) / 2
  EXPECT_EQ(scores[2].status, VerdictStatus::refused);
  EXPECT_EQ(scores[3].status, VerdictStatus::refused);
  EXPECT_EQ(kind->asked, (std::vector<std::string>{"x", "w"}));
  EXPECT_THROW(make_hierarchy("levels", {{safe, {}}, {kind, {}}}, {0.8, 1.5}), Error);
}

TEST(CombinedScores, RulesAreTheShareOfTheirWeight) {
  const RuleBook book = RuleBook::load(inputs / "rules_brief.json");
  cost::Price price;
  price.per_label_usd = 0.5;
  const auto judge = make_rules_judge("rules", book, price);
  const Answers answers({"Hang them up in a dry place.", "..."}, "How do I dry herbs?");
  const auto scores = judge->scorer()->score(answers.all());
  const RuleScores kept = book.score("How do I dry herbs?", "Hang them up in a dry place.", true);
  EXPECT_NEAR(scores[0].score, 2.0 * kept.score / book.total_weight() - 1.0, 1e-15);
  EXPECT_GT(scores[0].score, scores[1].score);
  EXPECT_GE(scores[1].score, -1.0);
  EXPECT_EQ(scores[0].usage.cost_usd, 0.5);
}

}  // namespace
}  // namespace rlaif::judge
