// What a run's asked judges and writers have cost so far, read beside the processes that ask: nothing is locked, made or cut off.
//   PaidSums sums(directory.answers());  for (const auto& [asker, paid] : sums.read()) ...   // again: only what is new is read
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "rlaif/cost/asker.hpp"
#include "rlaif/remote/answer_cache.hpp"

namespace rlaif::remote {

// By one asker, over all starts.
struct Paid {
  std::int64_t answers = 0;
  double paid_usd = 0.0;
  double held_usd = 0.0;           // for requests on their way, or of which nothing was heard again
  std::int64_t damaged_lines = 0;  // not counted
};

class PaidSums {
 public:
  // `folders`, by role, hold a folder of answers (AnswerCache) for every asker of that role; they may not be there yet.
  explicit PaidSums(std::map<std::string, std::filesystem::path> folders);
  // A line that is still being written counts the next time.
  std::map<cost::Asker, Paid> read();

 private:
  struct Reading {
    std::map<std::filesystem::path, std::uint64_t> read_to;  // by segment
    std::map<RequestHash, std::pair<std::int64_t, double>> held;
    Paid paid;
  };
  void read_segment(const std::filesystem::path& file, Reading& reading) const;
  std::map<std::string, std::filesystem::path> folders_;
  std::map<cost::Asker, Reading> readings_;
};

// "$0.42", with what is held where there is any: "$0.42 (and $0.01 held)". Empty where nothing was asked.
std::string paid_text(const std::map<cost::Asker, Paid>& paid);

}  // namespace rlaif::remote
