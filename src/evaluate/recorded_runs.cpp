#include "rlaif/evaluate/recorded_runs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>

#include "rlaif/core/error.hpp"
#include "rlaif/core/text_table.hpp"
#include "rlaif/evaluate/labelers.hpp"
#include "rlaif/judge/kinds/recorded.hpp"
#include "rlaif/text/jsonl.hpp"

#include "numbers.hpp"

namespace rlaif::evaluate {
namespace {

double share(std::size_t part, std::size_t whole) {
  return whole == 0 ? not_a_number : static_cast<double>(part) / static_cast<double>(whole);
}

std::size_t equal_places(std::span<const int> a, std::span<const int> b) {
  std::size_t equal = 0;
  for (std::size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i] ? 1 : 0;
  return equal;
}

int side_of(double p) { return named_sides(std::span(&p, 1)).front(); }

struct Key {
  std::string subset, judge, style;
  auto operator<=>(const Key&) const = default;
};

struct Sides {
  std::size_t place = 0;  // in the order of first lines
  bool both_orders = false;
  std::array<std::vector<int>, 2> said;
  std::array<std::vector<std::size_t>, 2> lines;  // 0: none
};

Json to_json(const MacroScores& scores) {
  Json json;
  json["accuracy"] = number_or_null(scores.accuracy);
  json["macro_precision"] = number_or_null(scores.precision);
  json["macro_recall"] = number_or_null(scores.recall);
  json["macro_f1"] = number_or_null(scores.f1);
  return json;
}

}  // namespace

MacroScores macro_scores(std::span<const int> said, std::span<const int> labels) {
  RLAIF_CHECK(said.size() == labels.size(), "verdicts and labels are of different pairs");
  MacroScores scores;
  scores.accuracy = share(equal_places(said, labels), said.size());
  for (const int label : {1, -1, 0}) {
    double hits = 0.0, named = 0.0, there = 0.0;
    for (std::size_t i = 0; i < said.size(); ++i) {
      named += said[i] == label;
      there += labels[i] == label;
      hits += said[i] == label && labels[i] == label;
    }
    const double precision = named > 0.0 ? hits / named : 0.0, recall = there > 0.0 ? hits / there : 0.0;
    scores.precision += precision / 3.0;
    scores.recall += recall / 3.0;
    scores.f1 += precision + recall > 0.0 ? 2.0 * precision * recall / (precision + recall) / 3.0 : 0.0;
  }
  return scores;
}

RunFigures run_figures(std::span<const int> ab, std::span<const int> ba, std::span<const int> labels) {
  RLAIF_CHECK(ab.size() == labels.size() && (ba.empty() || ba.size() == labels.size()),
              "verdicts and labels are of different pairs");
  RunFigures figures;
  figures.n = labels.size();
  figures.correct_ab = equal_places(ab, labels);
  figures.correct_ba = equal_places(ba, labels.first(ba.size()));
  figures.null_ab = static_cast<std::size_t>(std::count(ab.begin(), ab.end(), no_side));
  figures.null_ba = static_cast<std::size_t>(std::count(ba.begin(), ba.end(), no_side));
  for (std::size_t i = 0; i < ba.size(); ++i) figures.correct_both += ab[i] == labels[i] && ba[i] == labels[i] ? 1 : 0;
  figures.agree = equal_places(ba, ab.first(ba.size()));
  const std::size_t all = ab.size() + ba.size();
  figures.accuracy = share(figures.correct_ab + figures.correct_ba, all);
  figures.agreement = ba.empty() ? not_a_number : share(figures.agree, ba.size());
  figures.first_shown_rate =
      share(static_cast<std::size_t>(std::count(ab.begin(), ab.end(), 1) + std::count(ba.begin(), ba.end(), -1)), all);
  figures.kappa_ab = cohens_kappa(ab, labels);
  figures.kappa_ba = ba.empty() ? not_a_number : cohens_kappa(ba, labels);
  figures.kappa_orders = ba.empty() ? not_a_number : cohens_kappa(ab, ba);
  std::vector<int> said(ab.begin(), ab.end()), reference(labels.begin(), labels.end());
  said.insert(said.end(), ba.begin(), ba.end());
  if (!ba.empty()) reference.insert(reference.end(), labels.begin(), labels.end());
  figures.null_is_wrong = macro_scores(said, reference);
  std::replace(said.begin(), said.end(), no_side, 0);
  figures.null_is_tie = macro_scores(said, reference);
  return figures;
}

std::vector<RecordedRun> recorded_runs(const std::filesystem::path& file, std::span<const LabelledPair> pairs) {
  std::unordered_map<std::string, std::pair<std::string, std::size_t>> place_of;  // subset and place within it, by id
  std::map<std::string, std::vector<int>> labels;
  for (const LabelledPair& pair : pairs) {
    std::vector<int>& subset = labels[pair.subset];
    place_of[pair.id] = {pair.subset, subset.size()};
    subset.push_back(side_of(pair.label));
  }
  std::map<Key, Sides> runs;
  text::for_each_json_line(file, [&](const text::JsonRecord& record) {
    const judge::RecordedVerdict verdict = judge::read_recorded(record);
    const auto found = place_of.find(verdict.pair);
    if (found == place_of.end()) return;
    const auto& [subset, place] = found->second;
    const auto [run, added] = runs.try_emplace({subset, verdict.judge, verdict.style});
    Sides& sides = run->second;
    if (added) {
      sides.place = runs.size() - 1;
      sides.said.fill(std::vector<int>(labels[subset].size(), no_side));
      sides.lines.fill(std::vector<std::size_t>(labels[subset].size(), 0));
    }
    std::size_t& line = sides.lines[verdict.order][place];
    if (line != 0) throw judge::repeated(record, verdict, line);
    line = record.line;
    sides.both_orders = sides.both_orders || verdict.order == 1;
    if (verdict.status == VerdictStatus::ok) sides.said[verdict.order][place] = side_of(verdict.p_first);
  });
  if (runs.empty())
    throw input_error(file, "holds no verdict on one of the pairs; check that its pair_id and their id are the same");
  std::vector<RecordedRun> all(runs.size());
  for (const auto& [key, sides] : runs) {
    const std::span<const int> ba = sides.both_orders ? std::span<const int>(sides.said[1]) : std::span<const int>();
    all[sides.place] = {key.subset, key.judge, key.style, sides.both_orders,
                        run_figures(sides.said[0], ba, labels[key.subset])};
  }
  return all;
}

Json annotator_agreement(std::span<const LabelledPair> pairs) {
  std::map<std::size_t, std::size_t> uses;
  for (const LabelledPair& pair : pairs) ++uses[pair.annotators.size()];
  std::size_t people = 0, most = 0;
  for (const auto& [count, pairs_with] : uses) {
    if (count >= 2 && pairs_with > most) people = count, most = pairs_with;
  }
  if (people == 0) return Json();
  std::vector<std::vector<int>> labels(people), counts;
  for (const LabelledPair& pair : pairs) {
    if (pair.annotators.size() != people) continue;
    const std::vector<int> sides = named_sides(pair.annotators);
    std::vector<int> count(3, 0);
    for (std::size_t person = 0; person < people; ++person) {
      labels[person].push_back(sides[person]);
      ++count[static_cast<std::size_t>(sides[person] + 1)];
    }
    counts.push_back(std::move(count));
  }
  Json json;
  json["people"] = people;
  json["pairs"] = counts.size();
  for (std::size_t a = 0; a < people; ++a) {
    for (std::size_t b = a + 1; b < people; ++b) {
      std::string name = std::to_string(a + 1);
      name += '-';
      json["cohens_kappa"][name + std::to_string(b + 1)] = number_or_null(cohens_kappa(labels[a], labels[b]));
    }
  }
  json["fleiss_kappa"] = number_or_null(fleiss_kappa(counts));
  return json;
}

Json to_json(const RecordedRun& run) {
  const RunFigures& f = run.figures;
  const auto count_if = [&](std::size_t count) { return run.both_orders ? Json(count) : Json(); };
  Json json;
  json["subset"] = run.subset;
  json["judge"] = run.judge;
  json["style"] = run.style;
  json["n"] = f.n;
  json["correct_ab"] = f.correct_ab;
  json["correct_ba"] = count_if(f.correct_ba);
  json["accuracy"] = number_or_null(f.accuracy);
  json["correct_both"] = count_if(f.correct_both);
  json["agree"] = count_if(f.agree);
  json["agreement"] = number_or_null(f.agreement);
  json["null_ab"] = f.null_ab;
  json["null_ba"] = count_if(f.null_ba);
  json["first_shown_rate"] = number_or_null(f.first_shown_rate);
  json["kappa_ab"] = number_or_null(f.kappa_ab);
  json["kappa_ba"] = number_or_null(f.kappa_ba);
  json["kappa_orders"] = number_or_null(f.kappa_orders);
  json["null_is_wrong"] = to_json(f.null_is_wrong);
  json["null_is_tie"] = to_json(f.null_is_tie);
  return json;
}

std::string runs_table(std::span<const RecordedRun> runs) {
  TextRows rows{{"subset", "judge", "style", "    n", "right ab", "right ba", "accuracy", "both right", "same",
                 "agreement", "none", "shown first", "kappa ab", "kappa ba", "orders", "macro F1"}};
  const auto four = [](double value) { return fmt::format("{:.4f}", value); };
  for (const RecordedRun& run : runs) {
    const RunFigures& f = run.figures;
    const auto cut = [](const std::string& name) { return fmt::format("{:.60}", name); };
    rows.push_back({cut(run.subset), cut(run.judge), cut(run.style), std::to_string(f.n), std::to_string(f.correct_ab),
                    std::to_string(f.correct_ba), four(f.accuracy), std::to_string(f.correct_both),
                    std::to_string(f.agree), four(f.agreement), std::to_string(f.null_ab + f.null_ba),
                    four(f.first_shown_rate), four(f.kappa_ab), four(f.kappa_ba), fmt::format("{:.3f}", f.kappa_orders),
                    four(f.null_is_wrong.f1)});
  }
  return text_table(rows, {Align::left, Align::left, Align::left, Align::right});
}

}  // namespace rlaif::evaluate
