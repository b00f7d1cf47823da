// Loops that are compiled for each instruction set.
//   RLAIF_VERSIONS(float, sum_of, (const float* x, std::size_t n), (x, n)) {
//     ...
//   }
// defines sum_of, whose body is compiled for every set and which runs the version for instruction_set(). Functions that the
// body calls are inlined into it (always_inline), or are compiled for the least set. Above the least set products and sums are
// fused: versions differ in last bits. RLAIF_UNFUSED_VERSIONS, of the same form, fuses nothing and has no wider version than
// AVX2's: all give the same bits where the body's order of additions does not depend on the width.
#pragma once

#include "rlaif/core/instruction_set.hpp"

#if defined(__x86_64__)
#define RLAIF_AVX512 __attribute__((target("arch=x86-64-v4")))
#define RLAIF_AVX2 __attribute__((target("arch=x86-64-v3")))
#define RLAIF_VERSIONS(result, name, parameters, arguments)                             \
  static inline __attribute__((always_inline)) result name##_body parameters;           \
  RLAIF_AVX512 static result name##_avx512 parameters { return name##_body arguments; } \
  RLAIF_AVX2 static result name##_avx2 parameters { return name##_body arguments; }     \
  static result name##_base parameters { return name##_body arguments; }                \
  result name parameters {                                                              \
    const auto version = ::rlaif::instruction_set();                                    \
    if (version == ::rlaif::InstructionSet::avx512) return name##_avx512 arguments;     \
    if (version == ::rlaif::InstructionSet::avx2) return name##_avx2 arguments;         \
    return name##_base arguments;                                                       \
  }                                                                                     \
  static inline result name##_body parameters
// GCC fuses wherever the instruction is there, in ISO mode too: x86-64-v3 has it, plain AVX2 has not.
#define RLAIF_UNFUSED_VERSIONS(result, name, parameters, arguments)                                      \
  static inline __attribute__((always_inline)) result name##_body parameters;                            \
  __attribute__((target("avx2"))) static result name##_avx2 parameters { return name##_body arguments; } \
  static result name##_base parameters { return name##_body arguments; }                                 \
  result name parameters {                                                                               \
    if (::rlaif::instruction_set() == ::rlaif::InstructionSet::base) return name##_base arguments;       \
    return name##_avx2 arguments;                                                                        \
  }                                                                                                      \
  static inline result name##_body parameters
#else
#define RLAIF_VERSIONS(result, name, parameters, arguments) result name parameters
#define RLAIF_UNFUSED_VERSIONS(result, name, parameters, arguments) result name parameters
#endif
