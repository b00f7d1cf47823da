#include "rlaif/evaluate/judge_report.hpp"

#include <cmath>
#include <functional>
#include <limits>

#include "rlaif/core/error.hpp"
#include "rlaif/evaluate/judge_quality.hpp"
#include "rlaif/evaluate/labelers.hpp"
#include "rlaif/evaluate/length.hpp"
#include "rlaif/evaluate/recorded_runs.hpp"
#include "rlaif/judge/kinds/combine.hpp"

#include "numbers.hpp"

namespace rlaif::evaluate {
namespace {

using Places = std::vector<std::size_t>;

bool has_side(double label) { return std::isfinite(label) && label != 0.5; }

// Resamples the prompts of `places`; `statistic` maps places of pairs to a number.
Interval by_prompt(std::span<const LabelledPair> pairs, const Places& places,
                   const std::function<double(const Places&)>& statistic, const ReportOptions& options) {
  std::map<std::uint64_t, Places> of_prompt;
  for (const std::size_t i : places) of_prompt[pairs[i].comparison.prompt.id].push_back(i);
  std::vector<const Places*> groups;
  for (const auto& [id, group] : of_prompt) groups.push_back(&group);
  Places drawn;
  return bootstrap(
      groups.size(),
      [&](std::span<const std::size_t> chosen) {
        drawn.clear();
        for (const std::size_t group : chosen) drawn.insert(drawn.end(), groups[group]->begin(), groups[group]->end());
        return statistic(drawn);
      },
      options.seed, options.resamples);
}

template <typename T>
std::vector<T> taken(const std::vector<T>& values, const Places& places) {
  std::vector<T> result;
  result.reserve(places.size());
  for (const std::size_t i : places) result.push_back(values[i]);
  return result;
}

// Columns over all pairs; what is not answered is not in `answered`.
struct Columns {
  std::vector<double> p, label, length;
  std::vector<int> sides, label_sides;
  Places answered, referenced, decided, both_orders;  // referenced: answered, and there is a label
  double cost_usd = 0.0;

  Columns(std::span<const LabelledPair> pairs, std::span<const Verdict> verdicts) {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const Verdict& verdict = verdicts[i];
      const bool ok = verdict.status == VerdictStatus::ok;
      p.push_back(ok ? verdict.p_first : std::numeric_limits<double>::quiet_NaN());
      label.push_back(pairs[i].label);
      length.push_back(judge::length_difference(pairs[i].comparison));
      cost_usd += verdict.usage.cost_usd;
      if (!ok) continue;
      answered.push_back(i);
      if (std::isfinite(pairs[i].label)) referenced.push_back(i);
      if (has_side(pairs[i].label)) decided.push_back(i);
      if (std::isfinite(verdict.p_first_by_order[0]) && std::isfinite(verdict.p_first_by_order[1]))
        both_orders.push_back(i);
    }
    sides = named_sides(p);
    label_sides = named_sides(label);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (verdicts[i].status != VerdictStatus::ok) sides[i] = no_side;
    }
  }
  double kappa(const Places& places) const {
    std::vector<int> said, labelled;
    for (const std::size_t i : places) {
      said.push_back(sides[i]);
      labelled.push_back(label_sides[i]);
    }
    return cohens_kappa(said, labelled);
  }
  // Share right where the better and the worse response are of one length.
  double agreement_at_equal_length(const Places& places) const {
    std::vector<double> right, differences;
    for (const std::size_t i : places) {
      right.push_back(same_side(p[i], label[i]));
      differences.push_back(label[i] > 0.5 ? length[i] : -length[i]);
    }
    return length_controlled_win_rate(right, differences);
  }
};

Json statuses(const JudgeQuality& quality) {
  Json json = Json::object();
  for (std::size_t status = 0; status < quality.by_status.size(); ++status) {
    if (quality.by_status[status] > 0) json[to_string(static_cast<VerdictStatus>(status))] = quality.by_status[status];
  }
  return json;
}

Json reliability(const Calibration& calibration) {
  Json bins = Json::array();
  for (const ReliabilityBin& bin : calibration.bins) {
    Json row;
    row["low"] = bin.low;
    row["high"] = bin.high;
    row["count"] = bin.count;
    row["mean_confidence"] = number_or_null(bin.mean_confidence);
    row["share_right"] = number_or_null(bin.share_right);
    bins.push_back(row);
  }
  return bins;
}

