#include <array>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/judge/remote.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::judge {
namespace {

constexpr double not_asked = std::numeric_limits<double>::quiet_NaN();

struct Recorded {
  std::size_t line = 0;  // 0: none
  VerdictStatus status = VerdictStatus::missing;
  double p_first = not_asked;
  std::string raw;
};

// Text or null; null and absent are empty.
std::string optional_text(const text::JsonRecord& record, const char* key) {
  const auto found = record.object.find(key);
  if (found == record.object.end() || found->is_null()) return "";
  return record.string(key);
}

VerdictStatus status_without_verdict(const std::string& finish) {
  if (finish == "length" || finish == "max_tokens") return VerdictStatus::truncated;
  if (finish == "content_filter") return VerdictStatus::filtered;
  return finish == "refusal" ? VerdictStatus::refused : VerdictStatus::unparseable;
}

Recorded read_record(const text::JsonRecord& record) {
  Recorded recorded{record.line, VerdictStatus::ok, not_asked, optional_text(record, "raw")};
  const std::string finish = optional_text(record, "finish");
  const auto verdict = record.object.find("verdict");
  const std::string expected = "key 'verdict': expected \"a\", \"b\", \"tie\" or null";
  if (verdict == record.object.end()) throw input_error(record.file, record.line, expected + ", it is missing");
  if (verdict->is_null()) {
    recorded.status = status_without_verdict(finish);
    return recorded;
  }
  if (*verdict == "a")
    recorded.p_first = 1.0;
  else if (*verdict == "b")
    recorded.p_first = 0.0;
  else if (*verdict == "tie")
    recorded.p_first = 0.5;
  else
    throw input_error(record.file, record.line, expected + ", not " + text::to_json_line(*verdict));
  return recorded;
}

class Replay final : public Judge {
 public:
  Replay(std::string name, ReplayOptions options) : name_(std::move(name)), options_(std::move(options)) {
    if (!options_.pair_id) options_.pair_id = [](const Comparison& comparison) { return std::to_string(comparison.id); };
    text::for_each_json_line(options_.file, [this](const text::JsonRecord& record) { add(record); });
    if (pairs_.empty()) throw input_error(options_.file, "holds no verdict" + wanted());
    if (sources_.size() > 1) {
      const auto& [a, b] = std::pair(*sources_.begin(), *std::next(sources_.begin()));
      throw input_error(options_.file, "holds verdicts of several judges and styles, such as " + a.first + " " + a.second +
                                           " and " + b.first + " " + b.second + ": name judge and style");
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
  using Pair = std::array<Recorded, 2>;  // by order

  void add(const text::JsonRecord& record) {
    const std::string judge = record.string("judge"), style = record.string("style"), order = record.string("order");
    const std::string pair = record.string("pair_id");
    if (order != "ab" && order != "ba")
      throw input_error(record.file, record.line, "key 'order': expected \"ab\" or \"ba\", not \"" + order + "\"");
    Recorded recorded = read_record(record);
    if (!options_.judge.empty() && judge != options_.judge) return;
    if (!options_.style.empty() && style != options_.style) return;
    sources_.emplace(judge, style);
    if (sources_.size() > 1) return;
    Recorded& place = pairs_[pair][order == "ab" ? 0 : 1];
    if (place.line != 0)
      throw input_error(record.file, record.line, "a second verdict for pair '" + pair + "' in order " + order +
                                                      "; the first is in line " + std::to_string(place.line));
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
