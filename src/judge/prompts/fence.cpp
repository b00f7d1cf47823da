#include "fence.hpp"

#include <algorithm>

#include "../annotator_keys.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"

namespace rlaif::judge {

std::string fence_of(std::uint64_t id, std::initializer_list<const std::string*> texts, std::uint64_t seed) {
  Rng rng(seed, Stream::annotator, {fence_key, id});
  while (true) {
    const std::string fence = hex(rng.next_u64()).substr(0, 12);
    const auto holds_it = [&](const std::string* text) { return text->find(fence) != std::string::npos; };
    if (std::none_of(texts.begin(), texts.end(), holds_it)) return fence;
  }
}

std::string fence_of(const Comparison& comparison, std::uint64_t seed) {
  return fence_of(comparison.id, {&comparison.prompt.text, &comparison.first.text, &comparison.second.text}, seed);
}

}  // namespace rlaif::judge
