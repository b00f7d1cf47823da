// Counter-based random numbers: a draw is a function of its key, never of how many draws came before.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace rlaif {

// Philox4x32-10 (Salmon et al., SC 2011): four 32-bit words from a 128-bit counter and a 64-bit key.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

// What a draw is for. Two purposes never share numbers; append only, values are part of every result.
enum class Stream : std::uint64_t {
  initialization = 1,
  sampling = 2,  // (seed, prompt id, sample, position)
  data_order = 3,
  sft_data = 4,
  register_data = 5,
  judge_data = 6,
  prompt_choice = 7,
  annotator = 8,
  bootstrap = 9,
  behaviour = 10,
  test = 11,
  principle = 12,   // (seed, prompt id, step)
  chat_order = 40,  // (seed, turn, what was said): which of two models answers first
};

// A small sequential generator over one key: Rng(seed, stream, {a, b, c}). Equal keys give equal draws.
class Rng {
 public:
  Rng(std::uint64_t seed, Stream stream, std::initializer_list<std::uint64_t> key = {});

  std::uint32_t next_u32();
  std::uint64_t next_u64();
  double uniform();                          // [0, 1), 53 bits
  std::uint64_t below(std::uint64_t bound);  // [0, bound), unbiased; bound > 0
  double normal();                           // N(0, 1), Box-Muller
  // Index drawn with probability proportional to its weight; weights are non-negative, not all zero.
  std::size_t weighted(const std::vector<double>& weights);
  template <class T>
  const T& pick(const std::vector<T>& items) {
    return items[below(items.size())];
  }
  template <class T>
  void shuffle(std::vector<T>& items) {  // Fisher-Yates
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

// 64-bit mix of several words; the base of every key.
std::uint64_t hash_words(std::initializer_list<std::uint64_t> words);

}  // namespace rlaif
