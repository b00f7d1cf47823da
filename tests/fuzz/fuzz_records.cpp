// Files in the forms of others, compressed ones too: read as what they may be, written in every form, read again.
#include <cstdlib>

#include "fuzz.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/records/write.hpp"

namespace {

using namespace rlaif;

// What was written is read, and as many of it.
void write_all(const std::filesystem::path& folder, records::Kind kind, const std::vector<records::Record>& made) {
  for (const records::WrittenForm& form : records::written_forms()) {
    if (form.kind != kind) continue;
    fuzz::expect_clean([&] {
      const auto file = folder / "again.jsonl";
      records::LeftOut left_out;
      const std::size_t written = records::write_records(file, form.name, made, &left_out);
      if (written + left_out.records != made.size()) std::abort();
      if (written > 0 && records::read_records(file, kind).size() != written) std::abort();
    });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = fuzz::memory_file(fuzz::text_of(data, size));
  fuzz::expect_clean([&] { records::read_prompts(file); });
  for (const records::Kind kind :
       {records::Kind::prompt, records::Kind::demonstration, records::Kind::rated, records::Kind::pair}) {
    fuzz::expect_clean([&] {
      records::LeftOut left_out;
      const auto made = records::read_records(file, kind, &left_out);
      if (size % 8 == 0) write_all(fuzz::scratch_folder(), kind, made);
    });
  }
  fuzz::expect_clean([&] {
    records::RecordReader reader(file, records::Kind::pair, records::Flawed::keep);
    for (records::Record record; reader.next(record);)
      if (record.responses.size() != 2) std::abort();
  });
  return 0;
}
