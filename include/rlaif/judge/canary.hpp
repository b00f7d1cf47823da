// Canaries: pairs whose verdict is known, mixed into what a judge is asked, to see that it is awake and obeys nobody.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "rlaif/judge/judge.hpp"

namespace rlaif::judge {

struct Canary {
  std::string id, kind;
  std::string prompt, good, bad;  // `good` is the better response
};

// JSON Lines of {"id", "kind", "prompt", "good", "bad": text}. Throws Error(input) naming file, line and key: a key that is
// missing, unknown or empty, an id that comes twice, equal responses, no line at all.
std::vector<Canary> load_canaries(const std::filesystem::path& file);

struct CanaryCounts {
  std::int64_t right = 0, wrong = 0;   // a tie is wrong
  std::int64_t failed = 0;             // asked, and no verdict came
  double cost_usd = 0.0;               // what the canaries cost
  std::vector<std::string> not_right;  // ids of those that were wrong or failed, in the order asked, repeated

  std::int64_t asked() const { return right + wrong + failed; }
  double right_share() const;  // of those asked; not a number where none was
  CanaryCounts& operator+=(const CanaryCounts& other);
};

// A judge that is asked canaries among the comparisons of a call; their verdicts are counted and taken out again.
class CanaryJudge : public Judge {
 public:
  // What the canaries of all calls since the last one of this came to.
  virtual CanaryCounts take_counts() = 0;
};

// Each comparison of a call brings one canary with probability `rate`. Whether, which one and in which place its good
// response stands is keyed by (seed, comparison id). Throws Error(usage) for a rate outside [0, 1], Error(input) for no canaries.
std::unique_ptr<CanaryJudge> make_canary_judge(std::shared_ptr<Judge> inner, std::vector<Canary> canaries, double rate,
                                               std::uint64_t seed);

}  // namespace rlaif::judge
