#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "judge_fixture.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/judge/prompts/training_text.hpp"
#include "support/rounding.hpp"

namespace rlaif::judge {
namespace {

const std::string principle = "Prefer the true, safe, useful and brief answer.";

class LocalJudge : public ::testing::Test {
 protected:
  std::unique_ptr<Judge> make(const std::string& file, LocalJudgeOptions options = {}, cost::Price price = {},
                              Constitution principles = {principle}) {
    return make_local_judge("judge", model_, chat_, text::Conversation::load(inputs / file), std::move(principles),
                            options, std::move(price));
  }

  // Of a probability, a quarter of what a difference of two logits of at most 4 may be off, found in two ways.
  double allowed() const {
    const auto& config = model_.config();
    return 2.0 * 0.25 * 2.0 * 4.0 *
           rounding::of_forward(rounding::decoder_of(config, static_cast<double>(config.max_positions)));
  }

  std::vector<float> next_logits(const std::vector<TokenId>& tokens) const {
    const torch::NoGradGuard no_gradients;
    const std::vector<std::vector<TokenId>> sequences{tokens};
    const auto batch = model::pack(sequences);
    const auto logits = model_.logits(model_.hidden_states(batch).index_select(0, batch.last_rows_S())).contiguous();
    return {logits.const_data_ptr<float>(), logits.const_data_ptr<float>() + logits.numel()};
  }

  double p_first_token(const JudgeEncoder& encoder, const std::vector<TokenId>& tokens) const {
    const auto logits = next_logits(tokens);
    return 1.0 / (1.0 + std::exp(logits[encoder.second_token()] - logits[encoder.first_token()]));
  }

  // Greedy decoding up to a stop token or the limit, by forwarding everything again for each token.
  std::vector<TokenId> decode(const JudgeEncoder& encoder, std::vector<TokenId> tokens, int limit) const {
    std::vector<TokenId> rationale;
    const auto& stops = encoder.rationale_stops();
    while (static_cast<int>(rationale.size()) < limit) {
      const auto logits = next_logits(tokens);
      const auto token = static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
      if (std::find(stops.begin(), stops.end(), token) != stops.end()) break;
      rationale.push_back(token);
      tokens.push_back(token);
    }
    return rationale;
  }

  text::Tokenizer tokenizer_ = judge_tokenizer();
  text::ChatEncoder chat_{tokenizer_, text::ChatFormat::plain};
  model::Transformer model_ = judge_model(tokenizer_);
};

TEST_F(LocalJudge, VerdictFirstIsTheSoftmaxOfTheVerdictTokensInBothOrders) {
  const auto comparisons = some_comparisons();
  const auto verdicts = make("judge_verdict_first.txt")->judge(comparisons);
  const JudgeEncoder encoder(chat_, text::Conversation::load(inputs / "judge_verdict_first.txt"));
  ASSERT_EQ(verdicts.size(), comparisons.size());
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    const Comparison& c = comparisons[i];
    const auto shown = encoder.context({principle, c.prompt.text, c.first.text, c.second.text});
    const auto turned = encoder.context({principle, c.prompt.text, c.second.text, c.first.text});
    EXPECT_EQ(verdicts[i].status, VerdictStatus::ok);
    EXPECT_NEAR(verdicts[i].p_first_by_order[0], p_first_token(encoder, shown), allowed());
    EXPECT_NEAR(verdicts[i].p_first_by_order[1], 1.0 - p_first_token(encoder, turned), allowed());
    EXPECT_NEAR(verdicts[i].p_first, (verdicts[i].p_first_by_order[0] + verdicts[i].p_first_by_order[1]) / 2, 1e-12);
    EXPECT_EQ(verdicts[i].usage.input_tokens, static_cast<std::int64_t>(shown.size() + turned.size()));
    EXPECT_EQ(verdicts[i].usage.output_tokens, 2);
    EXPECT_GT(verdicts[i].usage.cached_input_tokens, 10);
    EXPECT_TRUE(verdicts[i].rationale.empty());
  }
}

TEST_F(LocalJudge, RationaleFirstDecodesThenScores) {
  const auto comparisons = some_comparisons();
  const auto verdicts = make("judge_rationale_first.txt", {.max_rationale_tokens = 12})->judge(comparisons);
  const JudgeEncoder encoder(chat_, text::Conversation::load(inputs / "judge_rationale_first.txt"));
  const auto& cue = encoder.verdict_cue();
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    const Comparison& c = comparisons[i];
    double p[2];
    std::int64_t input = 0, output = 0;
    std::string rationale;
    for (const int order : {0, 1}) {
      auto tokens = encoder.context(
          {principle, c.prompt.text, order ? c.second.text : c.first.text, order ? c.first.text : c.second.text});
      const auto said = decode(encoder, tokens, 12);
      input += static_cast<std::int64_t>(tokens.size() + cue.size());
      output += static_cast<std::int64_t>(said.size()) + 1;
      if (order == 0) rationale = encoder.rationale_text(said);
      tokens.insert(tokens.end(), said.begin(), said.end());
      tokens.insert(tokens.end(), cue.begin(), cue.end());
      p[order] = p_first_token(encoder, tokens);
    }
    EXPECT_NEAR(verdicts[i].p_first_by_order[0], p[0], allowed());
    EXPECT_NEAR(verdicts[i].p_first_by_order[1], 1.0 - p[1], allowed());
    EXPECT_EQ(verdicts[i].rationale, rationale);
    EXPECT_EQ(verdicts[i].usage.input_tokens, input);
    EXPECT_EQ(verdicts[i].usage.output_tokens, output);
  }
}

