#include "fence.hpp"
#include "../annotator_keys.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"

namespace rlaif::judge {

std::string fence_of(const Comparison& comparison, std::uint64_t seed) {
  Rng rng(seed, Stream::annotator, {fence_key, comparison.id});
  while (true) {
    const std::string fence = hex(rng.next_u64()).substr(0, 12);
    bool is_new = true;
    for (const std::string* text : {&comparison.prompt.text, &comparison.first.text, &comparison.second.text})
      is_new = is_new && text->find(fence) == std::string::npos;
    if (is_new) return fence;
  }
}

}  // namespace rlaif::judge
