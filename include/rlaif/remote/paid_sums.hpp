// What a run's asked judges have cost so far, read beside the processes that ask: nothing is locked, made or cut off.
//   PaidSums sums(run / "verdicts");  for (const auto& [judge, paid] : sums.read()) ...   // again: only what is new is read
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "rlaif/remote/answer_cache.hpp"

namespace rlaif::remote {

// Of one judge, over all starts.
struct Paid {
  std::int64_t answers = 0;
  double paid_usd = 0.0;
  double held_usd = 0.0;           // for requests on their way, or of which nothing was heard again
  std::int64_t damaged_lines = 0;  // not counted
};

class PaidSums {
 public:
  // `folder` has a folder of answers (AnswerCache) for every asked judge; it may not be there yet.
  explicit PaidSums(std::filesystem::path folder);
  // By judge. A line that is still being written counts the next time.
  std::map<std::string, Paid> read();

 private:
  struct Judge {
    std::map<std::filesystem::path, std::uint64_t> read_to;  // by segment
    std::map<RequestHash, std::pair<std::int64_t, double>> held;
    Paid paid;
  };
  void read_segment(const std::filesystem::path& file, Judge& judge) const;
  std::filesystem::path folder_;
  std::map<std::string, Judge> judges_;
};

// "$0.42", with what is held where there is any: "$0.42 (and $0.01 held)". Empty where nothing was asked.
std::string paid_text(const std::map<std::string, Paid>& paid);

}  // namespace rlaif::remote
