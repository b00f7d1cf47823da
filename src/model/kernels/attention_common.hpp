// What the attention kernels share: memory, rotations, small loops. Not a public header.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels.hpp"
#include "vector.hpp"

namespace rlaif::model::kernels {

RLAIF_INLINE std::int64_t padded(std::int64_t n) { return (n + lanes - 1) / lanes * lanes; }

// Reused memory of this thread, on vector boundaries: taken in pieces, given back all at once.
class Scratch {
 public:
  void reset(std::int64_t floats) {
    if (static_cast<std::int64_t>(memory_.size()) < floats + lanes)
      memory_.resize(static_cast<std::size_t>(floats + lanes));
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    next_ = memory_.data() + ((64 - address % 64) % 64) / sizeof(float);
  }
  // `floats` is rounded up to whole vectors.
  float* take(std::int64_t floats) {
    float* const piece = next_;
    next_ += padded(floats);
    return piece;
  }

 private:
  std::vector<float> memory_;
  float* next_ = nullptr;
};
inline Scratch& scratch() {
  static thread_local Scratch instance;
  return instance;
}

RLAIF_INLINE void clear(float* to, std::int64_t n) { std::memset(to, 0, static_cast<std::size_t>(n) * sizeof(float)); }

// out = x rotated by the angles of one position, times scale. Halves are rotated against each other.
RLAIF_INLINE void rotate(const float* x, const float* cosine, const float* sine, std::int64_t head_dim, float scale,
                         float* __restrict out) {
  const std::int64_t half = head_dim / 2;
  for (std::int64_t i = 0; i < half; ++i) {
    const float a = x[i] * scale, b = x[half + i] * scale;
    out[i] = a * cosine[i] - b * sine[i];
    out[half + i] = b * cosine[i] + a * sine[i];
  }
}
RLAIF_INLINE void rotate_back(const float* x, const float* cosine, const float* sine, std::int64_t head_dim,
                              float scale, float* __restrict out) {
  const std::int64_t half = head_dim / 2;
  for (std::int64_t i = 0; i < half; ++i) {
    const float a = x[i] * scale, b = x[half + i] * scale;
    out[i] = a * cosine[i] + b * sine[i];
    out[half + i] = b * cosine[i] - a * sine[i];
  }
}

}  // namespace rlaif::model::kernels
