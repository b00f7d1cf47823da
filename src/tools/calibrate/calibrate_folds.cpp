#include "calibrate_folds.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/evaluate/calibration.hpp"
#include "rlaif/evaluate/statistics.hpp"
#include "rlaif/judge/kinds/combine.hpp"
#include "rlaif/study/judge_tree.hpp"

namespace rlaif::tools {
namespace {

using evaluate::LabelledPair;
using Places = std::vector<std::size_t>;

// Part of each pair: prompts in an order that the seed draws, dealt out.
Places parts_of(const std::vector<LabelledPair>& pairs, std::size_t parts, std::uint64_t seed) {
  std::set<std::pair<std::uint64_t, std::uint64_t>> order;  // draw, prompt
  for (const LabelledPair& pair : pairs)
    order.emplace(hash_words({seed, pair.comparison.prompt.id}), pair.comparison.prompt.id);
  std::map<std::uint64_t, std::size_t> part_of_prompt;
  for (const auto& [draw, prompt] : order) {
    const std::size_t next = part_of_prompt.size();
    part_of_prompt[prompt] = next % parts;
  }
  Places part;
  for (const LabelledPair& pair : pairs) part.push_back(part_of_prompt.at(pair.comparison.prompt.id));
  return part;
}

// Pairs with their places as ids, as fits expect them, and what was said about them.
struct Part {
  std::vector<LabelledPair> pairs;
  VerdictsByJudge asked;
};

Part taken(const std::vector<LabelledPair>& pairs, const VerdictsByJudge& asked, const Places& places) {
  Part part;
  for (const std::size_t i : places) {
    part.pairs.push_back(pairs[i]);
    part.pairs.back().comparison.id = part.pairs.size() - 1;
    for (const auto& [name, verdicts] : asked) part.asked[name].push_back(verdicts[i]);
  }
  return part;
}

struct HeldOut {
  VerdictsByJudge verdicts;
  std::map<std::string, std::vector<double>> tempered;  // P(first) after the temperature
};

HeldOut cross_fit(const Judges& of_study, const std::vector<const JudgeOptions*>& judges, double target,
                  const std::vector<LabelledPair>& pairs, const VerdictsByJudge& asked, const Places& part,
                  std::size_t parts) {
  HeldOut held_out;
  for (std::size_t k = 0; k < parts; ++k) {
    Places inside, rest;
    for (std::size_t i = 0; i < pairs.size(); ++i) (part[i] == k ? inside : rest).push_back(i);
    Part learned = taken(pairs, asked, rest);
    const Part held = taken(pairs, asked, inside);
    const judge::FittedJudges fitted =
        fit_judges(of_study, judges, target, learned.pairs, std::move(learned.asked)).fitted;
    for (const auto& [name, verdicts] : calibrated_verdicts(of_study, judges, fitted, held.pairs, held.asked)) {
      held_out.verdicts[name].resize(pairs.size());
      held_out.tempered[name].resize(pairs.size());
      for (std::size_t i = 0; i < inside.size(); ++i) {
        held_out.verdicts[name][inside[i]] = verdicts[i];
        held_out.tempered[name][inside[i]] = judge::calibrated(verdicts[i].p_first, fitted.at(name).temperature);
      }
    }
  }
  return held_out;
}

struct Scorer {
  const std::vector<LabelledPair>& pairs;
  const evaluate::ReportOptions& settings;

  static bool counts(const Verdict& verdict, const LabelledPair& pair) {
    return verdict.status == VerdictStatus::ok && pair.label != 0.5;
  }

