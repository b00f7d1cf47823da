// A deck: its keys, and the options that follow from them.
#include "fuzz.hpp"
#include "rlaif/cli/deck.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlaif;
  fuzz::expect_clean([&] {
    cli::CommandLine line;
    line.command = "calibrate";  // the files that a deck names are not read
    line.dry_run = true;
    const auto resolved = cli::resolve(fuzz::memory_file(fuzz::text_of(data, size)), line);
    resolved->deck.hash();
  });
  return 0;
}
