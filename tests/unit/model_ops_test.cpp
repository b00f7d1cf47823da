#include "rlaif/model/ops.hpp"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "rlaif/core/instruction_set.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/model/torch.hpp"
#include "support/rounding.hpp"

namespace rlaif::model {
namespace {

using torch::Tensor;
using Tensors = std::vector<Tensor>;

Tensor random(std::initializer_list<std::int64_t> shape, std::uint64_t key, double scale = 1.0) {
  Rng rng(7, Stream::test, {key});
  Tensor x = torch::empty(shape, torch::kFloat);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data_ptr<float>()[i] = static_cast<float>(scale * rng.normal());
  return x;
}

// Largest difference relative to the largest number.
double relative_difference(const Tensor& found, const Tensor& expected) {
  const Tensor f = found.to(torch::kDouble), e = expected.to(torch::kDouble);
  return (f - e).abs().max().item<double>() / std::max(1e-30, e.abs().max().item<double>());
}

// Runs an operation and its reference on the same inputs, the reference in double, and compares the results and the
// gradients of a random weighting of them.
void expect_same(const std::function<Tensor(const Tensors&)>& operation,
                 const std::function<Tensor(const Tensors&)>& reference, const Tensors& inputs, double tolerance) {
  Tensors own, exact;
  for (const Tensor& input : inputs) {
    own.push_back(input.clone().requires_grad_());
    exact.push_back(input.to(torch::kDouble).requires_grad_());
  }
  const Tensor y = operation(own), z = reference(exact);
  ASSERT_EQ(y.sizes(), z.sizes());
  EXPECT_EQ(y.scalar_type(), torch::kFloat);
  EXPECT_LT(relative_difference(y, z), tolerance) << "forward";
  const Tensor weights = random({y.size(0), y.size(1)}, 99);
  (y * weights).sum().backward();
  (z * weights.to(torch::kDouble)).sum().backward();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ASSERT_TRUE(own[i].grad().defined()) << "input " << i;
    EXPECT_LT(relative_difference(own[i].grad(), exact[i].grad()), tolerance) << "gradient of input " << i;
  }
}

PackedSequences packed(const std::vector<std::int64_t>& lengths) {
  std::vector<std::vector<TokenId>> sequences;
  for (const std::int64_t length : lengths) sequences.emplace_back(static_cast<std::size_t>(length), 1);
  return pack(sequences);
}

// Of a result and of its gradients, which go through the same sums twice more.
double allowed(std::initializer_list<double> sums, int functions = 0) {
  return 3.0 * rounding::of_chain(sums, functions);
}
double as_double(std::int64_t size) { return static_cast<double>(size); }

TEST(RmsNorm, AgreesWithTheReferenceForwardAndBackward) {
  for (const std::int64_t d : {4, 16, 37, 128})
    expect_same([](const Tensors& x) { return rms_norm(x[0], x[1], 1e-5); },
                [](const Tensors& x) { return rms_norm_reference(x[0], x[1], 1e-5); },
                {random({9, d}, 1, 3.0), random({d}, 2)}, allowed({as_double(d), as_double(d), 9}, 2));
}

TEST(RmsNorm, OfAHandWorkedRow) {
  // mean of squares (9 + 16) / 2 = 12.5
  const Tensor y = rms_norm(torch::tensor({{3.0F, 4.0F}}), torch::tensor({1.0F, 2.0F}), 0.0);
  EXPECT_NEAR(y[0][0].item<float>(), 3.0 / std::sqrt(12.5), 2.0 * rounding::of_chain({2, 1}, 1));
  EXPECT_NEAR(y[0][1].item<float>(), 8.0 / std::sqrt(12.5), 3.0 * rounding::of_chain({2, 1}, 1));
}

TEST(Swiglu, AgreesWithTheReferenceForwardAndBackward) {
  for (const std::int64_t f : {1, 16, 43, 352})
    expect_same([](const Tensors& x) { return swiglu(x[0]); }, [](const Tensors& x) { return swiglu_reference(x[0]); },
                {random({7, 2 * f}, 3, 4.0)}, allowed({3}, 3));
}

TEST(Swiglu, OfExtremeGatesIsTheLimit) {
  const Tensor x = torch::tensor({{-1000.0F, -90.0F, 0.0F, 90.0F, 1000.0F, 2.0F, 2.0F, 2.0F, 2.0F, 2.0F}});
  EXPECT_LT((swiglu(x) - torch::tensor({{0.0F, 0.0F, 0.0F, 180.0F, 2000.0F}})).abs().max().item<double>(),
            2000.0 * rounding::of_chain({1}, 2));
  const Tensor gated = torch::linspace(-100, 100, 4001).view({-1, 1});
  const Tensor both = torch::cat({gated, torch::ones_like(gated)}, 1);
  EXPECT_LT((swiglu(both) - swiglu_reference(both.to(torch::kDouble))).abs().max().item<double>(),
            100.0 * rounding::of_chain({1}, 2));
}

TEST(GatherRows, AddsUpTheGradientsOfRepeatedRows) {
  const Tensor ids = torch::tensor({2, 0, 2, 4, 2}, torch::kInt64);
  expect_same([&](const Tensors& x) { return gather_rows(x[0], ids); },
              [&](const Tensors& x) { return gather_rows_reference(x[0], ids); }, {random({5, 19}, 4)}, allowed({3}));
}

TEST(Project, AgreesWithMatrixProducts) {
  expect_same([](const Tensors& x) { return project(x[0], x[1]); },
              [](const Tensors& x) { return torch::matmul(x[0], x[1].t()); }, {random({6, 10}, 5), random({3, 10}, 6)},
              allowed({10, 6}));
  expect_same([](const Tensors& x) { return project(x[0], x[1], {}, x[2]); },
              [](const Tensors& x) { return torch::matmul(x[0], x[1].t()) + x[2]; },
              {random({6, 10}, 5), random({3, 10}, 6), random({6, 3}, 7)}, allowed({11, 6}));
  expect_same([](const Tensors& x) { return project(x[0], x[1], x[2]); },
              [](const Tensors& x) { return torch::matmul(x[0], x[1].t()) + x[2]; },
              {random({6, 10}, 5), random({3, 10}, 6), random({3}, 7)}, allowed({11, 6}));
}

TEST(Project, LowRankUpdatesReachTheirRowsAlone) {
  // Two parts of rank 2 on rows 0-1 and 3-5 of six; row 2 has none.
  const auto updated = [](const Tensors& x) {
    const LowRank low_rank{{"q_proj", "v_proj"}, {0, 3}, {2, 3}, x[3], x[4], 0.5};
    return project(x[0], x[1], x[2], {}, &low_rank);
  };
  const auto oracle = [](const Tensors& x) {
    const Tensor first = x[4].narrow(0, 0, 2).matmul(x[3].narrow(0, 0, 2)),
                 second = x[4].narrow(0, 2, 3).matmul(x[3].narrow(0, 2, 2));
    const Tensor delta = torch::cat({first, torch::zeros({1, 10}), second}, 0);
    return torch::matmul(x[0], (x[1] + 0.5 * delta).t()) + x[2];
  };
  expect_same(updated, oracle,
              {random({7, 10}, 5), random({6, 10}, 6), random({6}, 7), random({4, 10}, 8), random({5, 2}, 9)},
              allowed({11, 2, 7, 10}));
}

TEST(RotaryTable, HoldsTheAnglesOfItsPaper) {
  const RotaryTable table = rotary_table(50, 8, 10000.0, torch::kCPU);
  ASSERT_EQ(table.cos_PD2.sizes(), (std::vector<std::int64_t>{50, 4}));
  for (const int p : {0, 1, 49})
    for (int i = 0; i < 4; ++i) {
      const double angle = p * std::pow(10000.0, -i / 4.0);
      // The angle itself is a number of single precision: frequency and product are rounded.
      const double rounded =
          (2.0 + 2.0 * rounding::function_units) * angle * rounding::single + rounding::of_chain({}, 1);
      EXPECT_NEAR(table.cos_PD2[p][i].item<float>(), std::cos(angle), rounded);
      EXPECT_NEAR(table.sin_PD2[p][i].item<float>(), std::sin(angle), rounded);
    }
}

struct AttentionCase {
  AttentionShape shape;
  std::vector<std::int64_t> lengths;
};

// Scores are sums over a head's numbers, of magnitudes scale^2 sqrt(D); their errors become the probabilities'.
double allowed_attention(std::int64_t head_dim, std::int64_t longest, double scale) {
  const double scores =
      scale * scale * std::sqrt(as_double(head_dim)) * rounding::of_chain({as_double(head_dim), 2, 2});
  return 3.0 * (scores + rounding::of_chain({as_double(longest), as_double(longest), as_double(head_dim)}, 2));
}

class RotaryAttention : public ::testing::TestWithParam<AttentionCase> {};

TEST_P(RotaryAttention, AgreesWithTheReferenceForwardAndBackward) {
  const auto& [shape, lengths] = GetParam();
  const PackedSequences layout = packed(lengths);
  const RotaryTable rotary = rotary_table(600, shape.head_dim, 100.0, torch::kCPU);
  const std::int64_t columns = (shape.num_heads + 2 * shape.num_kv_heads) * shape.head_dim;
  const double scale = shape.head_dim > 4 ? 1.5 : 3.0;  // scores far from equal
  expect_same([&](const Tensors& x) { return rotary_attention(x[0], layout, rotary, shape); },
              [&](const Tensors& x) { return rotary_attention_reference(x[0], layout, rotary, shape); },
              {random({layout.num_tokens(), columns}, 8, scale)},
              allowed_attention(shape.head_dim, *std::max_element(lengths.begin(), lengths.end()), scale));
}

INSTANTIATE_TEST_SUITE_P(Shapes, RotaryAttention,
                         ::testing::Values(AttentionCase{{1, 1, 2}, {1}}, AttentionCase{{1, 1, 2}, {2, 3}},
                                           AttentionCase{{4, 4, 32}, {15, 16, 17, 1, 80, 31}},
                                           AttentionCase{{4, 2, 12}, {5, 33, 18}}, AttentionCase{{6, 2, 64}, {66, 4}},
                                           AttentionCase{{3, 1, 24}, {7, 150}}, AttentionCase{{2, 1, 80}, {40, 9}},
                                           AttentionCase{{2, 2, 16}, {517}}));

// Central differences of the loss: independent of the reference and of autograd.
TEST(RotaryAttentionGradient, MatchesFiniteDifferences) {
  const AttentionShape shape{2, 1, 4};
  const PackedSequences layout = packed({3, 4});
  const RotaryTable rotary = rotary_table(8, 4, 10.0, torch::kCPU);
  const Tensor qkv = random({7, 16}, 9), weights = random({7, 8}, 10);
  const auto loss = [&](const Tensor& x) {
    return (rotary_attention(x, layout, rotary, shape) * weights).to(torch::kDouble).sum();
  };
  const Tensor x = qkv.clone().requires_grad_();
  loss(x).backward();
  // Central differences leave out terms of step^2; two losses of 56 rounded numbers are divided by twice the step.
  constexpr float step = 1e-2F;
  constexpr double truncation = 10.0 * step * step;
  const double rounded =
      weights.abs().sum().item<double>() * qkv.abs().max().item<double>() * allowed_attention(4, 4, 1.0) / step;
  for (std::int64_t i = 0; i < qkv.numel(); i += 3) {
    Tensor up = qkv.clone(), down = qkv.clone();
    up.view(-1)[i] += step;
    down.view(-1)[i] -= step;
    const double slope = (loss(up) - loss(down)).item<double>() / (2.0 * step);
    EXPECT_NEAR(x.grad().view(-1)[i].item<double>(), slope, truncation + rounded) << "element " << i;
  }
}

TEST(RotaryAttention, OfOneTokenIsItsValue) {
  const AttentionShape shape{2, 1, 4};
  const Tensor qkv = random({1, 16}, 11);
  const Tensor out = rotary_attention(qkv, packed({1}), rotary_table(4, 4, 10.0, torch::kCPU), shape);
  EXPECT_TRUE(out.equal(torch::cat({qkv.narrow(1, 12, 4), qkv.narrow(1, 12, 4)}, 1)));
}

TEST(RotaryAttention, DoesNotSeeOtherSequencesNorTheFuture) {
  const AttentionShape shape{2, 2, 16};
  const RotaryTable rotary = rotary_table(64, 16, 100.0, torch::kCPU);
  const Tensor qkv = random({30, 96}, 12);
  const Tensor all = rotary_attention(qkv, packed({10, 20}), rotary, shape);
  EXPECT_TRUE(all.narrow(0, 10, 20).equal(rotary_attention(qkv.narrow(0, 10, 20), packed({20}), rotary, shape)));
  Tensor changed = qkv.clone();
  changed.narrow(0, 25, 5).fill_(3.0);
  const Tensor again = rotary_attention(changed, packed({10, 20}), rotary, shape);
  EXPECT_TRUE(again.narrow(0, 0, 25).equal(all.narrow(0, 0, 25)));
  EXPECT_FALSE(again.narrow(0, 25, 5).equal(all.narrow(0, 25, 5)));
}

TEST(CachedAttention, AgreesWithTheReferenceForPrefillAndDecode) {
  constexpr std::int64_t capacity = 64, slots = 3;
  for (const AttentionShape shape : {AttentionShape{4, 4, 32}, AttentionShape{4, 2, 12}, AttentionShape{6, 1, 8}}) {
    const RotaryTable rotary = rotary_table(capacity, shape.head_dim, 100.0, torch::kCPU);
    const std::int64_t size = slots * shape.num_kv_heads * capacity * shape.head_dim;
    const auto keys_of = [&] { return torch::zeros({slots, shape.num_kv_heads, shape.head_dim, capacity}); };
    const auto values_of = [&] {
      return torch::zeros({size + 16}).narrow(0, 0, size).view({slots, shape.num_kv_heads, capacity, shape.head_dim});
    };
    Tensor keys = keys_of(), values = values_of(), reference_keys = keys_of(), reference_values = values_of();
    std::vector<std::int32_t> next(slots, 0);
    // Slot 2 grows fast and ends at the last position, the others by one a call.
    for (const std::int32_t rows_of_last : {7, 1, 30, 1, 25}) {
      std::vector<std::int32_t> rows_slot, rows_position;
      for (std::int32_t slot = 0; slot < slots; ++slot)
        for (std::int32_t i = 0; i < (slot == 2 ? rows_of_last : 1); ++i) {
          rows_slot.push_back(slot);
          rows_position.push_back(next[static_cast<std::size_t>(slot)]++);
        }
      const auto rows = static_cast<std::int64_t>(rows_slot.size());
      const Tensor qkv = random({rows, (shape.num_heads + 2 * shape.num_kv_heads) * shape.head_dim},
                                100 + static_cast<std::uint64_t>(next[2]), 1.5);
      Tensor out = torch::empty({rows, shape.num_heads * shape.head_dim});
      cached_attention(qkv, rows_slot, rows_position, rotary, shape, keys, values, out);
      const Tensor expected = cached_attention_reference(qkv, torch::tensor(rows_slot, torch::kInt64),
                                                         torch::tensor(rows_position, torch::kInt64), rotary, shape,
                                                         reference_keys, reference_values);
      EXPECT_LT(relative_difference(out, expected), 2.0 * allowed_attention(shape.head_dim, capacity, 1.5));
      EXPECT_LT(relative_difference(keys, reference_keys), 2.0 * rounding::of_sum(2));
      EXPECT_TRUE(values.equal(reference_values));
    }
    EXPECT_EQ(next[2], capacity);
  }
}

TEST(NormHeads, AgreesWithTheReferenceForwardAndBackward) {
  const AttentionShape shape{3, 1, 8};
  const auto operation = [&](const Tensors& in) { return norm_heads(in[0], in[1], in[2], 1e-5, shape); };
  expect_same(operation, operation, {random({5, 40}, 1), random({8}, 2), random({8}, 3)}, allowed({8, 8, 20}, 2));
  const Tensor x = random({5, 40}, 1), y = norm_heads(x, torch::ones({8}), torch::full({8}, 2.0), 0.0, shape);
  EXPECT_LT(relative_difference(y.narrow(1, 8, 8).square().mean(1), torch::ones({5})), rounding::of_chain({8, 8}, 2))
      << "each query head by itself";
  EXPECT_LT(relative_difference(y.narrow(1, 24, 8).square().mean(1), torch::full({5}, 4.0)),
            rounding::of_chain({8, 8}, 2))
      << "keys by their own weight";
  EXPECT_TRUE(y.narrow(1, 32, 8).equal(x.narrow(1, 32, 8))) << "values as they were";
}

TEST(RotaryAttention, SeesItsWindowAlone) {
  const AttentionShape shape{2, 1, 4, 3};
  const Tensor qkv = random({8, 16}, 1).requires_grad_();
  const Tensor out = rotary_attention(qkv, packed({8}), rotary_table(8, 4, 1e4, torch::kCPU), shape);
  out[7].square().sum().backward();
  const Tensor seen = qkv.grad().abs().sum(1) > 0;
  EXPECT_TRUE(seen.equal(torch::tensor({false, false, false, false, false, true, true, true})));
}

TEST(RotaryTable, StretchesAsTheModelSays) {
  ModelConfig config;
  config.head_dim = 16;
  config.max_positions = 64;
  const RotaryTable plain = rotary_table(config, torch::kCPU);
  EXPECT_TRUE(plain.sin_PD2.equal(rotary_table(64, 16, 1e4, torch::kCPU).sin_PD2));
  config.rope_scaling = {RopeScaling::Kind::linear, 2.0};
  // Angles of up to 64 are rounded before their sine is taken.
  const double of_angle = 64.0 * rounding::of_chain({2}, 1);
  EXPECT_LT(relative_difference(rotary_table(config, torch::kCPU).sin_PD2[40], plain.sin_PD2[20]), of_angle);
  // Pair 0 turns 32 / (2 pi) = 5.1 times in the original context: above high_freq_factor, kept. Pair 7 turns 0.0016
  // times: below low_freq_factor, stretched.
  config.rope_scaling = {RopeScaling::Kind::llama3, 8.0, 32, 1.0, 4.0};
  const RotaryTable llama3 = rotary_table(config, torch::kCPU);
  EXPECT_TRUE(llama3.sin_PD2.select(1, 0).equal(plain.sin_PD2.select(1, 0)));
  EXPECT_NEAR(llama3.sin_PD2[40][7].item<double>(), plain.sin_PD2[5][7].item<double>(), of_angle);
  // Pair 1 turns 32 / (2 pi) / 10000^(1/8) = 1.6105 times: a mix of (1.6105 - 1) / 3 = 0.20350 of the plain angle.
  const double angle = std::pow(1e4, -0.125) * (0.20350 + 0.79650 / 8.0);
  EXPECT_NEAR(llama3.sin_PD2[1][1].item<double>(), std::sin(angle), 5e-6 + of_angle);  // the share has five digits
  config.rope_scaling = {RopeScaling::Kind::yarn, 4.0, 256};
  const RotaryTable yarn = rotary_table(config, torch::kCPU);
  const double length = 0.1 * std::log(4.0) + 1.0;
  EXPECT_LT(relative_difference(yarn.cos_PD2.square() + yarn.sin_PD2.square(), torch::full({64, 8}, length * length)),
            rounding::of_chain({2, 2}, 2));
  EXPECT_NEAR(yarn.sin_PD2[9][0].item<double>(), length * std::sin(9.0), of_angle) << "the shortest wave is kept";
  EXPECT_NEAR(yarn.sin_PD2[40][7].item<double>(), length * plain.sin_PD2[10][7].item<double>(), of_angle)
      << "the longest is stretched";
}

TEST(RotaryTable, LeavesPairsThatAreNotRotatedAsTheyAre) {
  ModelConfig config;
  config.head_dim = 16;
  config.rotary_dims = 4;
  const RotaryTable table = rotary_table(config, torch::kCPU);
  EXPECT_TRUE(table.cos_PD2.narrow(1, 0, 2).equal(rotary_table(config.max_positions, 4, 1e4, torch::kCPU).cos_PD2));
  EXPECT_TRUE(table.cos_PD2.narrow(1, 2, 6).equal(torch::ones({config.max_positions, 6})));
  EXPECT_TRUE(table.sin_PD2.narrow(1, 2, 6).equal(torch::zeros({config.max_positions, 6})));
}

// Versions for two sets differ by what fusing products and sums leaves unrounded.
TEST(OwnLoops, AgreeUnderEveryInstructionSet) {
  const InstructionSet set = instruction_set();
  const AttentionShape shape{4, 2, 12};
  const PackedSequences layout = packed({5, 33, 18});
  const RotaryTable rotary = rotary_table(64, shape.head_dim, 100.0, torch::kCPU);
  const Tensors inputs{random({56, 96}, 1, 1.5), random({96}, 2), random({56, 86}, 3, 4.0)};
  const auto results = [&] {
    Tensors x;
    for (const Tensor& input : inputs) x.push_back(input.clone().requires_grad_());
    const Tensor attended = rotary_attention(rms_norm(x[0], x[1], 1e-5), layout, rotary, shape), gated = swiglu(x[2]);
    Tensors all{attended.detach(), gated.detach()};
    const Tensors grads = torch::autograd::grad({attended, gated}, x, {random({56, 48}, 4), random({56, 43}, 5)});
    all.insert(all.end(), grads.begin(), grads.end());
    return all;
  };
  const Tensors expected = results();
  const double rounded = 2.0 * (allowed_attention(shape.head_dim, 33, 3.0) + allowed({96, 96, 56}, 2));
  for (const InstructionSet other : instruction_sets()) {
    use_instruction_set(other);
    const Tensors found = results();
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_LT(relative_difference(found[i], expected[i]), rounded) << to_string(other) << ", result " << i;
  }
  use_instruction_set(set);
}

}  // namespace
}  // namespace rlaif::model
