#include <gtest/gtest.h>

#include "rlaif/core/instruction_set.hpp"
#include "rlaif/model/matmul.hpp"
#include "rlaif/model/torch.hpp"
#include "support/rounding.hpp"

namespace rlaif::model {
namespace {

using torch::Tensor;

Tensor reference(const Tensor& x, const Tensor& weight) {
  return x.to(torch::kFloat64).mm(weight.t().to(torch::kFloat64));
}

// Largest difference as a part of what rounding may do to a sum of these products, and to one sum more.
double beyond_rounding(const Tensor& found, const Tensor& expected, const Tensor& x, const Tensor& weight) {
  const Tensor magnitudes = reference(x.abs(), weight.abs()) + expected.abs();
  const Tensor allowed = magnitudes * (rounding::of_sum(static_cast<double>(x.size(1))) + rounding::single);
  return ((found.to(torch::kFloat64) - expected.to(torch::kFloat64)).abs() / allowed).max().item<double>();
}

class Matmul : public testing::Test {
 protected:
  void SetUp() override {
    threads_ = at::get_num_threads();
    at::set_num_threads(1);
    torch::manual_seed(1);
  }
  void TearDown() override {
    at::set_num_threads(threads_);
    use_instruction_set(set_);
  }
  int threads_ = 1;
  InstructionSet set_ = instruction_set();
};

// Widths of real models, 2^18 weights and more: the own kernels' share. 50257 and 1001 outputs are no whole vectors.
TEST_F(Matmul, IsTheProductForAnyNumberOfRowsUnderEveryInstructionSet) {
  for (const auto& [in, out] :
       {std::pair<std::int64_t, std::int64_t>{576, 960}, {1536, 576}, {272, 1001}, {16, 50257}}) {
    const Tensor weight = torch::randn({out, in});
    for (const std::int64_t rows : {1, 2, 3, 5, 8, 9, 16, 17, 33, 48, 64, 65, 130, 192, 193}) {
      const Tensor x = torch::randn({rows, in}), expected = reference(x, weight), before = torch::randn({rows, out});
      for (const InstructionSet set : instruction_sets()) {
        use_instruction_set(set);
        const std::string what =
            std::to_string(rows) + " x " + std::to_string(in) + " x " + std::to_string(out) + ", " + to_string(set);
        // One guard row behind: nothing is written there.
        const Tensor memory = torch::full({rows + 1, out}, 7.0F);
        matmul_into(x, weight, memory.narrow(0, 0, rows));
        ASSERT_LT(beyond_rounding(memory.narrow(0, 0, rows), expected, x, weight), 1.0) << what;
        ASSERT_TRUE((memory[rows] == 7.0F).all().item<bool>()) << what;
        const Tensor sum = before.clone();
        matmul_into(x, weight, sum, Into::add);
        ASSERT_LT(beyond_rounding(sum, before + expected, x, weight), 1.0) << what;
      }
    }
  }
}

// A sequence's numbers change with the rows beside it only where another loop takes over.
TEST_F(Matmul, ARowHasTheSameBitsAmongFewOrAmongMany) {
  if (best_instruction_set() == InstructionSet::base)
    GTEST_SKIP() << "this processor has no set that the own loops are for";
  use_instruction_set(best_instruction_set());
  const Tensor weight = torch::randn({960, 576}), x = torch::randn({192, 576});
  const auto first_row = [&](std::int64_t rows) {
    const Tensor y = torch::empty({rows, 960});
    matmul_into(x.narrow(0, 0, rows), weight, y);
    return y[0].clone();
  };
  for (const std::int64_t rows : {2, 3, 5, 6}) EXPECT_TRUE(torch::equal(first_row(rows), first_row(1))) << rows;
  for (const std::int64_t rows : {8, 31, 64, 100, 192})
    EXPECT_TRUE(torch::equal(first_row(rows), first_row(7))) << rows;
}

TEST_F(Matmul, SmallAndOddProductsAreTheLibrarys) {
  for (const auto& [in, out] : {std::pair<std::int64_t, std::int64_t>{128, 384}, {577, 960}}) {
    const Tensor weight = torch::randn({out, in}), x = torch::randn({5, in}), y = torch::empty({5, out});
    matmul_into(x, weight, y);
    EXPECT_TRUE(torch::equal(y, x.mm(weight.t())));
    const Tensor sum = torch::ones({5, out});
    matmul_into(x, weight, sum, Into::add);
    EXPECT_TRUE(torch::equal(sum, torch::ones({5, out}).addmm(x, weight.t())));
  }
}

TEST_F(Matmul, ANotANumberStaysInItsRow) {
  const Tensor weight = torch::randn({960, 576}), x = torch::randn({20, 576}), y = torch::empty({20, 960});
  x[3][100] = std::numeric_limits<float>::quiet_NaN();
  matmul_into(x, weight, y);
  EXPECT_TRUE(y[3].isnan().all().item<bool>());
  EXPECT_EQ(y.isnan().sum().item<std::int64_t>(), 960);
}

}  // namespace
}  // namespace rlaif::model
