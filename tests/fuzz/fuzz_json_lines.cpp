// Files of one JSON object a line: prompts, recorded verdicts, preferences of both forms, principles, canaries.
#include <cstdlib>

#include "fuzz.hpp"
#include "rlaif/judge/canary.hpp"
#include "rlaif/judge/constitution/constitution.hpp"
#include "rlaif/judge/kinds/recorded.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/records/records.hpp"
#include "rlaif/text/jsonl.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlaif;
  const auto file = fuzz::memory_file(fuzz::text_of(data, size));
  fuzz::expect_clean([&] { records::read_prompts(file); });
  fuzz::expect_clean(
      [&] { text::for_each_json_line(file, [](const text::JsonRecord& record) { judge::read_recorded(record); }); });
  fuzz::expect_clean([&] { judge::load_canaries(file); });
  if (size % 8 == 0) {  // the others write no shards, which takes most of the time
    fuzz::expect_clean([&] {
      const auto folder = fuzz::scratch_folder();
      preferences::import_jsonl(file, folder / "store", "", 2);
      if (!preferences::validate_store(folder / "store").empty()) std::abort();
    });
  }
  fuzz::expect_clean([&] {
    const auto named = fuzz::scratch_folder() / "principles.jsonl";
    fuzz::write_plain(named, fuzz::text_of(data, size));
    judge::load_constitution(named);
  });
  return 0;
}