double consistency(std::span<const Verdict> verdicts, const Places& places) {
  double same = 0.0;
  for (const std::size_t i : places) {
    const std::vector<int> sides = named_sides(verdicts[i].p_first_by_order);
    same += sides[0] == sides[1] ? 1.0 : 0.0;
  }
  return same / static_cast<double>(places.size());
}

}  // namespace

Json to_json(const Interval& interval) {
  Json json;
  json["value"] = number_or_null(interval.value);
  json["low"] = number_or_null(interval.low);
  json["high"] = number_or_null(interval.high);
  return json;
}

Json to_json(const CascadePoint& point) {
  Json json;
  json["threshold"] = point.threshold;
  json["share_asked"] = point.share_asked;
  json["agreement"] = point.agreement;
  json["usd_per_1000"] = 1000.0 * point.cost_usd;
  return json;
}

Json cascade_report(const std::string& judge, const CascadeCurve& curve, const CascadePoint& last, std::size_t pairs,
                    std::size_t most_points) {
  Json step;
  step["judge"] = judge;
  const CascadePoint& chosen = curve.points[curve.chosen];
  step["chosen"] = to_json(chosen);
  step["last"] = to_json(last);
  step["last"].erase("threshold");
  step["of_last_agreement"] = last.agreement > 0.0 ? Json(chosen.agreement / last.agreement) : Json();
  step["pairs"] = pairs;
  step["curve"] = Json::array();
  const std::size_t every = most_points == 0 ? 1 : (curve.points.size() + most_points - 1) / most_points;
  for (std::size_t k = 0; k < curve.points.size(); ++k) {
    if (k % every == 0 || k == curve.chosen || k + 1 == curve.points.size())
      step["curve"].push_back(to_json(curve.points[k]));
  }
  return step;
}

Json judge_report(std::span<const LabelledPair> pairs, std::span<const Verdict> verdicts, double temperature,
                  const ReportOptions& options) {
  RLAIF_CHECK(pairs.size() == verdicts.size(), "verdicts and labels are of different pairs");
  std::vector<std::uint64_t> prompts;
  for (const LabelledPair& pair : pairs) prompts.push_back(pair.comparison.prompt.id);
  const Columns columns(pairs, verdicts);
  const JudgeQuality quality = judge_quality(prompts, verdicts, columns.label, options.seed, options.resamples);
  const auto interval = [&](const Places& places, const std::function<double(const Places&)>& statistic) {
    return to_json(by_prompt(pairs, places, statistic, options));
  };
  Json json;
  json["pairs"] = pairs.size();
  json["answered"] = columns.answered.size();
  json["statuses"] = statuses(quality);
  json["agreement"] = to_json(quality.accuracy);
  json["agreement_first_order"] = to_json(quality.accuracy_by_order[0]);
  json["agreement_second_order"] = to_json(quality.accuracy_by_order[1]);
  json["kappa"] = interval(columns.referenced, [&](const Places& places) { return columns.kappa(places); });
  json["consistency"] =
      interval(columns.both_orders, [&](const Places& places) { return consistency(verdicts, places); });
  json["same_position"] = to_json(quality.same_position);
  json["first_shown"] = to_json(quality.shown_first_wins);
  json["longer_preferred"] = interval(columns.answered, [&](const Places& places) {
    return longer_preferred(taken(columns.p, places), taken(columns.length, places));
  });
  json["agreement_at_equal_length"] =
      interval(columns.decided, [&](const Places& places) { return columns.agreement_at_equal_length(places); });
  Places labelled;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (std::isfinite(pairs[i].label)) labelled.push_back(i);
  }
  const MacroScores scores = macro_scores(taken(columns.sides, labelled), taken(columns.label_sides, labelled));
  json["accuracy_of_three"] = number_or_null(scores.accuracy);
  json["macro_precision"] = number_or_null(scores.precision);
  json["macro_recall"] = number_or_null(scores.recall);
  json["macro_f1"] = number_or_null(scores.f1);
  json["calibration_error"] = interval(columns.decided, [&](const Places& places) {
    return calibration(taken(columns.p, places), taken(columns.label, places)).expected_error;
  });
  const std::vector<double> p = taken(columns.p, columns.decided), label = taken(columns.label, columns.decided);
  std::vector<double> after;
  for (const double one : p) after.push_back(judge::calibrated(one, temperature));
  const Calibration before = calibration(p, label), tempered = calibration(after, label);
  json["brier"] = number_or_null(before.brier);
  json["reliability"] = reliability(before);
  json["temperature"] = temperature;
  json["calibration_error_after"] = number_or_null(tempered.expected_error);
  json["brier_after"] = number_or_null(tempered.brier);
  json["reliability_after"] = reliability(tempered);
  json["cost_usd"] = columns.cost_usd;
  json["usd_per_1000"] = pairs.empty() ? 0.0 : 1000.0 * columns.cost_usd / static_cast<double>(pairs.size());
  return json;
}