  // Places of pairs, by prompt, on which all verdicts count.
  std::vector<Places> decided(const std::vector<const std::vector<Verdict>*>& all) const {
    std::map<std::uint64_t, Places> prompts;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (!std::all_of(all.begin(), all.end(), [&](const auto* one) { return counts((*one)[i], pairs[i]); })) continue;
      prompts[pairs[i].comparison.prompt.id].push_back(i);
    }
    std::vector<Places> groups;
    for (auto& [prompt, places] : prompts) groups.push_back(std::move(places));
    return groups;
  }
  std::vector<double> right(const std::vector<Places>& groups, const std::vector<Verdict>& verdicts) const {
    std::vector<double> sums;
    for (const Places& places : groups) {
      double sum = 0.0;
      for (const std::size_t i : places) sum += evaluate::same_side(verdicts[i].p_first, pairs[i].label);
      sums.push_back(sum);
    }
    return sums;
  }
  Json agreement(const std::vector<Verdict>& verdicts) const {
    const std::vector<Places> groups = decided({&verdicts});
    std::vector<double> counts;
    for (const Places& places : groups) counts.push_back(static_cast<double>(places.size()));
    return evaluate::to_json(
        evaluate::bootstrap_ratio(right(groups, verdicts), counts, settings.seed, settings.resamples));
  }
  Json of_last(const std::vector<Verdict>& verdicts, const std::vector<Verdict>& last) const {
    const std::vector<Places> groups = decided({&verdicts, &last});
    return evaluate::to_json(
        evaluate::bootstrap_ratio(right(groups, verdicts), right(groups, last), settings.seed, settings.resamples));
  }
  Json calibration_error(const std::vector<Verdict>& verdicts, const std::vector<double>& tempered) const {
    const std::vector<Places> groups = decided({&verdicts});
    return evaluate::to_json(evaluate::bootstrap(
        groups.size(),
        [&](std::span<const std::size_t> drawn) {
          std::vector<double> p, labels;
          for (const std::size_t group : drawn) {
            for (const std::size_t i : groups[group]) {
              p.push_back(tempered[i]);
              labels.push_back(pairs[i].label);
            }
          }
          return evaluate::calibration(p, labels).expected_error;
        },
        settings.seed, settings.resamples));
  }
  static double usd_per_1000(const std::vector<Verdict>& verdicts) {
    double sum = 0.0;
    for (const Verdict& verdict : verdicts) sum += verdict.usage.cost_usd;
    return 1000.0 * sum / static_cast<double>(verdicts.size());
  }
};

Json asked_shares(const JudgeOptions& judge, const std::vector<Verdict>& verdicts) {
  Json shares = Json::object();
  for (const std::string& name : judge.members) shares[name] = 0.0;
  for (const Verdict& verdict : verdicts) {
    for (const MemberVerdict& member : verdict.members) {
      Json& share = shares[member.name];
      share = share.get<double>() + 1.0 / static_cast<double>(verdicts.size());
    }
  }
  return shares;
}

}  // namespace

Json held_out_report(const Judges& of_study, const std::vector<const JudgeOptions*>& judges,
                     const CalibrateOptions& options, const std::vector<LabelledPair>& pairs,
                     const VerdictsByJudge& asked, const evaluate::ReportOptions& settings) {
  std::set<std::uint64_t> prompts;
  for (const LabelledPair& pair : pairs) prompts.insert(pair.comparison.prompt.id);
  const std::size_t parts = std::min(prompts.size(), static_cast<std::size_t>(std::max(0, options.folds)));
  if (parts < 2) return Json();
  Judges fitted = of_study;  // by what was fitted, whatever thresholds the deck has
  for (auto* list : {&fitted.labelling, &fitted.members}) {
    for (JudgeOptions& judge : *list) judge.thresholds.clear();
  }
  std::vector<const JudgeOptions*> chosen;
  for (const JudgeOptions* judge : judges) chosen.push_back(&fitted.named(judge->name));
  HeldOut held_out;
  try {
    held_out = cross_fit(fitted, chosen, options.target, pairs, asked, parts_of(pairs, parts, settings.seed), parts);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    return Json();
  }
  const Scorer scorer{pairs, settings};
  Json report;
  report["folds"] = parts;
  report["cascades"] = Json::object();
  for (const auto& [name, verdicts] : held_out.verdicts) {
    Json& row = report["judges"][name];
    row["agreement"] = scorer.agreement(verdicts);
    row["calibration_error"] = scorer.calibration_error(verdicts, held_out.tempered.at(name));
    row["usd_per_1000"] = Scorer::usd_per_1000(verdicts);
    const JudgeOptions& judge = fitted.named(name);
    if (judge.kind != JudgeKind::cascade) continue;
    Json& cascade = report["cascades"][name];
    cascade["agreement"] = row["agreement"];
    cascade["of_last_agreement"] = scorer.of_last(verdicts, held_out.verdicts.at(judge.members.back()));
    cascade["usd_per_1000"] = row["usd_per_1000"];
    cascade["asked"] = asked_shares(judge, verdicts);
  }
  return report;
}

}  // namespace rlaif::tools
