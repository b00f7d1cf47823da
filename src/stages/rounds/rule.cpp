#include "rule.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "../tables/tables.hpp"
#include "rlaif/core/files.hpp"

namespace rlaif::stages {
namespace {

constexpr double not_known = std::numeric_limits<double>::quiet_NaN();

double number_of(const Json& value) { return value.is_number() ? value.get<double>() : not_known; }

// The mean by prompt of what `value` gives, those apart for which it gives NaN.
template <class Value>
evaluate::Interval mean_of(std::span<const RoundVerdict> verdicts, std::uint64_t seed, int resamples,
                           const Value& value) {
  evaluate::GroupedMean mean;
  for (const RoundVerdict& one : verdicts) {
    const double found = value(one);
    if (!std::isnan(found)) mean.add(checksum(one.prompt), found);
  }
  return mean.interval(seed, resamples);
}

}  // namespace

const char* to_string(RoundOutcome outcome) {
  switch (outcome) {
    case RoundOutcome::gained: return "gained";
    case RoundOutcome::nothing_shown: return "no gain is shown";
    case RoundOutcome::lost: return "lost";
    case RoundOutcome::collapsed: return "collapsed to one text";
  }
  return "";
}

RoundOutcome outcome_of(const evaluate::Interval& wins, double commonest, double collapse_share) {
  if (commonest >= collapse_share) return RoundOutcome::collapsed;
  if (wins.low > 0.5) return RoundOutcome::gained;
  return wins.high < 0.5 ? RoundOutcome::lost : RoundOutcome::nothing_shown;
}

CommonestText commonest_text(std::span<const std::pair<std::string, std::string>> answers) {
  std::map<std::string, std::set<std::string>> prompts_of;
  std::set<std::string> prompts;
  for (const auto& [prompt, text] : answers) {
    prompts.insert(prompt);
    prompts_of[text].insert(prompt);
  }
  CommonestText commonest;
  for (const auto& [text, of_text] : prompts_of) {
    const double share = static_cast<double>(of_text.size()) / static_cast<double>(prompts.size());
    if (share > commonest.share) commonest = {text, share};
  }
  return commonest;
}

// NaN is null where it is written.
Json to_json(const RoundVerdict& verdict) {
  return {{"prompt", verdict.prompt},
          {"p_new", verdict.p_new},
          {"known", verdict.known},
          {"length_difference", verdict.length_difference},
          {"same_position", verdict.same_position}};
}

RoundVerdict read_round_verdict(const Json& json) {
  return {json["prompt"].get<std::string>(), number_of(json["p_new"]), number_of(json["known"]),
          number_of(json["length_difference"]), json["same_position"].get<int>()};
}

evaluate::Interval wins_of(std::span<const RoundVerdict> verdicts, std::uint64_t seed, int resamples) {
  return mean_of(verdicts, seed, resamples, [](const RoundVerdict& one) { return one.p_new; });
}

evaluate::Interval known_wins_of(std::span<const RoundVerdict> verdicts, std::uint64_t seed, int resamples) {
  return mean_of(verdicts, seed, resamples, [](const RoundVerdict& one) { return one.known; });
}

Json judge_measures(std::span<const RoundVerdict> verdicts, std::uint64_t seed, int resamples) {
  Json measures;
  std::int64_t failed = 0;
  for (const RoundVerdict& one : verdicts) failed += std::isnan(one.p_new);
  measures["verdicts"] = static_cast<std::int64_t>(verdicts.size()) - failed;
  measures["failed"] = failed;
  put_interval(measures, "agreement", mean_of(verdicts, seed, resamples, [](const RoundVerdict& one) {
                 const bool decides = !std::isnan(one.p_new) && !std::isnan(one.known) && one.known != 0.5;
                 return decides ? evaluate::same_side(one.p_new, one.known) : not_known;
               }));
  put_interval(measures, "same_position_rate", mean_of(verdicts, seed, resamples, [](const RoundVerdict& one) {
                 return one.same_position < 0 ? not_known : static_cast<double>(one.same_position);
               }));
  put_interval(measures, "longer_preferred", mean_of(verdicts, seed, resamples, [](const RoundVerdict& one) {
                 if (std::isnan(one.p_new) || one.length_difference == 0.0) return not_known;
                 return evaluate::same_side(one.p_new, one.length_difference > 0.0 ? 1.0 : 0.0);
               }));
  put_interval(measures, "favour",
               mean_of(verdicts, seed, resamples, [](const RoundVerdict& one) { return one.p_new - one.known; }));
  return measures;
}

}  // namespace rlaif::stages
