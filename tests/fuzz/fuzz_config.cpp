// A model's config.json, and the numbers that follow from it.
#include <cstdlib>

#include "fuzz.hpp"
#include "rlaif/model/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlaif;
  fuzz::expect_clean([&] {
    const model::ModelConfig config = model::read_config(fuzz::memory_file(fuzz::text_of(data, size)));
    if (config.num_parameters() <= 0 || config.rotated() > config.head_dim) std::abort();
  });
  return 0;
}
