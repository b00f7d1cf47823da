// A segment of the answer cache: what was paid for, as an earlier process left it.
#include <cstdlib>

#include "fuzz.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/remote/answer_cache.hpp"

#include <cmath>

namespace {

// Lines without a checksum are given theirs: else every change would be refused before anything is read.
std::string with_checksums(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.starts_with("\"request\""))
      result.append("{\"checksum\":\"").append(rlaif::hex(rlaif::checksum(line))).append("\",");
    result.append(line);
    if (end < text.size()) result += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlaif;
  fuzz::expect_clean([&] {
    const auto folder = fuzz::scratch_folder();
    fuzz::write_plain(folder / "rank-0-0.jsonl", with_checksums(fuzz::text_of(data, size)));
    remote::AnswerCache cache(folder, 0);
    cache.find({0, 0});
    if (!std::isfinite(cache.paid_usd()) || !std::isfinite(cache.unsettled_usd())) std::abort();
  });
  return 0;
}
