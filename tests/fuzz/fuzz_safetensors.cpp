// A model's weights: header and every tensor.
#include <cstdlib>

#include "fuzz.hpp"
#include "rlaif/model/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlaif;
  fuzz::expect_clean([&] {
    const auto file = model::read_safetensors(fuzz::memory_file(fuzz::text_of(data, size)));
    for (const auto& [name, tensor] : file.tensors)
      if (tensor.nbytes() > size) std::abort();
  });
  return 0;
}
