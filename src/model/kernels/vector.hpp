// Sixteen floats at a time, for any instruction set: GCC's vector types are split into what the target has.
// Every function here is inlined into one that RLAIF_VERSIONS defines. Not a public header.
#pragma once

#include <cstdint>
#include <cstring>

// GCC warns that 64-byte vectors are passed differently by targets without AVX-512; all of these are inlined.
#pragma GCC diagnostic ignored "-Wpsabi"

#define RLAIF_INLINE inline __attribute__((always_inline))

namespace rlaif::model::kernels {

using Vec = float __attribute__((vector_size(64)));
using IntVec = std::int32_t __attribute__((vector_size(64)));

RLAIF_INLINE Vec load(const float* p) {
  Vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
RLAIF_INLINE void store(float* p, const Vec& v) { std::memcpy(p, &v, sizeof v); }
RLAIF_INLINE Vec splat(float x) { return x - Vec{}; }

using HalfVec = float __attribute__((vector_size(32)));
using QuarterVec = float __attribute__((vector_size(16)));

// Halves against each other down to one number: a fixed order on every machine.
template <class Combine>
RLAIF_INLINE float reduce(const Vec& v, Combine combine) {
  const HalfVec low8 = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
  const HalfVec high8 = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  const HalfVec eight = combine(low8, high8);
  const QuarterVec low4 = __builtin_shufflevector(eight, eight, 0, 1, 2, 3);
  const QuarterVec high4 = __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
  const QuarterVec four = combine(low4, high4);
  return combine(combine(four[0], four[2]), combine(four[1], four[3]));
}
RLAIF_INLINE float sum(const Vec& v) {
  return reduce(v, [](const auto& a, const auto& b) __attribute__((always_inline)) { return a + b; });
}
RLAIF_INLINE float maximum(const Vec& v) {
  return reduce(v, [](const auto& a, const auto& b) __attribute__((always_inline)) { return a > b ? a : b; });
}

RLAIF_INLINE void copy(const float* from, float* to, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + 16 <= n; i += 16) store(to + i, load(from + i));
  for (; i < n; ++i) to[i] = from[i];
}

// e^x within 2 units in the last place; 0 below -87.3, e^88.3 above 88.3. x = n ln 2 + r with |r| <= ln(2)/2, e^r by its
// Taylor series to r^7 (remainder under 2^-27), 2^n by adding n to the exponent.
RLAIF_INLINE Vec exponential(const Vec& x) {
  constexpr float low = -87.3F, high = 88.3F;
  const Vec in_range = x < low ? splat(low) : (x > high ? splat(high) : x);
  constexpr float round_shift = 12582912.0F;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  const Vec shifted = in_range * 1.44269504F + round_shift;
  const Vec n = shifted - round_shift;
  const Vec r = (in_range - n * 0.693359375F) + n * 2.12194440e-4F;
  Vec p = r * (1.0F / 5040.0F) + (1.0F / 720.0F);
  p = p * r + (1.0F / 120.0F);
  p = p * r + (1.0F / 24.0F);
  p = p * r + (1.0F / 6.0F);
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  IntVec shifted_bits, bits;
  std::memcpy(&shifted_bits, &shifted, sizeof bits);
  std::memcpy(&bits, &p, sizeof bits);
  bits += shifted_bits << 23;
  std::memcpy(&p, &bits, sizeof p);
  return x < low ? Vec{} : p;
}

}  // namespace rlaif::model::kernels
