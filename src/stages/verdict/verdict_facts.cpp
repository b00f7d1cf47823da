#include "verdict_facts.hpp"

#include <cmath>
#include <limits>
#include <map>

#include "rlaif/evaluate/labelers.hpp"
#include "rlaif/evaluate/length.hpp"
#include "rlaif/evaluate/ratings.hpp"
#include "rlaif/evaluate/sequence.hpp"
#include "rlaif/evaluate/statistics.hpp"
#include "rlaif/study/people_labels.hpp"

namespace rlaif::stages {
namespace {

Json interval_json(const evaluate::Interval& interval) {
  return {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}};
}

// Wins and length differences of one pair of policies, by group.
struct Wins {
  std::map<std::uint64_t, std::pair<std::vector<double>, std::vector<double>>> groups;
  std::map<std::int64_t, std::vector<double>> by_item;
};

Wins wins_of(const VerdictColumns& columns, const std::vector<double>& p_a, std::size_t matchup) {
  Wins wins;
  for (std::size_t i = 0; i < p_a.size(); ++i) {
    if (columns.matchup[i] != matchup || std::isnan(p_a[i])) continue;
    auto& [won, longer] = wins.groups[columns.group[i]];
    won.push_back(p_a[i]);
    longer.push_back(columns.length_difference[i]);
    wins.by_item[columns.item[i]].push_back(p_a[i]);
  }
  return wins;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

Json win_facts(const Wins& wins, const VerdictSettings& settings) {
  std::vector<std::vector<double>> won, longer;
  for (const auto& [group, of_group] : wins.groups) {
    won.push_back(of_group.first);
    longer.push_back(of_group.second);
  }
  Json facts;
  facts["prompts"] = wins.by_item.size();
  if (won.empty()) return facts;
  facts["win_rate"] = interval_json(evaluate::mean(won, settings.seed, settings.resamples));
  std::vector<std::vector<double>> named = won;
  for (std::vector<double>& of_group : named) {
    for (double& p : of_group) p = evaluate::same_side(p, 1.0);
  }
  facts["named"] = interval_json(evaluate::mean(named, settings.seed, settings.resamples));
  const auto controlled = [&](std::span<const std::size_t> chosen) {
    std::vector<double> all_won, all_longer;
    for (const std::size_t group : chosen) {
      all_won.insert(all_won.end(), won[group].begin(), won[group].end());
      all_longer.insert(all_longer.end(), longer[group].begin(), longer[group].end());
    }
    return evaluate::saturating_length_controlled_win_rate(all_won, all_longer);
  };
  facts["length_controlled"] =
      interval_json(evaluate::bootstrap(won.size(), controlled, settings.seed, settings.resamples));
  if (settings.stop_error_rate <= 0.0) return facts;
  evaluate::ConfidenceSequence sequence(settings.stop_error_rate, static_cast<std::size_t>(settings.prompts));
  for (const auto& [item, values] : wins.by_item) sequence.add(mean_of(values));
  facts["sequence"] = {{"low", sequence.low()}, {"high", sequence.high()}, {"decided", sequence.excludes(0.5)}};
  return facts;
}

}  // namespace

YardstickColumn column_of(const std::string& name, const std::vector<Compared>& compared,
                          const std::vector<Preference>& records) {
  std::map<std::uint64_t, const Preference*> by_id;
  for (const Preference& record : records) by_id[record.comparison.id] = &record;
  YardstickColumn column{name, {}};
  for (const Compared& one : compared) {
    const auto found = by_id.find(one.comparison.id);
    const bool is_said = found != by_id.end() && found->second->verdict.status == VerdictStatus::ok &&
                         same_texts(found->second->comparison, one.comparison);
    column.p_a.push_back(is_said ? one.of_a(found->second->verdict.p_first) : std::numeric_limits<double>::quiet_NaN());
  }
  return column;
}

YardstickColumn own_column(const std::string& name, const std::vector<Compared>& compared) {
  YardstickColumn column{name, {}};
  for (const Compared& one : compared) column.p_a.push_back(one.yardstick);
  return column;
}

VerdictColumns::VerdictColumns(const std::vector<Compared>& compared) {
  std::map<std::string, std::uint64_t> groups;
  for (const Compared& one : compared) {
    const auto known = groups.emplace(one.comparison.prompt.text, static_cast<std::uint64_t>(one.item)).first;
    group.push_back(known->second);
    item.push_back(one.item);
    matchup.push_back(one.matchup);
    length_difference.push_back(one.length_difference);
  }
}

Json yardstick_facts(const ComparedPolicies& policies, const VerdictColumns& columns, const YardstickColumn& of,
                     const VerdictSettings& settings) {
  Json facts;
  facts["wins"] = Json::object();
  std::vector<evaluate::Game> games;
  for (std::size_t m = 0; m < policies.matchups.size(); ++m)
    facts["wins"][policies.name(policies.matchups[m])] = win_facts(wins_of(columns, of.p_a, m), settings);
  for (std::size_t i = 0; i < of.p_a.size(); ++i) {
    if (std::isnan(of.p_a[i])) continue;
    const Matchup& who = policies.matchups[columns.matchup[i]];
    games.push_back({columns.group[i], who.a, who.b, of.p_a[i]});
  }
  facts["ratings"] = Json::object();
  if (games.empty()) return facts;
  const std::vector<evaluate::Interval> ratings =
      evaluate::elo_ratings(games, policies.names.size(), settings.seed, settings.resamples);
  for (std::size_t p = 0; p < ratings.size(); ++p) facts["ratings"][policies.names[p]] = interval_json(ratings[p]);
  return facts;
}

Json agreement_of_yardsticks(const VerdictColumns& columns, const VerdictSettings& settings) {
  Json all = Json::array();
  for (std::size_t a = 0; a < columns.yardsticks.size(); ++a) {
    for (std::size_t b = a + 1; b < columns.yardsticks.size(); ++b) {
      const evaluate::SideAgreement agreement = evaluate::side_agreement(
          columns.group, columns.yardsticks[a].p_a, columns.yardsticks[b].p_a, settings.seed, settings.resamples);
      if (agreement.decided == 0) continue;
      all.push_back({{"a", columns.yardsticks[a].name},
                     {"b", columns.yardsticks[b].name},
                     {"share", interval_json(agreement.share)},
                     {"pairs", agreement.decided}});
    }
  }
  return all;
}

}  // namespace rlaif::stages
