#include "rlaif/evaluate/spotcheck.hpp"

#include <algorithm>
#include <cmath>

#include "rlaif/core/rng.hpp"

namespace rlaif::evaluate {
namespace {

// Last words of the keys of Stream::bootstrap that belong to spot checks.
constexpr std::uint64_t spotcheck_key = 0x73706f74;

// How far two judges who name different sides of a pair are apart, at most; 0: none do.
double disagreement(double p, std::span<const std::vector<double>> others, std::size_t pair) {
  double low = p, high = p;
  for (const std::vector<double>& other : others) {
    if (std::isnan(other[pair])) continue;
    low = std::min(low, other[pair]);
    high = std::max(high, other[pair]);
  }
  return low < 0.5 && high > 0.5 ? high - low : 0.0;
}

class Picker {
 public:
  Picker(std::vector<std::size_t> pairs, std::size_t most) : left_(std::move(pairs)), most_(most) {}

  // Takes up to `count` of what is left, in its order, for which `fits` holds.
  template <class Fits>
  void take(std::size_t count, Pick pick, const Fits& fits) {
    std::vector<std::size_t> stay;
    for (const std::size_t pair : left_) {
      const bool taken = count > 0 && picked_.size() < most_ && fits(pair);
      if (taken) {
        picked_.push_back({pair, pick});
        --count;
      } else {
        stay.push_back(pair);
      }
    }
    left_ = std::move(stay);
  }
  template <class Key>
  void sort_left(const Key& key) {
    std::stable_sort(left_.begin(), left_.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  }
  std::vector<PickedPair> picked() && { return std::move(picked_); }

 private:
  std::vector<std::size_t> left_;
  std::size_t most_;
  std::vector<PickedPair> picked_;
};

}  // namespace

const char* to_string(Pick pick) {
  switch (pick) {
    case Pick::control: return "control";
    case Pick::disagreement: return "disagreement";
    case Pick::uncertain: return "uncertain";
  }
  return "";
}

std::vector<PickedPair> pick_pairs(std::span<const double> p_first, std::span<const std::vector<double>> others,
                                   std::size_t count, std::uint64_t seed, SpotcheckShares shares) {
  std::vector<std::size_t> pairs;
  for (std::size_t i = 0; i < p_first.size(); ++i) {
    if (!std::isnan(p_first[i])) pairs.push_back(i);
  }
  // In drawn order, so that the first ones are a random sample and ties of a stable sort fall at random.
  Rng rng(seed, Stream::bootstrap, {spotcheck_key});
  rng.shuffle(pairs);
  const auto of_count = [&](double share) {
    return static_cast<std::size_t>(std::llround(share * static_cast<double>(count)));
  };
  Picker picker(std::move(pairs), count);
  picker.take(of_count(shares.control), Pick::control, [](std::size_t) { return true; });
  const auto distance = [&](std::size_t pair) { return disagreement(p_first[pair], others, pair); };
  picker.sort_left([&](std::size_t pair) { return -distance(pair); });
  picker.take(of_count(shares.disagreement), Pick::disagreement,
              [&](std::size_t pair) { return distance(pair) > 0.0; });
  // What is left stands by disagreement: ties are drawn anew.
  picker.sort_left([&](std::size_t pair) { return hash_words({seed, spotcheck_key, pair}); });
  picker.sort_left([&](std::size_t pair) { return std::fabs(p_first[pair] - 0.5); });
  picker.take(count, Pick::uncertain, [](std::size_t) { return true; });
  std::vector<PickedPair> picked = std::move(picker).picked();
  rng.shuffle(picked);
  return picked;
}

}  // namespace rlaif::evaluate
