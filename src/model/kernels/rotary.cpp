// Tables of rotary embeddings and how their frequencies are stretched.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "rlaif/model/ops.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::model {
namespace {

using torch::Tensor;

// Radians a position of each pair that is rotated. `dims` of a head are.
std::vector<double> plain_frequencies(double theta, std::int64_t dims) {
  std::vector<double> all;
  for (std::int64_t i = 0; i < dims; i += 2)
    all.push_back(std::pow(theta, -static_cast<double>(i) / static_cast<double>(dims)));
  return all;
}

// Llama 3.1: short waves as they are, long ones stretched, between them a mix that is linear in the number of waves in
// the original context.
double llama3_frequency(double frequency, const RopeScaling& scaling) {
  const double waves = static_cast<double>(scaling.original_positions) * frequency / (2.0 * std::numbers::pi);
  const double mix =
      std::clamp((waves - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor), 0.0, 1.0);
  return (1.0 - mix) * frequency / scaling.factor + mix * frequency;
}

// YaRN (2309.00071, section 3.2): the same with a mix that is linear in the pair's number, between the pairs that turn
// beta_fast and beta_slow times in the original context.
std::vector<double> yarn_frequencies(double theta, std::int64_t dims, const RopeScaling& scaling) {
  const auto pair_that_turns = [&](double turns) {
    const double longest = static_cast<double>(scaling.original_positions) / (turns * 2.0 * std::numbers::pi);
    return static_cast<double>(dims) * std::log(longest) / (2.0 * std::log(theta));
  };
  const double low = std::max(std::floor(pair_that_turns(scaling.beta_fast)), 0.0);
  double high = std::min(std::ceil(pair_that_turns(scaling.beta_slow)), static_cast<double>(dims - 1));
  if (high == low) high += 0.001;
  std::vector<double> all = plain_frequencies(theta, dims);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double stretched = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    all[i] *= 1.0 - stretched + stretched / scaling.factor;
  }
  return all;
}

std::vector<double> scaled_frequencies(double theta, std::int64_t dims, const RopeScaling& scaling) {
  if (scaling.kind == RopeScaling::Kind::yarn) return yarn_frequencies(theta, dims, scaling);
  std::vector<double> all = plain_frequencies(theta, dims);
  for (double& frequency : all) {
    if (scaling.kind == RopeScaling::Kind::linear) frequency /= scaling.factor;
    if (scaling.kind == RopeScaling::Kind::llama3) frequency = llama3_frequency(frequency, scaling);
  }
  return all;
}

// Pairs beyond `frequencies` are not rotated; those within are also multiplied by `length`.
RotaryTable table_of(const std::vector<double>& frequencies, double length, std::int64_t max_positions,
                     std::int64_t head_dim) {
  const std::int64_t half = head_dim / 2;
  const auto options = torch::TensorOptions().dtype(torch::kFloat);
  Tensor cosine = torch::ones({max_positions, half}, options), sine = torch::zeros({max_positions, half}, options);
  auto *c = cosine.data_ptr<float>(), *s = sine.data_ptr<float>();
  for (std::int64_t p = 0; p < max_positions; ++p, c += half, s += half)
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
      // Angles in float32, as the models' own training code has them.
      const double angle = static_cast<float>(p) * static_cast<float>(frequencies[i]);
      c[i] = static_cast<float>(length * std::cos(angle));
      s[i] = static_cast<float>(length * std::sin(angle));
    }
  return {cosine, sine};
}

}  // namespace

RotaryTable rotary_table(std::int64_t max_positions, std::int64_t head_dim, double theta, torch::Device device) {
  const RotaryTable table = table_of(plain_frequencies(theta, head_dim), 1.0, max_positions, head_dim);
  return {table.cos_PD2.to(device), table.sin_PD2.to(device)};
}

RotaryTable rotary_table(const ModelConfig& config, torch::Device device) {
  const RopeScaling& scaling = config.rope_scaling;
  double length = 1.0;
  if (scaling.kind == RopeScaling::Kind::yarn)
    length =
        scaling.attention_factor > 0.0 ? scaling.attention_factor : 0.1 * std::log(std::max(1.0, scaling.factor)) + 1.0;
  const RotaryTable table = table_of(scaled_frequencies(config.rope_theta, config.rotated(), scaling), length,
                                     config.max_positions, config.head_dim);
  return {table.cos_PD2.to(device), table.sin_PD2.to(device)};
}

}  // namespace rlaif::model
