// Sixteen floats at a time, for any instruction set: GCC's vector types are split into what the target has.
// Every function here is inlined into a caller that carries RLAIF_CLONES. Not a public header.
#pragma once

#include <cstdint>
#include <cstring>

// GCC warns that 64-byte vectors are passed differently by targets without AVX-512; all of these are inlined.
#pragma GCC diagnostic ignored "-Wpsabi"

#define RLAIF_INLINE inline __attribute__((always_inline))
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Sanitizers run before the resolvers of clones can.
#define RLAIF_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RLAIF_CLONES
#endif

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

// Pairwise, in one fixed order.
RLAIF_INLINE float sum(const Vec& v) {
  float a[16];
  std::memcpy(a, &v, sizeof a);
  for (int width = 8; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) a[i] += a[i + width];
  return a[0];
}
RLAIF_INLINE float maximum(const Vec& v) {
  float a[16];
  std::memcpy(a, &v, sizeof a);
  for (int width = 8; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) a[i] = a[i] > a[i + width] ? a[i] : a[i + width];
  return a[0];
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
