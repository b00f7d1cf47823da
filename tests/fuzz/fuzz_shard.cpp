// A shard of preferences, and the manifest of a store (which begins with a brace).
#include "fuzz.hpp"
#include "rlaif/preferences/store.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlaif;
  const std::string_view bytes = fuzz::text_of(data, size);
  if (bytes.starts_with('{')) {
    const auto folder = fuzz::scratch_folder();
    fuzz::write_plain(folder / "manifest.json", bytes);
    fuzz::expect_clean([&] { preferences::read_manifest(folder); });
    fuzz::expect_clean([&] { preferences::validate_store(folder); });
    return 0;
  }
  fuzz::expect_clean([&] { preferences::read_shard(fuzz::memory_file(bytes)); });
  return 0;
}
