#include <array>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/judge/kinds/recorded.hpp"
#include "rlaif/judge/kinds/replay.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::judge {
namespace {

class Replay final : public Judge {
 public:
  Replay(std::string name, ReplayOptions options) : name_(std::move(name)), options_(std::move(options)) {
    if (!options_.pair_id)
      options_.pair_id = [](const Comparison& comparison) { return std::to_string(comparison.id); };
    text::for_each_json_line(options_.file, [this](const text::JsonRecord& record) { add(record); });
    if (pairs_.empty()) throw input_error(options_.file, "holds no verdict" + wanted());
    if (sources_.size() > 1) {
      const auto& [a, b] = std::pair(*sources_.begin(), *std::next(sources_.begin()));
      throw input_error(options_.file, "holds verdicts of several judges and styles, such as " + a.first + " " +
                                           a.second + " and " + b.first + " " + b.second + ": name judge and style");
    }
  }

  const std::string& name() const override { return name_; }

  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    std::vector<Verdict> verdicts;
    for (const Comparison& comparison : comparisons) {
      const auto found = pairs_.find(options_.pair_id(comparison));
      verdicts.push_back(found == pairs_.end() ? verdict_of({}) : verdict_of(found->second));
    }
    return verdicts;
  }

 private:
  using Pair = std::array<RecordedVerdict, 2>;  // by order

  void add(const text::JsonRecord& record) {
    RecordedVerdict recorded = read_recorded(record);
    if (!options_.judge.empty() && recorded.judge != options_.judge) return;
    if (!options_.style.empty() && recorded.style != options_.style) return;
    sources_.emplace(recorded.judge, recorded.style);
    if (sources_.size() > 1) return;
    RecordedVerdict& place = pairs_[recorded.pair][recorded.order];
    if (place.line != 0) throw repeated(record, recorded, place.line);
    place = std::move(recorded);
  }

  Verdict verdict_of(const Pair& pair) const {
    Verdict verdict;
    verdict.p_first_by_order = {pair[0].p_first, not_asked};
    verdict.rationale = pair[0].raw;
    if (options_.orders == Orders::both) {
      verdict.p_first_by_order[1] = pair[1].p_first;
      if (pair[0].status == VerdictStatus::ok && pair[1].status != VerdictStatus::ok) verdict.status = pair[1].status;
    }
    if (pair[0].status != VerdictStatus::ok) verdict.status = pair[0].status;
    const bool is_whole = pair[0].status == VerdictStatus::ok &&
                          (options_.orders == Orders::first_only || pair[1].status == VerdictStatus::ok);
    if (!is_whole) return verdict;
    verdict.status = VerdictStatus::ok;
    verdict.p_first = options_.orders == Orders::both ? 0.5 * (pair[0].p_first + pair[1].p_first) : pair[0].p_first;
    return verdict;
  }

  std::string wanted() const {
    std::string text;
    if (!options_.judge.empty()) text += " of judge '" + options_.judge + "'";
    if (!options_.style.empty()) text += " in style '" + options_.style + "'";
    return text;
  }

  std::string name_;
  ReplayOptions options_;
  std::map<std::string, Pair> pairs_;
  std::set<std::pair<std::string, std::string>> sources_;
};

}  // namespace

std::unique_ptr<Judge> make_replay_judge(std::string name, ReplayOptions options) {
  return std::make_unique<Replay>(std::move(name), std::move(options));
}

}  // namespace rlaif::judge
