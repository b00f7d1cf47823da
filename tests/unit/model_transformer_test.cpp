#include "rlaif/model/transformer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/model/torch.hpp"
#include "support/rounding.hpp"

namespace rlaif::model {
namespace {

using ::testing::HasSubstr;
using torch::Tensor;

ModelConfig small_config() {
  ModelConfig config;
  config.vocab_size = 50;
  config.hidden_size = 24;
  config.num_layers = 2;
  config.num_heads = 4;
  config.num_kv_heads = 2;
  config.head_dim = 12;
  config.intermediate_size = 40;
  config.max_positions = 64;
  return config;
}

Transformer small_model(std::uint64_t seed = 3) {
  Transformer model(small_config());
  model.initialize(seed);
  return model;
}

std::vector<std::vector<TokenId>> sequences(const std::vector<std::size_t>& lengths, std::uint64_t key = 0) {
  Rng rng(5, Stream::test, {key});
  std::vector<std::vector<TokenId>> all;
  for (const std::size_t length : lengths) {
    all.emplace_back();
    for (std::size_t i = 0; i < length; ++i) all.back().push_back(static_cast<TokenId>(rng.below(50)));
  }
  return all;
}

double difference(const Tensor& found, const Tensor& expected) {
  return ((found - expected).abs().max() / expected.abs().max()).item<double>();
}

// All of a slot's tokens from `begin` on, as rows.
void add_rows(CacheRows& rows, std::int32_t slot, const std::vector<TokenId>& tokens, std::size_t begin,
              std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    rows.tokens.push_back(tokens[i]);
    rows.slots.push_back(slot);
    rows.positions.push_back(static_cast<std::int32_t>(i));
  }
}

// Two ways to the same states, relative to the largest.
const double tolerance = 2.0 * rounding::of_forward(rounding::decoder_of(small_config(), 64));

TEST(Pack, LaysSequencesEndToEnd) {
  const PackedSequences packed = pack(std::vector<std::vector<TokenId>>{{5, 6, 7}, {8}, {9, 10}});
  EXPECT_EQ(packed.offsets, (std::vector<std::int64_t>{0, 3, 4, 6}));
  EXPECT_EQ(packed.num_sequences(), 3);
  EXPECT_EQ(packed.num_tokens(), 6);
  EXPECT_TRUE(packed.tokens_N.equal(torch::tensor({5, 6, 7, 8, 9, 10}, torch::kInt64)));
  EXPECT_TRUE(packed.positions_N.equal(torch::tensor({0, 1, 2, 0, 0, 1}, torch::kInt64)));
  EXPECT_TRUE(packed.last_rows_S().equal(torch::tensor({2, 3, 5}, torch::kInt64)));
}

TEST(Transformer, CountsItsParameters) {
  ModelConfig config = small_config();
  for (const bool tied : {true, false}) {
    config.tied_embeddings = tied;
    std::int64_t count = 0;
    for (const auto& [name, tensor] : Transformer(config).parameters()) count += tensor.numel();
    EXPECT_EQ(count, config.num_parameters());
  }
  // 50*24 + 2*((48+48)*24 + 48*24 + 3*40*24 + 2*24) + 24
  EXPECT_EQ(small_config().num_parameters(), 13992);
}

TEST(Transformer, NamesParametersInCanonicalOrder) {
  std::vector<std::string> names;
  ModelConfig config = small_config();
  config.tied_embeddings = false;
  config.num_layers = 1;
  for (const auto& [name, tensor] : Transformer(config).parameters()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"embedding", "layers.0.input_norm", "layers.0.qkv", "layers.0.output",
                                             "layers.0.post_norm", "layers.0.gate_up", "layers.0.down", "final_norm",
                                             "output"}));
}

