#include "judge_members.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "rlaif/evaluate/fitting.hpp"
#include "rlaif/evaluate/judge_report.hpp"
#include "rlaif/judge/kinds/combine.hpp"
#include "rlaif/study/judge_tree.hpp"

namespace rlaif::stages {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t most_points = 200;

// A member on the held-out pairs.
struct MemberColumn {
  std::string name;
  bool labels_alone = false;  // it is a judge of the study by itself
  std::vector<bool> asked;    // by the combined judge
  std::vector<double> p;      // NaN: no verdict, or not asked
  std::vector<double> cost;   // NaN: not asked, and it labels nothing itself
  bool is_whole() const {
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if ((!asked[i] && !labels_alone) || std::isnan(cost[i])) return false;
    }
    return true;
  }
};

std::vector<MemberColumn> member_columns(const JudgeOptions& judge, const JudgedPairs& pairs) {
  const std::vector<Preference>& records = pairs.heldout.at(judge.name);
  std::vector<MemberColumn> columns;
  for (const std::string& name : judge.members) {
    MemberColumn column{name, pairs.heldout.contains(name), std::vector<bool>(records.size(), false),
                        std::vector<double>(records.size(), unknown), std::vector<double>(records.size(), unknown)};
    for (std::size_t i = 0; i < records.size(); ++i) {
      for (const MemberVerdict& said : records[i].verdict.members) {
        if (said.name != name) continue;
        column.asked[i] = true;
        column.p[i] = said.status == VerdictStatus::ok ? said.p_first : unknown;
        column.cost[i] = said.cost_usd;
      }
      if (!column.labels_alone) continue;
      const Verdict& own = pairs.heldout.at(name)[i].verdict;
      column.p[i] = own.status == VerdictStatus::ok ? own.p_first : unknown;
      column.cost[i] = own.usage.cost_usd;
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace

Json members_facts(const Context& context, const JudgeOptions& judge, const JudgedPairs& pairs, int resamples) {
  const std::vector<Preference>& records = pairs.heldout.at(judge.name);
  Json facts = Json::object();
  for (const MemberColumn& column : member_columns(judge, pairs)) {
    evaluate::GroupedMean right;  // over those that gold decides
    std::size_t asked = 0, answered = 0;
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (!column.asked[i]) continue;
      ++asked;
      if (std::isnan(column.p[i])) continue;
      ++answered;
      const double gold = gold_side(context, records[i].comparison);
      if (!std::isfinite(gold) || gold == 0.5) continue;
      right.add(records[i].comparison.prompt.id, evaluate::same_side(column.p[i], gold));
    }
    Json& row = facts[column.name];
    row["asked"] = asked;
    row["answered"] = answered;
    row["agreement"] = evaluate::to_json(right.interval(context.study.run.seed, resamples));
  }
  return facts;
}

Json cascade_facts(const Context& context, const JudgeOptions& judge, const JudgedPairs& pairs) {
  if (judge.kind != JudgeKind::cascade) return Json();
  const std::vector<MemberColumn> columns = member_columns(judge, pairs);
  if (!std::all_of(columns.begin(), columns.end(), [](const MemberColumn& one) { return one.is_whole(); }))
    return Json();
  const judge::FittedJudges calibration = beside_own_temperatures(context.study.judges, calibration_of(judge));
  const std::vector<judge::FittedJudge> fitted = fitted_members(judge, calibration);
  const std::vector<Preference>& records = pairs.heldout.at(judge.name);
  std::vector<std::vector<double>> confidence(columns.size()), right(columns.size()), cost(columns.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const double gold = gold_side(context, records[i].comparison);
    if (!std::isfinite(gold) || gold == 0.5 || std::isnan(columns.back().p[i])) continue;
    for (std::size_t m = 0; m < columns.size(); ++m) {
      const bool ok = !std::isnan(columns[m].p[i]);
      const double p = ok ? judge::calibrated(columns[m].p[i], fitted[m].temperature) : unknown;
      confidence[m].push_back(ok ? std::max(p, 1.0 - p) : -1.0);
      right[m].push_back(ok ? evaluate::same_side(columns[m].p[i], gold) : 0.0);
      cost[m].push_back(columns[m].cost[i]);
    }
  }
  const std::size_t decided = right.back().size();
  if (decided == 0) return Json();
  const auto mean = [&](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(decided);
  };
  const evaluate::CascadeFit fit =
      evaluate::cascade_at(confidence, right, cost, cascade_thresholds(judge, calibration));
  const evaluate::CascadePoint alone{0.0, 1.0, mean(right.back()), mean(cost.back())};
  Json steps = Json::array();
  for (std::size_t m = 0; m < fit.curves.size(); ++m) {
    steps.push_back(evaluate::cascade_report(columns[m].name, fit.curves[m], alone, decided, most_points));
    steps.back()["threshold"] = fit.thresholds[m];
  }
  return steps;
}

}  // namespace rlaif::stages
