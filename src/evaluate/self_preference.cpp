#include "rlaif/evaluate/self_preference.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "rlaif/core/error.hpp"

#include "numbers.hpp"

namespace rlaif::evaluate {
namespace {

// Won and all pairs of a writer, by judge, of one prompt.
struct Tally {
  double won = 0.0, pairs = 0.0;
};
using Table = std::vector<std::vector<Tally>>;  // [judge][writer]

double share(const Tally& tally) { return tally.pairs > 0.0 ? tally.won / tally.pairs : not_a_number; }

}  // namespace

SelfPreference self_preference(std::span<const WriterVerdict> verdicts, const std::vector<std::string>& writer_of_judge,
                               std::uint64_t seed, int resamples) {
  std::set<std::string> names;
  const auto says = [](const WriterVerdict& one) {
    return !one.writer_first.empty() && !one.writer_second.empty() && one.writer_first != one.writer_second;
  };
  for (const WriterVerdict& one : verdicts) {
    if (says(one)) names.insert({one.writer_first, one.writer_second});
  }
  SelfPreference result;
  result.writers.assign(names.begin(), names.end());
  const auto place = [&](const std::string& writer) {
    return static_cast<std::size_t>(std::lower_bound(result.writers.begin(), result.writers.end(), writer) -
                                    result.writers.begin());
  };
  const std::size_t judges = writer_of_judge.size(), writers = result.writers.size();
  std::map<std::uint64_t, Table> by_prompt;
  for (const WriterVerdict& one : verdicts) {
    if (!says(one)) continue;
    RLAIF_CHECK(one.judge < judges, "a verdict is of a judge that has a name");
    Table& table = by_prompt.try_emplace(one.prompt_id, Table(judges, std::vector<Tally>(writers))).first->second;
    const double first = same_side(one.p_first, 1.0);
    Tally& a = table[one.judge][place(one.writer_first)];
    Tally& b = table[one.judge][place(one.writer_second)];
    a.won += first, a.pairs += 1.0;
    b.won += 1.0 - first, b.pairs += 1.0;
  }
  std::vector<const Table*> prompts;
  for (const auto& [id, table] : by_prompt) prompts.push_back(&table);
  const auto tally = [&](std::span<const std::size_t> chosen, std::size_t judge, std::size_t writer) {
    Tally sum;
    for (const std::size_t prompt : chosen) {
      sum.won += (*prompts[prompt])[judge][writer].won;
      sum.pairs += (*prompts[prompt])[judge][writer].pairs;
    }
    return share(sum);
  };
  for (std::size_t judge = 0; judge < judges; ++judge) {
    result.win_rates.emplace_back();
    for (std::size_t writer = 0; writer < writers; ++writer) {
      result.win_rates.back().push_back(bootstrap(
          prompts.size(), [&](std::span<const std::size_t> chosen) { return tally(chosen, judge, writer); }, seed,
          resamples));
    }
    const bool writes = names.contains(writer_of_judge[judge]);
    const std::size_t own = place(writer_of_judge[judge]);
    const auto excess = [&](std::span<const std::size_t> chosen) {
      double others = 0.0, count = 0.0;
      for (std::size_t other = 0; other < judges; ++other) {
        const double rate = other == judge ? not_a_number : tally(chosen, other, own);
        if (rate != rate) continue;
        others += rate;
        count += 1.0;
      }
      return count > 0.0 ? tally(chosen, judge, own) - others / count : not_a_number;
    };
    result.excess.push_back(writes ? bootstrap(prompts.size(), excess, seed, resamples)
                                   : Interval{not_a_number, not_a_number, not_a_number});
  }
  return result;
}

}  // namespace rlaif::evaluate
