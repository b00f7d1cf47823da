#include "rlaif/model/ops.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "rlaif/core/rng.hpp"

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
double difference(const Tensor& found, const Tensor& expected) {
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
  EXPECT_LT(difference(y, z), tolerance) << "forward";
  const Tensor weights = random({y.size(0), y.size(1)}, 99);
  (y * weights).sum().backward();
  (z * weights.to(torch::kDouble)).sum().backward();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ASSERT_TRUE(own[i].grad().defined()) << "input " << i;
    EXPECT_LT(difference(own[i].grad(), exact[i].grad()), tolerance) << "gradient of input " << i;
  }
}

PackedSequences packed(const std::vector<std::int64_t>& lengths) {
  std::vector<std::vector<TokenId>> sequences;
  for (const std::int64_t length : lengths) sequences.emplace_back(static_cast<std::size_t>(length), 1);
  return pack(sequences);
}

constexpr double tolerance = 1e-5;

TEST(RmsNorm, AgreesWithTheReferenceForwardAndBackward) {
  for (const std::int64_t d : {4, 16, 37, 128})
    expect_same([](const Tensors& x) { return rms_norm(x[0], x[1], 1e-5); },
                [](const Tensors& x) { return rms_norm_reference(x[0], x[1], 1e-5); },
                {random({9, d}, 1, 3.0), random({d}, 2)}, tolerance);
}

TEST(RmsNorm, OfAHandWorkedRow) {
  // mean of squares (9 + 16) / 2 = 12.5
  const Tensor y = rms_norm(torch::tensor({{3.0F, 4.0F}}), torch::tensor({1.0F, 2.0F}), 0.0);
  EXPECT_NEAR(y[0][0].item<float>(), 3.0 / std::sqrt(12.5), 1e-6);
  EXPECT_NEAR(y[0][1].item<float>(), 8.0 / std::sqrt(12.5), 1e-6);
}

TEST(Swiglu, AgreesWithTheReferenceForwardAndBackward) {
  for (const std::int64_t f : {1, 16, 43, 352})
    expect_same([](const Tensors& x) { return swiglu(x[0]); }, [](const Tensors& x) { return swiglu_reference(x[0]); },
                {random({7, 2 * f}, 3, 4.0)}, tolerance);
}

TEST(Swiglu, OfExtremeGatesIsTheLimit) {
  const Tensor x = torch::tensor({{-1000.0F, -90.0F, 0.0F, 90.0F, 1000.0F, 2.0F, 2.0F, 2.0F, 2.0F, 2.0F}});
  EXPECT_LT((swiglu(x) - torch::tensor({{0.0F, 0.0F, 0.0F, 180.0F, 2000.0F}})).abs().max().item<float>(), 1e-6);
  const Tensor gated = torch::linspace(-100, 100, 4001).view({-1, 1});
  const Tensor both = torch::cat({gated, torch::ones_like(gated)}, 1);
  EXPECT_LT((swiglu(both) - swiglu_reference(both.to(torch::kDouble))).abs().max().item<double>(), 1e-5);
}

TEST(GatherRows, AddsUpTheGradientsOfRepeatedRows) {
  const Tensor ids = torch::tensor({2, 0, 2, 4, 2}, torch::kInt64);
  expect_same([&](const Tensors& x) { return gather_rows(x[0], ids); },
              [&](const Tensors& x) { return gather_rows_reference(x[0], ids); }, {random({5, 19}, 4)}, tolerance);
}

TEST(Project, AgreesWithMatrixProducts) {
  expect_same([](const Tensors& x) { return project(x[0], x[1]); },
              [](const Tensors& x) { return torch::matmul(x[0], x[1].t()); }, {random({6, 10}, 5), random({3, 10}, 6)},
              tolerance);
  expect_same([](const Tensors& x) { return project_add(x[0], x[1], x[2]); },
              [](const Tensors& x) { return torch::matmul(x[0], x[1].t()) + x[2]; },
              {random({6, 10}, 5), random({3, 10}, 6), random({6, 3}, 7)}, tolerance);
}

TEST(RotaryTable, HoldsTheAnglesOfItsPaper) {
  const RotaryTable table = rotary_table(50, 8, 10000.0, torch::kCPU);
  ASSERT_EQ(table.cos_PD2.sizes(), (std::vector<std::int64_t>{50, 4}));
  for (const int p : {0, 1, 49})
    for (int i = 0; i < 4; ++i) {
      const double angle = p * std::pow(10000.0, -i / 4.0);
      EXPECT_NEAR(table.cos_PD2[p][i].item<float>(), std::cos(angle), 3e-6);
      EXPECT_NEAR(table.sin_PD2[p][i].item<float>(), std::sin(angle), 3e-6);
    }
}

struct AttentionCase {
  AttentionShape shape;
  std::vector<std::int64_t> lengths;
};

class RotaryAttention : public ::testing::TestWithParam<AttentionCase> {};

TEST_P(RotaryAttention, AgreesWithTheReferenceForwardAndBackward) {
  const auto& [shape, lengths] = GetParam();
  const PackedSequences layout = packed(lengths);
  const RotaryTable rotary = rotary_table(600, shape.head_dim, 100.0, torch::kCPU);
  const std::int64_t columns = (shape.num_heads + 2 * shape.num_kv_heads) * shape.head_dim;
  const double scale = shape.head_dim > 4 ? 1.5 : 3.0;  // scores far from equal
  expect_same([&](const Tensors& x) { return rotary_attention(x[0], layout, rotary, shape); },
              [&](const Tensors& x) { return rotary_attention_reference(x[0], layout, rotary, shape); },
              {random({layout.num_tokens(), columns}, 8, scale)}, tolerance);
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
  constexpr float step = 1e-2F;
  for (std::int64_t i = 0; i < qkv.numel(); i += 3) {
    Tensor up = qkv.clone(), down = qkv.clone();
    up.view(-1)[i] += step;
    down.view(-1)[i] -= step;
    const double slope = (loss(up) - loss(down)).item<double>() / (2.0 * step);
    EXPECT_NEAR(x.grad().view(-1)[i].item<double>(), slope, 2e-3) << "element " << i;
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
      const Tensor expected = cached_attention_reference(
          qkv, torch::tensor(rows_slot, torch::kInt64), torch::tensor(rows_position, torch::kInt64), rotary, shape,
          reference_keys, reference_values);
      EXPECT_LT(difference(out, expected), tolerance);
      EXPECT_LT(difference(keys, reference_keys), tolerance);
      EXPECT_TRUE(values.equal(reference_values));
    }
    EXPECT_EQ(next[2], capacity);
  }
}

}  // namespace
}  // namespace rlaif::model