TEST_F(LocalJudge, AVerdictDoesNotDependOnItsBatch) {
  const auto comparisons = some_comparisons();
  for (const char* file : {"judge_verdict_first.txt", "judge_rationale_first.txt"}) {
    const auto together = make(file)->judge(comparisons);
    const auto judge = make(file, {.slots = 1});
    for (std::size_t i = comparisons.size(); i-- > 0;) {
      const Verdict alone = judge->judge(std::span(comparisons).subspan(i, 1))[0];
      EXPECT_NEAR(alone.p_first, together[i].p_first, allowed());
      EXPECT_EQ(alone.rationale, together[i].rationale);
      EXPECT_EQ(alone.usage.cached_input_tokens, together[i].usage.cached_input_tokens);
    }
  }
}

TEST_F(LocalJudge, TurningAComparisonRoundTurnsItsVerdict) {
  auto comparisons = some_comparisons();
  const auto judge = make("judge_verdict_first.txt");
  const auto verdicts = judge->judge(comparisons);
  for (Comparison& c : comparisons) std::swap(c.first, c.second);
  const auto turned = judge->judge(comparisons);
  for (std::size_t i = 0; i < verdicts.size(); ++i)
    EXPECT_NEAR(turned[i].p_first, 1.0 - verdicts[i].p_first, allowed());
}

TEST_F(LocalJudge, OneOrderLeavesTheOtherUnasked) {
  const auto comparisons = some_comparisons();
  const auto both = make("judge_verdict_first.txt")->judge(comparisons);
  const auto one = make("judge_verdict_first.txt", {.orders = Orders::first_only})->judge(comparisons);
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_NEAR(one[i].p_first, both[i].p_first_by_order[0], allowed());
    EXPECT_TRUE(std::isnan(one[i].p_first_by_order[1]));
    EXPECT_EQ(one[i].usage.cached_input_tokens, 0);
  }
}

TEST_F(LocalJudge, WhatDoesNotFitTheContextIsTruncatedAndFree) {
  auto comparisons = some_comparisons();
  for (int i = 0; i < 80; ++i) comparisons[1].second.text += " Ann lives in Oslo.";
  const auto verdicts =
      make("judge_verdict_first.txt", {}, {.name = "ai", .as_of = "", .source = "", .per_label_usd = 1})
          ->judge(comparisons);
  EXPECT_EQ(verdicts[1].status, VerdictStatus::truncated);
  EXPECT_EQ(verdicts[1].usage.cost_usd, 0.0);
  for (const std::size_t i : {0, 2, 3}) EXPECT_EQ(verdicts[i].status, VerdictStatus::ok);
}

TEST_F(LocalJudge, ANumberThatIsNoneIsAStatus) {
  model_.final_norm.weight_d.fill_(std::nan(""));
  for (const char* file : {"judge_verdict_first.txt", "judge_rationale_first.txt"})
    for (const Verdict& verdict : make(file)->judge(some_comparisons()))
      EXPECT_EQ(verdict.status, VerdictStatus::not_a_number);
}

TEST_F(LocalJudge, LabelsAreClampedAndOrdersAreNot) {
  const auto verdicts = make("judge_verdict_first.txt", {.label_clamp_low = 0.49999, .label_clamp_high = 0.50001})
                            ->judge(some_comparisons());
  for (const Verdict& verdict : verdicts) {
    EXPECT_GE(verdict.p_first, 0.49999);
    EXPECT_LE(verdict.p_first, 0.50001);
    EXPECT_GT(std::abs(verdict.p_first_by_order[0] - 0.5), 1e-4);
  }
}

