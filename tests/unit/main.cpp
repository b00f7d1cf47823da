#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "rlaif/core/instruction_set.hpp"

// RLAIF_INSTRUCTION_SET pins the instruction set of all tests of the binary (tests/end_to_end/52_instruction_sets.sh).
int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (const char* name = std::getenv("RLAIF_INSTRUCTION_SET")) {
    const auto set = rlaif::parse_instruction_set(name);
    if (!set || *set > rlaif::best_instruction_set()) {
      std::fprintf(stderr, "RLAIF_INSTRUCTION_SET: '%s' was given, one of %s was expected\n", name,
                   rlaif::instruction_set_names().c_str());
      return 2;
    }
    rlaif::pin_instruction_set(*set);
  }
  return RUN_ALL_TESTS();
}
