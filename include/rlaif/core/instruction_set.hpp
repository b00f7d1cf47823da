// Which of a processor's instruction sets loops are run with, the program's own (loop_versions.hpp) and the libraries'.
//   pin_instruction_set(InstructionSet::avx2);   // sums are now added as on every processor that has AVX2
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rlaif {

// Each has what those before it have.
enum class InstructionSet {
  base,    // what every processor of the architecture has; its name is "default"
  avx2,    // x86-64-v3
  avx512,  // x86-64-v4
};

const char* to_string(InstructionSet set);  // "default", "avx2", "avx512"
std::optional<InstructionSet> parse_instruction_set(std::string_view name);

InstructionSet best_instruction_set();                                                        // of this processor
std::vector<InstructionSet> instruction_sets(InstructionSet up_to = best_instruction_set());  // the least first
std::string instruction_set_names(InstructionSet up_to = best_instruction_set());             // "default, avx2"

// What the program's own loops use: the best, until another is chosen. It has to be one that this processor has.
InstructionSet instruction_set();
void use_instruction_set(InstructionSet set);

// Chooses for the libraries too, which read it from the environment when they are first used: libtorch
// (ATEN_CPU_CAPABILITY), MKL (MKL_CBWR) and oneDNN (ONEDNN_MAX_CPU_ISA). To be called before anything is computed. MKL then
// gives the same results on every processor that has the set, where it knows the processor's maker.
void pin_instruction_set(InstructionSet set);

}  // namespace rlaif
