#include "calibrate_fit.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "rlaif/core/error.hpp"
#include "rlaif/evaluate/fitting.hpp"
#include "rlaif/evaluate/judge_report.hpp"
#include "rlaif/evaluate/statistics.hpp"
#include "rlaif/judge/kinds/combine.hpp"
#include "rlaif/study/judge_kinds.hpp"
#include "rlaif/study/judge_tree.hpp"

namespace rlaif::tools {
namespace {

using evaluate::LabelledPair;

// Says what was said, by the comparison's place.
class Said final : public judge::Judge {
 public:
  Said(std::string name, std::vector<Verdict> verdicts) : name_(std::move(name)), verdicts_(std::move(verdicts)) {}
  const std::string& name() const override { return name_; }
  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    std::vector<Verdict> said;
    for (const Comparison& comparison : comparisons) said.push_back(verdicts_.at(comparison.id));
    return said;
  }

 private:
  std::string name_;
  std::vector<Verdict> verdicts_;
};

std::vector<double> p_first(const std::vector<Verdict>& verdicts) {
  std::vector<double> p;
  for (const Verdict& verdict : verdicts) {
    p.push_back(verdict.status == VerdictStatus::ok ? verdict.p_first : std::numeric_limits<double>::quiet_NaN());
  }
  return p;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// What a judge of judges says, from what its members said.
std::vector<Verdict> said_by_members(const JudgeOptions& options, const judge::FittedJudges& calibration,
                                     const VerdictsByJudge& verdicts, const std::vector<Comparison>& comparisons) {
  const auto one = make_combined(
      options, calibration, [&](const std::string& name) { return std::make_shared<Said>(name, verdicts.at(name)); });
  return one->judge(comparisons);
}

std::vector<Verdict> at_equal_length(const JudgeOptions& options, std::vector<Verdict> verdicts, double slope,
                                     const std::vector<Comparison>& comparisons) {
  if (!options.length_correction) return verdicts;
  return judge::make_length_corrected(std::make_unique<Said>(options.name, std::move(verdicts)), slope)
      ->judge(comparisons);
}

class Fitter {
 public:
  Fitter(const Judges& judges, double target, const std::vector<LabelledPair>& pairs, VerdictsByJudge asked)
      : judges_(judges), target_(target), asked_(std::move(asked)) {
    for (const LabelledPair& pair : pairs) {
      comparisons_.push_back(pair.comparison);
      labels_.push_back(pair.label);
      lengths_.push_back(judge::length_difference(pair.comparison));
    }
  }

  void fit_asked() {
    std::vector<std::string> names;
    for (const auto& [name, verdicts] : asked_) names.push_back(name);
    for (const std::string& name : names) finish(judges_.named(name), asked_.at(name));
    fit_weights(names);
  }
  // Weights must be there before anything that votes by them is worked out.
  void fit_ensemble_weights(const JudgeOptions& options) {
    if (!is_combined(options.kind)) return;
    const std::vector<std::string> members = options.members;
    for (const std::string& member : members) fit_ensemble_weights(judges_.named(member));
    if (options.kind != JudgeKind::ensemble || options.ensemble.vote != judge::Vote::weighted) return;
    for (const std::string& member : members) {
      fit(judges_.named(member));
      const auto [other, added] = weighed_for_.emplace(member, options.name);
      if (!added && other->second != options.name) {
        throw usage_error("judge." + member + " is a member of two ensembles that vote by weights, " + other->second +
                          " and " + options.name +
                          "; it has one weight in a calibration: decks of their own were expected");
      }
    }
    fit_weights(members);
  }
  void fit(const JudgeOptions& options) {
    if (study_.verdicts.contains(options.name)) return;
    for (const std::string& member : options.members) fit(judges_.named(member));
    finish(options, combined(options));
  }
  FittedStudy take() { return std::move(study_); }

 private:
  void finish(const JudgeOptions& options, std::vector<Verdict> verdicts) {
    judge::FittedJudge& fitted = study_.fitted.judges[options.name];
    fitted.length_slope = evaluate::length_slope(p_first(verdicts), labels_, lengths_);
    verdicts = at_equal_length(options, std::move(verdicts), fitted.length_slope, comparisons_);
    const std::vector<double> p = p_first(verdicts);
    require_answers(options.name, verdicts);
    double right = 0.0, decided = 0.0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (!std::isfinite(p[i])) continue;
      ++fitted.pairs;
      if (labels_[i] == 0.5) continue;
      right += evaluate::same_side(p[i], labels_[i]);
      decided += 1.0;
    }
    if (decided > 0.0) fitted.agreement = right / decided;
    fitted.temperature = evaluate::fitted_temperature(p, labels_);
    fitted.confusion = evaluate::labelled_confusion(p, labels_);
    study_.verdicts[options.name] = std::move(verdicts);
  }
  static void require_answers(const std::string& name, const std::vector<Verdict>& verdicts) {
    std::map<std::string, std::size_t> statuses;
    for (const Verdict& verdict : verdicts) ++statuses[to_string(verdict.status)];
    if (statuses.contains("ok")) return;
    std::string message = "judge '";
    message += name;
    message += "' answered none of the " + std::to_string(verdicts.size()) + " pairs:";
    for (const auto& [status, count] : statuses) {
      message += ' ';
      message += std::to_string(count);
      message += ' ';
      message += status;
    }
    message += "; at least one verdict was expected";
    throw input_error(message);
  }
  void fit_weights(const std::vector<std::string>& names) {
    std::vector<std::vector<double>> p;
    std::vector<double> temperatures;
    for (const std::string& name : names) {
      p.push_back(p_first(study_.verdicts.at(name)));
      temperatures.push_back(study_.fitted.judges.at(name).temperature);
    }
    const std::vector<double> weights = evaluate::ensemble_weights(p, temperatures, labels_);
    for (std::size_t j = 0; j < names.size(); ++j) study_.fitted.judges[names[j]].weight = weights[j];
  }
  std::vector<Verdict> combined(const JudgeOptions& options) {
    if (options.kind == JudgeKind::cascade) fit_thresholds(options.name, options.members);
    return said_by_members(options, study_.fitted, study_.verdicts, comparisons_);
  }
  // Over the pairs with a better side on which the last member has a verdict.
  void fit_thresholds(const std::string& cascade, const std::vector<std::string>& members) {
    std::vector<std::vector<double>> confidence(members.size()), right(members.size()), cost(members.size());
    const std::vector<Verdict>& last = study_.verdicts.at(members.back());
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      if (labels_[i] == 0.5 || last[i].status != VerdictStatus::ok) continue;
      for (std::size_t m = 0; m < members.size(); ++m) {
        const Verdict& verdict = study_.verdicts.at(members[m])[i];
        const bool ok = verdict.status == VerdictStatus::ok;
        const double p = judge::calibrated(verdict.p_first, study_.fitted.judges.at(members[m]).temperature);
        confidence[m].push_back(ok ? std::max(p, 1.0 - p) : -1.0);
        right[m].push_back(ok ? evaluate::same_side(verdict.p_first, labels_[i]) : 0.0);
        cost[m].push_back(verdict.usage.cost_usd);
      }
    }
    if (right.back().empty()) {
      throw input_error("cascade '" + cascade + "': its last judge '" + members.back() +
                        "' has no verdict on a pair whose label is a or b; at least one was expected");
    }
    const evaluate::CascadeFit fit = evaluate::fit_cascade(confidence, right, cost, target_);
    const evaluate::CascadePoint alone{0.0, 1.0, mean(right.back()), mean(cost.back())};
    study_.fitted.thresholds[cascade] = fit.thresholds;
    for (std::size_t m = 0; m < fit.curves.size(); ++m) {
      const evaluate::CascadeCurve& curve = fit.curves[m];
      study_.cascades[cascade].push_back(evaluate::cascade_report(members[m], curve, alone, right.back().size()));
    }
  }

