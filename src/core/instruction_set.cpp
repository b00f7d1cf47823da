#include "rlaif/core/instruction_set.hpp"

#include <atomic>
#include <cstdlib>

#include "rlaif/core/error.hpp"

namespace rlaif {
namespace {

struct Names {
  InstructionSet set;
  const char *name, *mkl, *onednn;  // the set's, and what these libraries call it
};
constexpr Names all[] = {{InstructionSet::base, "default", "COMPATIBLE", "SSE41"},
                         {InstructionSet::avx2, "avx2", "AVX2", "AVX2"},
                         {InstructionSet::avx512, "avx512", "AVX512", "AVX512_CORE"}};

const Names& names_of(InstructionSet set) { return all[static_cast<std::size_t>(set)]; }

InstructionSet find_best() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return InstructionSet::avx512;
  if (__builtin_cpu_supports("x86-64-v3")) return InstructionSet::avx2;
#endif
  return InstructionSet::base;
}

std::atomic<InstructionSet>& in_use() {
  static std::atomic<InstructionSet> set = best_instruction_set();
  return set;
}

}  // namespace

const char* to_string(InstructionSet set) { return names_of(set).name; }

std::optional<InstructionSet> parse_instruction_set(std::string_view name) {
  for (const Names& one : all) {
    if (one.name == name) return one.set;
  }
  return std::nullopt;
}

InstructionSet best_instruction_set() {
  static const InstructionSet best = find_best();
  return best;
}

std::vector<InstructionSet> instruction_sets(InstructionSet up_to) {
  std::vector<InstructionSet> sets;
  for (const Names& one : all) {
    if (one.set <= up_to) sets.push_back(one.set);
  }
  return sets;
}

std::string instruction_set_names(InstructionSet up_to) {
  std::string text;
  for (const InstructionSet set : instruction_sets(up_to))
    text += std::string(text.empty() ? "" : ", ") + to_string(set);
  return text;
}

InstructionSet instruction_set() { return in_use().load(std::memory_order_relaxed); }

void use_instruction_set(InstructionSet set) {
  RLAIF_CHECK(set <= best_instruction_set(), "an instruction set that this processor has");
  in_use().store(set, std::memory_order_relaxed);
}

void pin_instruction_set(InstructionSet set) {
  use_instruction_set(set);
  ::setenv("ATEN_CPU_CAPABILITY", names_of(set).name, 1);
  ::setenv("MKL_CBWR", names_of(set).mkl, 1);
  ::setenv("ONEDNN_MAX_CPU_ISA", names_of(set).onednn, 1);
}

}  // namespace rlaif