TEST(Transformer, InitialisesByKeyWithTheStatedDeviations) {
  ModelConfig config = small_config();
  config.vocab_size = 2000;
  Transformer a(config), b(config), c(config);
  a.initialize(1);
  b.initialize(1);
  c.initialize(2);
  const auto of_a = a.parameters(), of_b = b.parameters();
  for (std::size_t i = 0; i < of_a.size(); ++i) EXPECT_TRUE(of_a[i].second.equal(of_b[i].second)) << of_a[i].first;
  EXPECT_FALSE(a.embedding_Vd.equal(c.embedding_Vd));
  EXPECT_NEAR(a.embedding_Vd.std().item<double>(), 1 / std::sqrt(24.0), 0.003);
  EXPECT_NEAR(a.layers[0].up.weight_OI.std().item<double>(), 1 / std::sqrt(24.0), 0.01);
  EXPECT_NEAR(a.layers[1].down.weight_OI.std().item<double>(), 0.5 / std::sqrt(40.0), 0.006);
  EXPECT_NEAR(a.layers[1].output.weight_OI.std().item<double>(), 0.5 / std::sqrt(48.0), 0.006);
  EXPECT_TRUE(a.final_norm.weight_d.equal(torch::ones({24})));
}

TEST(Transformer, CloneSharesNothing) {
  const Transformer model = small_model();
  const Transformer copy = model.clone();
  EXPECT_TRUE(copy.embedding_Vd.equal(model.embedding_Vd));
  EXPECT_TRUE(copy.output_Vd.is_same(copy.embedding_Vd));
  const auto batch = pack(sequences({5, 9}));
  const Tensor before = copy.hidden_states(batch);
  torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : model.parameters()) tensor.zero_();
  EXPECT_TRUE(copy.hidden_states(batch).equal(before));
}

// Everything written out with torch operations in double, to hold the assembly of the layers against.
Tensor reference_logits(const Transformer& model, const std::map<std::string, Tensor>& p,
                        const PackedSequences& batch) {
  const ModelConfig& config = model.config();
  const RotaryTable rotary = rotary_table(config.max_positions, config.head_dim, config.rope_theta, torch::kCPU);
  const AttentionShape shape{config.num_heads, config.num_kv_heads, config.head_dim};
  Tensor x = p.at("embedding").index_select(0, batch.tokens_N);
  for (std::int64_t l = 0; l < config.num_layers; ++l) {
    const auto of = [&](const char* name) { return p.at("layers." + std::to_string(l) + "." + name); };
    const Tensor qkv = rms_norm_reference(x, of("input_norm"), config.norm_eps).matmul(of("qkv").t());
    x = x + rotary_attention_reference(qkv, batch, rotary, shape).matmul(of("output").t());
    const Tensor gate_up = rms_norm_reference(x, of("post_norm"), config.norm_eps).matmul(of("gate_up").t());
    x = x + swiglu_reference(gate_up).matmul(of("down").t());
  }
  return rms_norm_reference(x, p.at("final_norm"), config.norm_eps)
      .matmul(p.at(config.tied_embeddings ? "embedding" : "output").t());
}

TEST(Transformer, LogitsAndGradientsMatchTheReferenceInDouble) {
  for (const bool tied : {true, false}) {
    ModelConfig config = small_config();
    config.tied_embeddings = tied;
    Transformer model(config);
    model.initialize(11);
    const auto batch = pack(sequences({3, 20, 1, 17}));
    std::map<std::string, Tensor> exact;
    for (const auto& [name, tensor] : model.parameters()) {
      tensor.set_requires_grad(true);
      exact[name] = tensor.detach().to(torch::kDouble).requires_grad_();
    }
    const Tensor logits = model.logits(model.hidden_states(batch));
    const Tensor expected = reference_logits(model, exact, batch);
    EXPECT_LT(difference(logits.detach().to(torch::kDouble), expected.detach()), tolerance);
    const Tensor targets = batch.tokens_N.roll(1);
    torch::nll_loss(torch::log_softmax(logits, 1), targets).backward();
    torch::nll_loss(torch::log_softmax(expected, 1), targets).backward();
    for (const auto& [name, tensor] : model.parameters())
      EXPECT_LT(difference(tensor.grad().to(torch::kDouble), exact[name].grad()),
                rounding::of_backward(rounding::decoder_of(config, 20), 41))
          << name;
  }
}