  const Judges& judges_;
  double target_;  // of cascades
  VerdictsByJudge asked_;
  std::vector<Comparison> comparisons_;
  std::vector<double> labels_, lengths_;
  std::map<std::string, std::string> weighed_for_;
  FittedStudy study_;
};

}  // namespace

FittedStudy fit_judges(const Judges& of_study, const std::vector<const JudgeOptions*>& judges, double target,
                       const std::vector<LabelledPair>& pairs, VerdictsByJudge verdicts) {
  Fitter fitter(of_study, target, pairs, std::move(verdicts));
  fitter.fit_asked();
  for (const JudgeOptions* judge : judges) fitter.fit_ensemble_weights(*judge);
  for (const JudgeOptions* judge : judges) fitter.fit(*judge);
  return fitter.take();
}

VerdictsByJudge calibrated_verdicts(const Judges& of_study, const std::vector<const JudgeOptions*>& judges,
                                    const judge::FittedJudges& fitted, const std::vector<LabelledPair>& pairs,
                                    const VerdictsByJudge& asked) {
  std::vector<Comparison> comparisons;
  for (const LabelledPair& pair : pairs) comparisons.push_back(pair.comparison);
  VerdictsByJudge verdicts;
  const std::function<void(const JudgeOptions&)> add = [&](const JudgeOptions& judge) {
    if (verdicts.contains(judge.name)) return;
    for (const std::string& member : judge.members) add(of_study.named(member));
    std::vector<Verdict> said =
        is_combined(judge.kind) ? said_by_members(judge, fitted, verdicts, comparisons) : asked.at(judge.name);
    verdicts[judge.name] = at_equal_length(judge, std::move(said), fitted.at(judge.name).length_slope, comparisons);
  };
  for (const JudgeOptions* judge : judges) add(*judge);
  return verdicts;
}

}  // namespace rlaif::tools
