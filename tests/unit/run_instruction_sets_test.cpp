#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlaif/core/error.hpp"
#include "rlaif/run/instruction_sets.hpp"

namespace rlaif::run {
namespace {

using ::testing::HasSubstr;

constexpr int compatible = 3, avx2 = 10, avx512 = 12;  // MKL's numbers

TEST(PinnedSet, OfLikeProcessorsIsNone) {
  const Processor one{"a", InstructionSet::avx512, avx512};
  const PinnedSet pinned = choose_pinned_set(std::nullopt, {one, {"b", InstructionSet::avx512, avx512}});
  EXPECT_FALSE(pinned.set);
  EXPECT_EQ(pinned.warning, "");
}

TEST(PinnedSet, OfDifferentProcessorsIsTheBestThatAllHave) {
  const PinnedSet pinned =
      choose_pinned_set(std::nullopt, {{"a", InstructionSet::avx512, avx512}, {"b", InstructionSet::avx2, avx2}});
  EXPECT_EQ(pinned.set, InstructionSet::avx2);
  EXPECT_THAT(pinned.warning, HasSubstr("avx512 with MKL avx512 on a, avx2 with MKL avx2 on b"));
}

// Another maker's processors have the set, and MKL takes its general code there: no faster choice would be the same on both.
TEST(PinnedSet, IsTheLeastWhereMklDoesNotKnowAProcessor) {
  const PinnedSet pinned = choose_pinned_set(
      std::nullopt, {{"a", InstructionSet::avx512, avx512}, {"b", InstructionSet::avx512, compatible}});
  EXPECT_EQ(pinned.set, InstructionSet::base);
  EXPECT_THAT(pinned.warning, HasSubstr("all take default"));
}

TEST(PinnedSet, IsTheOneAskedForWhereAllHaveIt) {
  EXPECT_EQ(choose_pinned_set(InstructionSet::avx2,
                              {{"a", InstructionSet::avx512, avx512}, {"b", InstructionSet::avx2, avx2}})
                .set,
            InstructionSet::avx2);
}

TEST(PinnedSet, ThatARankLacksIsRefusedWithWhatItHas) {
  try {
    choose_pinned_set(InstructionSet::avx512,
                      {{"a", InstructionSet::avx512, avx512}, {"b", InstructionSet::avx2, avx2}});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_STREQ(error.what(), "run.instruction_set: 'avx512' was given, b has default, avx2");
  }
}

// Whatever this binary was pinned to.
TEST(TakenInstructionSets, NameLibtorchsOwnLoopsAndMkls) {
  const std::string taken = taken_instruction_sets();
  EXPECT_THAT(taken, HasSubstr("libtorch "));
  EXPECT_THAT(taken, HasSubstr(std::string("own loops ") + to_string(instruction_set())));
  EXPECT_THAT(taken, HasSubstr("MKL"));
}

}  // namespace
}  // namespace rlaif::run