TEST(Transformer, AccumulatesGradientsInPlaceIntoAFlatBuffer) {
  Transformer model = small_model();
  const auto parameters = model.parameters();
  Tensor values = torch::empty({model.config().num_parameters()}), gradients = torch::zeros_like(values);
  std::int64_t begin = 0;
  for (const auto& [name, tensor] : parameters) {
    const std::int64_t size = tensor.numel();
    const Tensor view = values.narrow(0, begin, size).view(tensor.sizes());
    view.copy_(tensor);
    Tensor parameter = tensor;
    parameter.set_data(view);
    parameter.set_requires_grad(true);
    parameter.mutable_grad() = gradients.narrow(0, begin, size).view(tensor.sizes());
    begin += size;
  }
  const auto batch = pack(sequences({6, 8}));
  const auto backward = [&] { model.logits(model.hidden_states(batch)).square().mean().backward(); };
  backward();
  const Tensor once = gradients.clone();
  EXPECT_GT(once.abs().sum().item<double>(), 0.0);
  backward();
  EXPECT_LT(difference(gradients, 2 * once), rounding::of_chain({2}));
  // The model reads the flat buffer: there are no copies of the weights elsewhere.
  const Tensor before = model.hidden_states(batch).detach();
  KvCache cache = model.make_cache(1, 16);
  CacheRows rows;
  add_rows(rows, 0, sequences({6, 8})[0], 0, 6);
  model.extend(rows, cache);
  values.mul_(1.1);
  const Tensor after = model.hidden_states(batch).detach();
  EXPECT_GT(difference(after, before), 1e-3);
  EXPECT_LT(difference(model.extend(rows, cache), after.narrow(0, 0, 6)), tolerance);
}

TEST(Extend, AgreesWithHiddenStatesInAnyMixOfPrefillAndDecode) {
  const Transformer model = small_model();
  const auto tokens = sequences({37, 21, 64});
  const Tensor expected = model.hidden_states(pack(tokens));
  KvCache cache = model.make_cache(4, 64);
  const std::vector<std::size_t> offset{0, 37, 58};
  std::vector<std::size_t> done(3, 0);
  const std::vector<std::int32_t> slot{2, 0, 3};
  Rng rng(9, Stream::test);
  bool more = true;
  while (more) {
    CacheRows rows;
    std::vector<std::int64_t> where;
    for (std::size_t s = 0; s < 3; ++s) {
      const std::size_t end = std::min(tokens[s].size(), done[s] + rng.below(9));
      add_rows(rows, slot[s], tokens[s], done[s], end);
      for (; done[s] < end; ++done[s]) where.push_back(static_cast<std::int64_t>(offset[s] + done[s]));
    }
    if (rows.size() > 0) {
      const Tensor of_rows = expected.index_select(0, torch::tensor(where, torch::kInt64));
      EXPECT_LT(difference(model.extend(rows, cache), of_rows), tolerance);
    }
    more = false;
    for (std::size_t s = 0; s < 3; ++s) more = more || done[s] < tokens[s].size();
  }
}

TEST(Extend, OfARowDoesNotDependOnItsCompany) {
  const Transformer model = small_model();
  const auto tokens = sequences({12, 30, 5});
  KvCache alone = model.make_cache(1, 32), together = model.make_cache(3, 40);
  CacheRows single, all;
  add_rows(single, 0, tokens[1], 0, 30);
  for (std::int32_t s = 0; s < 3; ++s)
    add_rows(all, s, tokens[static_cast<std::size_t>(s)], 0, tokens[static_cast<std::size_t>(s)].size());
  const Tensor expected = model.extend(single, alone).clone();
  EXPECT_LT(difference(model.extend(all, together).narrow(0, 12, 30), expected), tolerance);
}