Json probe_report(std::span<const LabelledPair> probes, std::span<const Verdict> verdicts,
                  const ReportOptions& options) {
  RLAIF_CHECK(probes.size() == verdicts.size(), "verdicts and probes are of different pairs");
  std::map<std::string, Places> kinds;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    for (const std::string& kind : {probes[i].subset, std::string("all")}) kinds[kind].push_back(i);
  }
  const auto fooled = [&](const Places& places, const std::function<double(const Verdict&)>& p) {
    Places answered;
    for (const std::size_t i : places) {
      if (verdicts[i].status == VerdictStatus::ok && std::isfinite(p(verdicts[i]))) answered.push_back(i);
    }
    return to_json(by_prompt(
        probes, answered,
        [&](const Places& drawn) {
          double bad = 0.0;
          for (const std::size_t i : drawn) bad += same_side(p(verdicts[i]), 0.0);
          return bad / static_cast<double>(drawn.size());
        },
        options));
  };
  Json json = Json::object();
  for (const auto& [kind, places] : kinds) {
    Json& row = json[kind];
    std::size_t answered = 0;
    for (const std::size_t i : places) answered += verdicts[i].status == VerdictStatus::ok ? 1 : 0;
    row["probes"] = places.size();
    row["answered"] = answered;
    row["fooled"] = fooled(places, [](const Verdict& verdict) { return verdict.p_first; });
    row["fooled_good_first"] = fooled(places, [](const Verdict& verdict) { return verdict.p_first_by_order[0]; });
    row["fooled_bad_first"] = fooled(places, [](const Verdict& verdict) { return verdict.p_first_by_order[1]; });
  }
  return json;
}

Json across_judges(std::span<const LabelledPair> pairs, const std::vector<std::string>& names,
                   const std::map<std::string, std::vector<Verdict>>& verdicts, const ReportOptions& options) {
  if (names.size() < 2) return Json();
  std::vector<Columns> columns;
  for (const std::string& name : names) columns.emplace_back(pairs, verdicts.at(name));
  Json json;
  json["judges"] = names;
  Places all;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    bool answered = true;
    for (const Columns& judge : columns) answered = answered && judge.sides[i] != no_side;
    if (answered) all.push_back(i);
  }
  json["answered_by_all"] = all.size();
  json["fleiss_kappa"] = to_json(by_prompt(
      pairs, all,
      [&](const Places& places) {
        std::vector<std::vector<int>> counts;
        for (const std::size_t i : places) {
          std::vector<int> count(3, 0);
          for (const Columns& judge : columns) ++count[static_cast<std::size_t>(judge.sides[i] + 1)];
          counts.push_back(std::move(count));
        }
        return fleiss_kappa(counts);
      },
      options));
  Json correlations = Json::array(), same_sides = Json::array();
  for (const Columns& a : columns) {
    Json correlation_row = Json::array(), side_row = Json::array();
    for (const Columns& b : columns) {
      Places both, decided;
      for (const std::size_t i : a.answered) {
        if (b.sides[i] == no_side) continue;
        both.push_back(i);
        if (has_side(a.label[i])) decided.push_back(i);
      }
      correlation_row.push_back(
          number_or_null(error_correlation(taken(a.p, decided), taken(b.p, decided), taken(a.label, decided))));
      side_row.push_back(number_or_null(agreement(taken(a.p, both), taken(b.p, both))));
    }
    correlations.push_back(correlation_row);
    same_sides.push_back(side_row);
  }
  json["error_correlation"] = correlations;
  json["same_side"] = same_sides;
  return json;
}

}  // namespace rlaif::evaluate
