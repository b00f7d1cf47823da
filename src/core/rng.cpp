#include "rlaif/core/rng.hpp"

#include <cmath>
#include <numbers>

#include "rlaif/core/error.hpp"

namespace rlaif {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  constexpr std::uint64_t multiplier0 = 0xD2511F53, multiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t weyl0 = 0x9E3779B9, weyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = multiplier0 * counter[0];
    const std::uint64_t product1 = multiplier1 * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += weyl0;
    key[1] += weyl1;
  }
  return counter;
}

std::uint64_t hash_words(std::initializer_list<std::uint64_t> words) {
  // Each word passes the splitmix64 finaliser (Steele et al. 2014) on top of the state so far.
  std::uint64_t state = 0x243F6A8885A308D3ull;
  for (const std::uint64_t word : words) {
    state = (state ^ word) + 0x9E3779B97F4A7C15ull;
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9ull;
    state = (state ^ (state >> 27)) * 0x94D049BB133111EBull;
    state ^= state >> 31;
  }
  return state;
}

Rng::Rng(std::uint64_t seed, Stream stream, std::initializer_list<std::uint64_t> key) {
  const std::uint64_t root = hash_words({seed, static_cast<std::uint64_t>(stream)});
  const std::uint64_t place = hash_words(key);
  key_ = {static_cast<std::uint32_t>(root), static_cast<std::uint32_t>(root >> 32)};
  counter_ = {0, 0, static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(place >> 32)};
}

std::uint32_t Rng::next_u32() {
  if (used_ == 4) {
    block_ = philox4x32(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }
  return block_[static_cast<std::size_t>(used_++)];
}

std::uint64_t Rng::next_u64() {
  const std::uint64_t high = next_u32();
  return (high << 32) | next_u32();
}

double Rng::uniform() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }

std::uint64_t Rng::below(std::uint64_t bound) {
  RLAIF_CHECK(bound > 0, "a draw below zero");
  // Lemire's multiply-and-reject: unbiased for every bound.
  const std::uint64_t threshold = (0 - bound) % bound;
  while (true) {
    const unsigned __int128 product = static_cast<unsigned __int128>(next_u64()) * bound;
    if (static_cast<std::uint64_t>(product) >= threshold) return static_cast<std::uint64_t>(product >> 64);
  }
}

double Rng::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::size_t Rng::weighted(const std::vector<double>& weights) {
  double total = 0.0;
  for (const double weight : weights) total += weight;
  RLAIF_CHECK(total > 0.0, "weights are all zero");
  double left = uniform() * total;
  std::size_t last = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0.0) continue;
    last = i;
    left -= weights[i];
    if (left < 0.0) return i;
  }
  return last;
}

}  // namespace rlaif
