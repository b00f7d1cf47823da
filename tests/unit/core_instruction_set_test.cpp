#include "rlaif/core/instruction_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlaif/core/loop_versions.hpp"

namespace rlaif {
namespace {

RLAIF_VERSIONS(double, sum_of, (const float* x, int n), (x, n)) {
  double sum = 0.0;
  for (int i = 0; i < n; ++i) sum += x[i];
  return sum;
}

TEST(InstructionSet, NamesComeBack) {
  for (const InstructionSet set : {InstructionSet::base, InstructionSet::avx2, InstructionSet::avx512}) {
    EXPECT_EQ(parse_instruction_set(to_string(set)), set);
  }
  EXPECT_FALSE(parse_instruction_set("AVX2"));
  EXPECT_EQ(instruction_set_names(InstructionSet::avx2), "default, avx2");
}

TEST(InstructionSet, EveryVersionOfALoopRuns) {
  const InstructionSet before = instruction_set();
  const float x[] = {1.0F, 2.0F, 3.5F};
  EXPECT_THAT(instruction_sets(), ::testing::Contains(InstructionSet::base));
  for (const InstructionSet set : instruction_sets()) {
    use_instruction_set(set);
    EXPECT_EQ(instruction_set(), set);
    EXPECT_EQ(sum_of(x, 3), 6.5);
  }
  use_instruction_set(before);
}

}  // namespace
}  // namespace rlaif