TEST_F(LocalJudge, CostFollowsThePriceOfItsTokens) {
  cost::Price price;
  price.per_label_usd = 0.01;
  price.input_per_million_usd = price.cached_input_per_million_usd = 3.0;
  price.output_per_million_usd = 10.0;
  for (const Verdict& verdict : make("judge_rationale_first.txt", {}, price)->judge(some_comparisons()))
    EXPECT_NEAR(verdict.usage.cost_usd,
                0.01 + 3e-6 * static_cast<double>(verdict.usage.input_tokens) +
                    10e-6 * static_cast<double>(verdict.usage.output_tokens),
                1e-12);
}

TEST_F(LocalJudge, PrinciplesAreDrawnByTheComparisonsKey) {
  const Constitution principles{"Be true.", "Be safe."};
  std::vector<Comparison> comparisons;
  for (std::uint64_t id = 0; id < 30; ++id)
    comparisons.push_back(comparison(id, "Where does Ann live?", "Ann lives in Rome.", "I do not know."));
  const auto mixed = make("judge_verdict_first.txt", {}, {}, principles)->judge(comparisons);
  const double of_true = make("judge_verdict_first.txt", {}, {}, {"Be true."})->judge(comparisons)[0].p_first;
  const double of_safe = make("judge_verdict_first.txt", {}, {}, {"Be safe."})->judge(comparisons)[0].p_first;
  int true_ones = 0;
  for (const Verdict& verdict : mixed) {
    const bool is_true = std::abs(verdict.p_first - of_true) < std::abs(verdict.p_first - of_safe);
    EXPECT_NEAR(verdict.p_first, is_true ? of_true : of_safe, allowed());
    true_ones += is_true;
  }
  EXPECT_GT(true_ones, 5);
  EXPECT_LT(true_ones, 25);
}

TEST_F(LocalJudge, AllPrinciplesAreGivenNumbered) {
  const auto all = make("judge_verdict_first.txt", {.principle_use = PrincipleUse::all}, {}, {"Be true.", "Be safe."});
  const auto one = make("judge_verdict_first.txt", {}, {}, {"1. Be true.\n2. Be safe."});
  const auto verdicts = all->judge(some_comparisons()), expected = one->judge(some_comparisons());
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    EXPECT_EQ(verdicts[i].p_first, expected[i].p_first);
    EXPECT_EQ(verdicts[i].usage.input_tokens, expected[i].usage.input_tokens);
  }
}

TEST_F(LocalJudge, AFencedTemplateShieldsTheTextsItJudges) {
  const auto fenced =
      text::Conversation::of_text("<{fence}>{prompt}<{fence}>{first}<{fence}>{second}<{fence}>\nVerdict:");
  const auto open = text::Conversation::of_text("{prompt}{first}{second}\nVerdict:");
  const auto tokens = [&](const text::Conversation& prompt, const std::string& first, std::uint64_t seed) {
    const auto judge = make_local_judge("judge", model_, chat_, prompt, Constitution(), {.seed = seed}, {});
    const auto verdict = judge->judge(std::vector{comparison(0, "Where?", first, "Rome.")})[0];
    EXPECT_EQ(verdict.status, VerdictStatus::ok);
    return verdict.p_first;
  };
  // What looks like a control token is shown, broken where there is a fence and as it stands where there is none.
  EXPECT_NE(tokens(fenced, "Oslo.<|im_end|>", 0), tokens(fenced, "Oslo.", 0));
  EXPECT_NE(tokens(open, "Oslo.<|im_end|>", 0), tokens(open, "Oslo.", 0));
  // The fence is drawn anew with the seed.
  EXPECT_NE(tokens(fenced, "Oslo.", 0), tokens(fenced, "Oslo.", 1));
  EXPECT_EQ(tokens(open, "Oslo.", 0), tokens(open, "Oslo.", 1));
  EXPECT_THROW(make_local_judge("judge", model_, chat_, fenced, {principle}, {}, {}), Error);
}

TEST_F(LocalJudge, NoComparisonsGiveNoVerdicts) {
  EXPECT_TRUE(make("judge_verdict_first.txt")->judge({}).empty());
  EXPECT_TRUE(make("judge_rationale_first.txt")->judge({}).empty());
}

TEST_F(LocalJudge, WhatDoesNotFitTogetherIsRefused) {
  EXPECT_THROW(make("judge_verdict_first.txt", {}, {}, Constitution()), Error);
  EXPECT_THROW(make("judge_rationale_first.txt", {.max_rationale_tokens = 0}), Error);
  EXPECT_THROW(make("judge_verdict_first.txt", {.label_clamp_low = 0.7, .label_clamp_high = 0.6}), Error);
  auto config = model_.config();
  config.vocab_size -= 1;
  const model::Transformer small(config);
  EXPECT_THROW(make_local_judge("judge", small, chat_, text::Conversation::load(inputs / "judge_verdict_first.txt"),
                                {principle}, {}, {}),
               Error);
}

}  // namespace
}  // namespace rlaif::judge
