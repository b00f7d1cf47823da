#include "kernels.hpp"

#include <cmath>

#include "rlaif/core/loop_versions.hpp"
#include "vector.hpp"

namespace rlaif::model::kernels {
namespace {

RLAIF_INLINE float dot(const float* a, const float* b, std::int64_t n) {
  Vec acc{};
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) acc += load(a + i) * load(b + i);
  float total = sum(acc);
  for (; i < n; ++i) total += a[i] * b[i];
  return total;
}

RLAIF_INLINE float inverse_rms(const float* x, std::int64_t d, float eps) {
  return 1.0F / std::sqrt(dot(x, x, d) / static_cast<float>(d) + eps);
}

RLAIF_INLINE Vec sigmoid(const Vec& x) { return 1.0F / (1.0F + exponential(-x)); }

// Applies a body written for whole vectors to n floats; the tail goes through padded copies.
template <int Inputs, int Outputs, class Body>
RLAIF_INLINE void for_vectors(const float* const (&in)[Inputs], float* const (&out)[Outputs], std::int64_t n,
                              Body body) {
  Vec x[Inputs], y[Outputs];
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (int k = 0; k < Inputs; ++k) x[k] = load(in[k] + i);
    body(x, y);
    for (int k = 0; k < Outputs; ++k) store(out[k] + i, y[k]);
  }
  if (i == n) return;
  const auto bytes = static_cast<std::size_t>(n - i) * sizeof(float);
  for (int k = 0; k < Inputs; ++k) {
    x[k] = Vec{};
    std::memcpy(&x[k], in[k] + i, bytes);
  }
  body(x, y);
  for (int k = 0; k < Outputs; ++k) std::memcpy(out[k] + i, &y[k], bytes);
}

}  // namespace

RLAIF_VERSIONS(void, rms_norm_forward,
               (const float* x, const float* weight, float* y, std::int64_t rows, std::int64_t d, float eps),
               (x, weight, y, rows, d, eps)) {
  for (std::int64_t n = 0; n < rows; ++n, x += d, y += d) {
    const float r = inverse_rms(x, d, eps);
    for (std::int64_t i = 0; i < d; ++i) y[i] = x[i] * r * weight[i];
  }
}

RLAIF_VERSIONS(void, rms_norm_backward,
               (const float* dy, const float* x, const float* weight, float* dx, float* dweight, std::int64_t rows,
                std::int64_t d, float eps),
               (dy, x, weight, dx, dweight, rows, d, eps)) {
  for (std::int64_t n = 0; n < rows; ++n, x += d, dy += d) {
    const float r = inverse_rms(x, d, eps);
    if (dx) {
      Vec acc{};
      std::int64_t i = 0;
      for (; i + lanes <= d; i += lanes) acc += load(dy + i) * load(weight + i) * load(x + i);
      float along = sum(acc);
      for (; i < d; ++i) along += dy[i] * weight[i] * x[i];
      const float shrink = along * r * r * r / static_cast<float>(d);
      float* __restrict out = dx + n * d;
      for (i = 0; i < d; ++i) out[i] = dy[i] * weight[i] * r - x[i] * shrink;
    }
    if (dweight) {
      float* __restrict out = dweight;
      for (std::int64_t i = 0; i < d; ++i) out[i] += dy[i] * x[i] * r;
    }
  }
}

RLAIF_VERSIONS(void, swiglu_forward, (const float* x, float* y, std::int64_t rows, std::int64_t f), (x, y, rows, f)) {
  for (std::int64_t n = 0; n < rows; ++n, x += 2 * f, y += f) {
    const float* const in[2] = {x, x + f};
    float* const out[1] = {y};
    for_vectors(in, out, f, [](const Vec(&v)[2], Vec(&w)[1]) __attribute__((always_inline)) {
      w[0] = v[0] * sigmoid(v[0]) * v[1];
    });
  }
}

RLAIF_VERSIONS(void, swiglu_backward, (const float* dy, const float* x, float* dx, std::int64_t rows, std::int64_t f),
               (dy, x, dx, rows, f)) {
  for (std::int64_t n = 0; n < rows; ++n, dy += f, x += 2 * f, dx += 2 * f) {
    const float* const in[3] = {dy, x, x + f};
    float* const out[2] = {dx, dx + f};
    for_vectors(in, out, f, [](const Vec(&v)[3], Vec(&w)[2]) __attribute__((always_inline)) {
      const Vec s = sigmoid(v[1]);
      w[0] = v[0] * v[2] * s * (1.0F + v[1] * (1.0F - s));
      w[1] = v[0] * v[1] * s;
    });
  }
}

RLAIF_VERSIONS(void, add_rows,
               (const float* rows, const std::int64_t* ids, float* table, std::int64_t count, std::int64_t d),
               (rows, ids, table, count, d)) {
  for (std::int64_t n = 0; n < count; ++n, rows += d) {
    float* __restrict out = table + ids[n] * d;
    for (std::int64_t i = 0; i < d; ++i) out[i] += rows[i];
  }
}

}  // namespace rlaif::model::kernels