TEST(Extend, ReusesASlotAfterAnother) {
  const Transformer model = small_model();
  const auto tokens = sequences({30, 8});
  KvCache cache = model.make_cache(2, 32);
  CacheRows first, second;
  add_rows(first, 1, tokens[0], 0, 30);
  add_rows(second, 1, tokens[1], 0, 8);
  model.extend(first, cache);
  EXPECT_LT(difference(model.extend(second, cache), model.hidden_states(pack(std::span(tokens).subspan(1)))),
            tolerance);
}

TEST(CopyPrefix, SharesWhatWasComputedOnce) {
  const Transformer model = small_model();
  auto tokens = sequences({20, 20});
  std::copy_n(tokens[0].begin(), 13, tokens[1].begin());
  KvCache cache = model.make_cache(3, 32);
  CacheRows prefix, rest;
  add_rows(prefix, 0, tokens[0], 0, 20);
  model.extend(prefix, cache);
  model.copy_prefix(cache, 0, 2, 13);
  add_rows(rest, 2, tokens[1], 13, 20);
  const Tensor expected = model.hidden_states(pack(std::span(tokens).subspan(1))).narrow(0, 13, 7);
  EXPECT_LT(difference(model.extend(rest, cache), expected), tolerance);
}

TEST(ScalarModel, CopiesItsBodyAndCentresItsValues) {
  const Transformer body = small_model();
  ScalarModel model = ScalarModel::from_body(body, 4);
  EXPECT_FALSE(model.body.embedding_Vd.is_same(body.embedding_Vd));
  EXPECT_EQ(model.parameters().size(), body.parameters().size() + 1);
  EXPECT_EQ(model.parameters().back().first, "head");
  EXPECT_NEAR(model.head_1d.std().item<double>(), 0.2, 0.08);  // 1 / sqrt(25)
  const Tensor hidden = model.body.hidden_states(pack(sequences({4, 6})));
  const Tensor raw = model.values_N(hidden);
  EXPECT_EQ(raw.dim(), 1);
  model.offset = 0.5;
  model.scale = 4.0;
  EXPECT_LT(difference(model.values_N(hidden), (raw - 0.5) / 4.0), rounding::of_chain({24, 2}, 1));
  const ScalarModel copy = model.clone();
  EXPECT_TRUE(copy.values_N(copy.body.hidden_states(pack(sequences({4, 6})))).equal(model.values_N(hidden)));
}

TEST(ScalarModel, OfAnUntiedBodyLeavesTheOutputMatrixBehind) {
  ModelConfig config = small_config();
  config.tied_embeddings = false;
  Transformer body(config);
  body.initialize(1);
  const ScalarModel model = ScalarModel::from_body(body, 4);
  EXPECT_TRUE(model.body.config().tied_embeddings);
  const auto batch = pack(sequences({7}));
  EXPECT_TRUE(model.body.hidden_states(batch).equal(body.hidden_states(batch)));
}

TEST(ModelConfig, RefusesShapesThatDoNotFit) {
  const auto refused = [](auto change) {
    ModelConfig config = small_config();
    change(config);
    try {
      config.validate("deck");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refused([](ModelConfig&) {}), "accepted");
  EXPECT_THAT(refused([](ModelConfig& c) { c.num_kv_heads = 3; }), HasSubstr("num_kv_heads"));
  EXPECT_THAT(refused([](ModelConfig& c) { c.head_dim = 7; }), HasSubstr("head_dim"));
  EXPECT_THAT(refused([](ModelConfig& c) { c.vocab_size = 0; }), HasSubstr("vocab_size"));
  EXPECT_THAT(refused([](ModelConfig& c) { c.intermediate_size = -4; }), HasSubstr("intermediate_size"));
  EXPECT_THAT(refused([](ModelConfig& c) { c.end_tokens = EndTokens({3, 50}); }), HasSubstr("eos_token_id"));
  EXPECT_THAT(refused([](ModelConfig& c) { c.architecture = "mamba"; }), HasSubstr("mamba"));
  EXPECT_THAT(refused([](ModelConfig& c) { c.num_layers = std::int64_t{1} << 60; }), HasSubstr("num_layers"));
}

}  // namespace
}  // namespace rlaif::model
