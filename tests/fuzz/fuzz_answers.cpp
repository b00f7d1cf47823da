// A segment of the answer cache: what was paid for, as an earlier process left it.
#include <cstdlib>

#include "fuzz.hpp"
#include "rlaif/judge/answer_cache.hpp"

#include <cmath>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlaif;
  fuzz::expect_clean([&] {
    const auto folder = fuzz::scratch_folder();
    fuzz::write_plain(folder / "rank-0-0.jsonl", fuzz::text_of(data, size));
    judge::AnswerCache cache(folder, 0);
    cache.find(judge::request_hash("a request"));
    if (!std::isfinite(cache.paid_usd()) || !std::isfinite(cache.unsettled_usd())) std::abort();
  });
  return 0;
}
