#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/model/transformer.hpp"
#include "support/rounding.hpp"

namespace rlaif::generate {
namespace {

model::Transformer tiny_model(std::int64_t max_positions = 96) {
  model::ModelConfig config;
  config.vocab_size = 61;
  config.hidden_size = 32;
  config.num_layers = 2;
  config.num_heads = 4;
  config.num_kv_heads = 2;
  config.head_dim = 8;
  config.intermediate_size = 48;
  config.max_positions = max_positions;
  model::Transformer model(config);
  model.initialize(7);
  return model;
}

// Of a log-probability that the tiny model's logits, of at most 4, give in two ways.
double allowed(double temperature = 1.0) {
  static const double forward = rounding::of_forward(rounding::decoder_of(tiny_model().config(), 96));
  return 2.0 * (4.0 / (temperature > 0.0 ? temperature : 1.0)) * (forward + rounding::of_chain({61}, 2));
}

// log softmax(logits / temperature) after the last token, by a forward pass over the whole sequence.
std::vector<double> full_forward(const model::Transformer& model, const std::vector<TokenId>& tokens,
                                 double temperature = 1.0) {
  const torch::NoGradGuard no_gradients;
  const std::vector<std::vector<TokenId>> sequences{tokens};
  const auto batch = model::pack(sequences);
  const auto last = model.hidden_states(batch).index_select(0, batch.last_rows_S());
  const auto log_probs = torch::log_softmax(model.logits(last).to(torch::kFloat64) / temperature, -1).contiguous();
  return {log_probs.const_data_ptr<double>(), log_probs.const_data_ptr<double>() + log_probs.numel()};
}

std::vector<TokenId> random_tokens(std::size_t length, Rng& rng) {
  std::vector<TokenId> tokens(length);
  for (TokenId& token : tokens) token = static_cast<TokenId>(rng.below(61));
  return tokens;
}

std::vector<GenerationRequest> some_requests(int count, int samples, std::uint64_t seed = 1) {
  Rng rng(seed, Stream::test);
  std::vector<GenerationRequest> requests;
  for (int r = 0; r < count; ++r) {
    GenerationRequest request;
    request.prompt_id = 100 + r;
    request.prompt_tokens = random_tokens(1 + rng.below(20), rng);
    for (int k = 0; k < samples; ++k) request.samples.push_back(k);
    requests.push_back(request);
  }
  return requests;
}

SamplingOptions some_options() {
  SamplingOptions options;
  options.max_new_tokens = 25;
  options.stop_tokens = {3, 17, 30, 44};
  options.seed = 9;
  return options;
}

using Results = std::vector<std::vector<Generated>>;

void expect_same(const Results& a, const Results& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t r = 0; r < a.size(); ++r) {
    ASSERT_EQ(a[r].size(), b[r].size());
    for (std::size_t k = 0; k < a[r].size(); ++k) {
      EXPECT_EQ(a[r][k].sample, b[r][k].sample);
      EXPECT_EQ(a[r][k].tokens, b[r][k].tokens);
      EXPECT_EQ(a[r][k].ended, b[r][k].ended);
      ASSERT_EQ(a[r][k].log_probs.size(), b[r][k].log_probs.size());
      for (std::size_t i = 0; i < a[r][k].log_probs.size(); ++i)
        EXPECT_NEAR(a[r][k].log_probs[i], b[r][k].log_probs[i], allowed());
    }
  }
}

void expect_log_probs_of_full_forward(const model::Transformer& model, const GenerationRequest& request,
                                      const Generated& drawn, const SamplingOptions& options) {
  std::vector<TokenId> sequence = request.prompt_tokens;
  for (std::size_t i = 0; i < drawn.log_probs.size(); ++i) {
    const auto expected = full_forward(model, sequence, options.temperature);
    if (i < drawn.tokens.size()) {
      EXPECT_NEAR(drawn.log_probs[i], expected[drawn.tokens[i]], allowed(options.temperature));
      sequence.push_back(drawn.tokens[i]);
      continue;
    }
    EXPECT_NE(std::find(options.stop_tokens.begin(), options.stop_tokens.end(), drawn.end_token),
              options.stop_tokens.end());
    EXPECT_NEAR(drawn.log_probs[i], expected[drawn.end_token], allowed(options.temperature));
  }
}

TEST(Engine, DrawsNoTokenThatHasNoName) {
  auto model = tiny_model();
  std::vector<TokenId> nameless;
  for (TokenId id = 20; id < 61; ++id) nameless.push_back(id);
  model.set_tokens(EndTokens({3, 17}), nameless);
  // Views and copies draw alike.
  for (const model::Transformer& drawn_from : {model.share(), model.clone(), model.merged()}) {
    EXPECT_EQ(drawn_from.nameless_tokens(), nameless);
    EXPECT_EQ(drawn_from.config().end_tokens, EndTokens({3, 17}));
    Engine engine(drawn_from, {.slots = 5});
    EXPECT_EQ(engine.end_tokens(), EndTokens({3, 17}));
    SamplingOptions options = some_options();
    options.stop_tokens = engine.end_tokens().ids();
    int drawn = 0;
    for (const auto& of_request : engine.generate(some_requests(12, 3), options)) {
      for (const Generated& one : of_request) {
        EXPECT_EQ(one.ended, one.end_token == 3 || one.end_token == 17);
        for (const TokenId token : one.tokens) {
          EXPECT_LT(token, 20);
          ++drawn;
        }
      }
    }
    EXPECT_GT(drawn, 36);
  }
}

TEST(Engine, LogProbsAreThoseOfForwardingTheWholeSequence) {
  const auto model = tiny_model();
  const auto requests = some_requests(12, 3);
  SamplingOptions options = some_options();
  options.temperature = 0.8;
  Engine engine(model, {.slots = 5, .max_prefill_tokens = 16});
  const auto results = engine.generate(requests, options);
  int ended = 0, full = 0;
  for (std::size_t r = 0; r < requests.size(); ++r) {
    for (const Generated& drawn : results[r]) {
      EXPECT_EQ(drawn.log_probs.size(), drawn.tokens.size() + drawn.ended);
      EXPECT_TRUE(drawn.ended || drawn.tokens.size() == 25u);
      ++(drawn.ended ? ended : full);
      expect_log_probs_of_full_forward(model, requests[r], drawn, options);
    }
  }
  EXPECT_GT(ended, 0);
  EXPECT_GT(full, 0);
}

TEST(Engine, ResultsDoNotDependOnSlotsOrPrefillLimit) {
  const auto model = tiny_model();
  const auto requests = some_requests(10, 4);
  const auto options = some_options();
  const Results expected = Engine(model, {.slots = 64}).generate(requests, options);
  for (const int slots : {1, 3, 16})
    for (const int limit : {1, 7, 1024})
      expect_same(Engine(model, {.slots = slots, .max_prefill_tokens = limit}).generate(requests, options), expected);
}

TEST(Engine, ADrawDependsOnItsKeyAndNotOnTheBatch) {
  const auto model = tiny_model();
  const auto options = some_options();
  const auto requests = some_requests(6, 3);
  Engine engine(model, {.slots = 8});
  const Results together = engine.generate(requests, options);
  for (std::size_t r = 0; r < requests.size(); ++r) {
    for (std::size_t k = 0; k < 3; ++k) {
      GenerationRequest alone = requests[r];
      alone.samples = {static_cast<std::uint32_t>(k)};
      expect_same(engine.generate(std::span(&alone, 1), options), {{together[r][k]}});
    }
  }
  EXPECT_NE(together[0][0].tokens, together[0][1].tokens);
}

TEST(Engine, ACallLeavesNoTraceInTheNext) {
  const auto model = tiny_model();
  const auto options = some_options();
  const auto requests = some_requests(9, 2);
  const Results fresh = Engine(model, {.slots = 4}).generate(requests, options);
  Engine used(model, {.slots = 4});
  used.generate(some_requests(7, 5, 2), options);
  used.next_token_log_probs(std::vector<std::vector<TokenId>>(1, std::vector<TokenId>(90, 5)), std::vector<TokenId>{1});
  const Results again = used.generate(requests, options);
  for (std::size_t r = 0; r < fresh.size(); ++r) {
    for (std::size_t k = 0; k < fresh[r].size(); ++k) {
      EXPECT_EQ(fresh[r][k].tokens, again[r][k].tokens);
      EXPECT_EQ(fresh[r][k].log_probs, again[r][k].log_probs);  // the same bits
    }
  }
}

TEST(Engine, TheCacheFollowsTheModelsWeights) {
  auto model = tiny_model();
  const auto options = some_options();
  const auto requests = some_requests(3, 1);
  Engine engine(model, {});
  engine.generate(requests, options);
  model.initialize(8);
  expect_same(engine.generate(requests, options), Engine(model, {}).generate(requests, options));
}

TEST(Engine, SamplesOfAPromptShareIt) {
  const auto model = tiny_model();
  Rng rng(4, Stream::test);
  GenerationRequest request{random_tokens(30, rng), 5, {0, 1, 2, 3, 4, 5, 6, 7}};
  SamplingOptions options = some_options();
  for (const int slots : {1, 3, 8}) {
    Engine engine(model, {.slots = slots});
    engine.generate(std::span(&request, 1), options);
    // The whole once, then the last token for every other sample.
    EXPECT_EQ(engine.statistics().prompt_tokens, 30 + 7) << slots;
    EXPECT_EQ(engine.statistics().shared_prompt_tokens, 7 * 29) << slots;
  }
}

TEST(Engine, WithoutSharingEveryPromptIsComputedWhole) {
  const auto model = tiny_model();
  const auto requests = some_requests(5, 3);
  const auto options = some_options();
  Engine engine(model, {.slots = 4, .share_prefixes = false});
  expect_same(engine.generate(requests, options), Engine(model, {.slots = 4}).generate(requests, options));
  std::int64_t tokens = 0;
  for (const auto& request : requests) tokens += 3 * static_cast<std::int64_t>(request.prompt_tokens.size());
  EXPECT_EQ(engine.statistics().prompt_tokens, tokens);
  EXPECT_EQ(engine.statistics().shared_prompt_tokens, 0);
}

TEST(Engine, LongPromptsAreBegunFirstWhateverTheirPlace) {
  const auto model = tiny_model(640);
  Rng rng(6, Stream::test);
  auto requests = some_requests(6, 1);
  requests.push_back({random_tokens(600, rng), 7, {0, 1}});
  SamplingOptions options = some_options();
  options.stop_tokens.clear();
  Engine engine(model, {.slots = 2, .max_prefill_tokens = 100});
  const Results last = engine.generate(requests, options);
  const std::int64_t passes = engine.statistics().forward_passes;
  expect_same(last, Engine(model, {}).generate(requests, options));

  std::rotate(requests.begin(), requests.end() - 1, requests.end());
  engine.reset_statistics();
  Results first = engine.generate(requests, options);
  EXPECT_EQ(engine.statistics().forward_passes, passes);
  std::rotate(first.begin(), first.begin() + 1, first.end());
  expect_same(first, last);
}

TEST(Engine, StatisticsCountPassesAndDraws) {
  const auto model = tiny_model();
  const auto requests = some_requests(4, 1);
  Engine engine(model, {.slots = 4});
  const auto results = engine.generate(requests, some_options());
  std::int64_t draws = 0, longest = 0;
  for (const auto& result : results) {
    draws += static_cast<std::int64_t>(result[0].log_probs.size());
    longest = std::max(longest, static_cast<std::int64_t>(result[0].log_probs.size()));
  }
  EXPECT_EQ(engine.statistics().generated_tokens, draws);
  EXPECT_EQ(engine.statistics().forward_passes, longest);
  engine.reset_statistics();
  EXPECT_EQ(engine.statistics().forward_passes, 0);
}

TEST(Engine, TopKOfOneDecodesAsGreedy) {
  const auto model = tiny_model();
  const auto requests = some_requests(5, 1);
  SamplingOptions greedy = some_options(), top_one = some_options();
  greedy.temperature = 0.0;
  top_one.top_k = 1;
  expect_same(Engine(model, {}).generate(requests, greedy), Engine(model, {}).generate(requests, top_one));
}

TEST(Engine, AStopTokenDrawnFirstGivesAnEmptyEndedSequence) {
  const auto model = tiny_model();
  const auto requests = some_requests(3, 1);
  SamplingOptions options = some_options();
  options.stop_tokens.clear();
  for (TokenId token = 0; token < 61; ++token) options.stop_tokens.push_back(token);
  for (const auto& result : Engine(model, {.slots = 2}).generate(requests, options)) {
    EXPECT_TRUE(result[0].ended);
    EXPECT_TRUE(result[0].tokens.empty());
    EXPECT_EQ(result[0].log_probs.size(), 1u);
  }
}

TEST(Engine, NoRequestsGiveNoResults) {
  const auto model = tiny_model();
  Engine engine(model, {});
  EXPECT_TRUE(engine.generate({}, some_options()).empty());
  EXPECT_TRUE(engine.next_token_log_probs({}, {}).empty());
  const std::vector<GenerationRequest> without_samples{{{1, 2}, 0, {}}};
  EXPECT_TRUE(engine.generate(without_samples, some_options())[0].empty());
}

TEST(Engine, OptionsOutOfRangeAreRefused) {
  const auto model = tiny_model();
  Engine engine(model, {});
  const auto requests = some_requests(1, 1);
  const auto refuses = [&](auto change) {
    SamplingOptions options = some_options();
    change(options);
    EXPECT_THROW(engine.generate(requests, options), Error);
  };
  refuses([](SamplingOptions& o) { o.temperature = -1.0; });
  refuses([](SamplingOptions& o) { o.temperature = std::nan(""); });
  refuses([](SamplingOptions& o) { o.top_p = 0.0; });
  refuses([](SamplingOptions& o) { o.top_k = -1; });
  refuses([](SamplingOptions& o) { o.max_new_tokens = 0; });
  EXPECT_THROW(Engine(model, {.slots = 0}), Error);
  EXPECT_THROW(Engine(model, {.max_prefill_tokens = 0}), Error);
}

TEST(EngineDeathTest, ARequestThatDoesNotFitTheContextIsADefect) {
  const auto model = tiny_model();
  Engine engine(model, {});
  const std::vector<GenerationRequest> requests{{std::vector<TokenId>(72, 1), 0, {0}}};
  EXPECT_DEATH(engine.generate(requests, some_options()), "context");
}

// Pairs in both orders after a common head, as a judge asks them.
std::vector<std::vector<TokenId>> judge_like_sequences() {
  Rng rng(12, Stream::test);
  const auto head = random_tokens(11, rng);
  std::vector<std::vector<TokenId>> sequences;
  for (int pair = 0; pair < 13; ++pair) {
    const auto question = random_tokens(8, rng), a = random_tokens(4 + rng.below(9), rng), b = random_tokens(7, rng);
    for (const auto& [first, second] : {std::pair(a, b), std::pair(b, a)}) {
      std::vector<TokenId> sequence = head;
      for (const auto* part : {&question, &first, &second}) sequence.insert(sequence.end(), part->begin(), part->end());
      sequences.push_back(sequence);
    }
  }
  Rng(3, Stream::test).shuffle(sequences);
  return sequences;
}

TEST(NextTokenLogProbs, AreThoseOfForwardingTheWholeSequence) {
  const auto model = tiny_model();
  auto sequences = judge_like_sequences();
  sequences.push_back({5});
  sequences.push_back(sequences[3]);                                       // one twice
  sequences.push_back({sequences[4].begin(), sequences[4].begin() + 20});  // a prefix of another
  const std::vector<TokenId> candidates{8, 2, 60};
  for (const int slots : {1, 4, 64}) {
    for (const int limit : {5, 1024}) {
      const auto results =
          Engine(model, {.slots = slots, .max_prefill_tokens = limit}).next_token_log_probs(sequences, candidates);
      ASSERT_EQ(results.size(), sequences.size());
      for (std::size_t i = 0; i < sequences.size(); ++i) {
        const auto expected = full_forward(model, sequences[i]);
        for (std::size_t c = 0; c < candidates.size(); ++c)
          EXPECT_NEAR(results[i][c], expected[candidates[c]], allowed());
      }
    }
  }
}

TEST(NextTokenLogProbs, CommonPrefixesAreComputedOnce) {
  const auto model = tiny_model();
  const auto sequences = judge_like_sequences();
  std::set<std::vector<TokenId>> prefixes;  // every different one has to be computed once
  std::int64_t tokens = 0;
  for (const auto& sequence : sequences) {
    tokens += static_cast<std::int64_t>(sequence.size());
    for (std::size_t length = 1; length <= sequence.size(); ++length)
      prefixes.emplace(sequence.begin(), sequence.begin() + static_cast<std::ptrdiff_t>(length));
  }
  const auto needed = static_cast<std::int64_t>(prefixes.size());
  EXPECT_LT(needed, tokens * 3 / 5);
  for (const int slots : {1, 4, 64}) {
    Engine engine(model, {.slots = slots});
    engine.next_token_log_probs(sequences, std::vector<TokenId>{1});
    // A few tokens that two responses begin with by chance may be computed twice.
    EXPECT_GE(engine.statistics().prompt_tokens, needed) << slots;
    EXPECT_LE(engine.statistics().prompt_tokens, needed + 4) << slots;
    EXPECT_EQ(engine.statistics().prompt_tokens + engine.statistics().shared_prompt_tokens, tokens) << slots;
    EXPECT_EQ(engine.statistics().generated_tokens, 0);
  }
  Engine engine(model, {});
  engine.next_token_log_probs(sequences, std::vector<TokenId>{1});
  EXPECT_LE(engine.statistics().forward_passes, 4);
}

TEST(GenerateAndScore, ReadsTheCandidatesAfterTheSuffix) {
  const auto model = tiny_model();
  const auto requests = some_requests(9, 2);
  const SamplingOptions options = some_options();
  const std::vector<TokenId> suffix{50, 51, 52}, candidates{4, 9};
  for (const int slots : {1, 4, 64}) {
    Engine engine(model, {.slots = slots});
    const auto results = engine.generate_and_score(requests, options, suffix, candidates);
    expect_same(results, Engine(model, {}).generate(requests, options));
    for (std::size_t r = 0; r < requests.size(); ++r) {
      for (const Generated& drawn : results[r]) {
        std::vector<TokenId> sequence = requests[r].prompt_tokens;
        sequence.insert(sequence.end(), drawn.tokens.begin(), drawn.tokens.end());
        sequence.insert(sequence.end(), suffix.begin(), suffix.end());
        const auto expected = full_forward(model, sequence);
        ASSERT_EQ(drawn.candidate_log_probs.size(), 2u);
        for (std::size_t c = 0; c < 2; ++c)
          EXPECT_NEAR(drawn.candidate_log_probs[c], expected[candidates[c]], allowed());
      }
    }
  }
}

}  // namespace
}  // namespace rlaif::generate
