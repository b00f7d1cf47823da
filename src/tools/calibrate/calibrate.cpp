// `rlaif calibrate`: judges against labels of people.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <set>

#include "calibrate_folds.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/option_table.hpp"
#include "rlaif/evaluate/fitting.hpp"
#include "rlaif/evaluate/judge_report.hpp"
#include "rlaif/evaluate/recorded_runs.hpp"
#include "rlaif/evaluate/self_preference.hpp"
#include "rlaif/evaluate/statistics.hpp"
#include "rlaif/run/artefacts.hpp"
#include "rlaif/run/blocks.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/judges.hpp"
#include "rlaif/study/paid_run.hpp"
#include "rlaif/tools/calibrate.hpp"

namespace rlaif::tools {
namespace {

using evaluate::LabelledPair;

void report_recorded(const CalibrateOptions& calibrate, const std::vector<LabelledPair>& pairs) {
  const std::vector<evaluate::RecordedRun> runs = evaluate::recorded_runs(calibrate.recorded, pairs);
  Json report;
  report["runs"] = Json::array();
  for (const evaluate::RecordedRun& run : runs) report["runs"].push_back(evaluate::to_json(run));
  report["people"] = evaluate::annotator_agreement(pairs);
  std::cout << evaluate::runs_table(runs) << evaluate::report_table(report) << std::flush;
  if (calibrate.output.empty()) return;
  make_folders(calibrate.output);
  write_file_atomic(calibrate.output / "recorded.json", report.dump(1) + "\n");
}

std::vector<const JudgeOptions*> chosen_judges(const Judges& of_study, const CalibrateOptions& options) {
  std::vector<const JudgeOptions*> judges;
  for (const std::string& name : options.judges) judges.push_back(&of_study.named(name));
  if (judges.empty()) {
    for (const JudgeOptions& judge : of_study.labelling) judges.push_back(&judge);
  }
  if (judges.empty())
    throw usage_error("calibrate.judges: at least one name of study.judges or study.members was expected");
  return judges;
}

// Each judge without members that is to be asked, as it is before anything was learned about it.
std::vector<JudgeOptions> plain_judges(const Judges& of_study, const std::vector<const JudgeOptions*>& judges) {
  std::vector<const JudgeOptions*> asked;
  std::vector<JudgeOptions> plain;
  for (const JudgeOptions* judge : judges) {
    for (const JudgeOptions* one : leaves_of(of_study, *judge)) {
      if (std::find(asked.begin(), asked.end(), one) != asked.end()) continue;
      asked.push_back(one);
      plain.push_back(*one);
      plain.back().calibration.clear();
      plain.back().length_correction = false;
    }
  }
  return plain;
}

Json to_json(const Verdict& verdict) {
  Json json;
  json["status"] = static_cast<int>(verdict.status);
  json["p"] = verdict.p_first;
  json["orders"] = verdict.p_first_by_order;  // NaN becomes null
  json["usd"] = verdict.usage.cost_usd;
  return json;
}

Verdict from_json(const Json& json) {
  const auto number = [](const Json& value) {
    return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
  };
  Verdict verdict;
  verdict.status = static_cast<VerdictStatus>(json["status"].get<int>());
  verdict.p_first = number(json["p"]);
  verdict.p_first_by_order = {number(json["orders"][0]), number(json["orders"][1])};
  verdict.usage.cost_usd = json["usd"].get<double>();
  return verdict;
}

// Dawid and Skene's estimate that sees no label, beside what the labels say.
Json without_labels(const std::vector<std::string>& names, const VerdictsByJudge& verdicts,
                    const std::vector<LabelledPair>& pairs) {
  if (names.size() < 3) return Json();
  std::vector<std::vector<double>> p(names.size());
  for (std::size_t j = 0; j < names.size(); ++j) {
    for (const Verdict& verdict : verdicts.at(names[j])) {
      p[j].push_back(verdict.status == VerdictStatus::ok ? verdict.p_first : std::numeric_limits<double>::quiet_NaN());
    }
  }
  const evaluate::DawidSkene model = evaluate::dawid_skene(p);
  std::vector<double> said, labels;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].label == 0.5) continue;
    said.push_back(model.p_first[i]);
    labels.push_back(pairs[i].label);
  }
  Json json;
  json["rounds"] = model.rounds;
  json["share_first"] = model.share_first;
  const double agreement = evaluate::agreement(said, labels);
  json["agreement"] = std::isnan(agreement) ? Json() : Json(agreement);
  for (std::size_t j = 0; j < names.size(); ++j) json["confusion"][names[j]] = model.confusions[j];
  return json;
}

// Judges x writers: win rates, and what each gives its own writing more than the others do. A judge is the writer of
// its own name, or of its model's.
Json self_preference(const Judges& judges, const std::vector<std::string>& names, const VerdictsByJudge& verdicts,
                     const std::vector<LabelledPair>& pairs, const evaluate::ReportOptions& settings) {
  std::set<std::string> writers;
  for (const LabelledPair& pair : pairs) writers.insert({pair.model_a, pair.model_b});
  std::vector<std::string> writer_of_judge;
  std::vector<evaluate::WriterVerdict> rows;
  for (std::size_t j = 0; j < names.size(); ++j) {
    const std::string& model = judges.named(names[j]).model;
    writer_of_judge.push_back(writers.contains(names[j]) ? names[j] : model);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const Verdict& verdict = verdicts.at(names[j])[i];
      if (verdict.status != VerdictStatus::ok) continue;
      rows.push_back({pairs[i].comparison.prompt.id, j, pairs[i].model_a, pairs[i].model_b, verdict.p_first});
    }
  }
  const evaluate::SelfPreference found =
      evaluate::self_preference(rows, writer_of_judge, settings.seed, settings.resamples);
  if (found.writers.empty()) return Json();
  Json json;
  json["writers"] = found.writers;
  for (std::size_t j = 0; j < names.size(); ++j) {
    for (std::size_t w = 0; w < found.writers.size(); ++w) {
      json["win_rates"][names[j]][found.writers[w]] = evaluate::to_json(found.win_rates[j][w]);
    }
    if (std::isfinite(found.excess[j].value)) json["excess"][names[j]] = evaluate::to_json(found.excess[j]);
  }
  return json;
}

// Verdicts of judges without members, on the pairs and on the probes.
struct Asked {
  VerdictsByJudge pairs, probes;
};

// Judges by the model that they load into this process, in the order of their first ones.
std::vector<std::vector<JudgeOptions>> by_model(const Study& study, const std::vector<JudgeOptions>& judges) {
  std::vector<std::vector<JudgeOptions>> groups;
  for (const JudgeOptions& judge : judges) {
    const std::string model = process_model(study, judge);
    const auto shares = [&](const auto& group) { return process_model(study, group.front()) == model; };
    const auto found = std::find_if(groups.begin(), groups.end(), shares);
    (found == groups.end() ? groups.emplace_back() : *found).push_back(judge);
  }
  return groups;
}

std::string first_and_others(const std::vector<JudgeOptions>& judges) {
  const std::size_t others = judges.size() - 1;
  return judges.front().name + (others == 0 ? "" : " and " + std::to_string(others) + " more");
}

// One model is in memory at a time. Collective; the verdicts are the root's alone.
Asked ask(const Context& context, const std::vector<JudgeOptions>& judges, const std::vector<LabelledPair>& pairs,
          const std::vector<LabelledPair>& probes) {
  std::vector<Comparison> comparisons;
  std::vector<std::string> ids;
  for (const auto* part : {&pairs, &probes}) {
    const std::uint64_t before = comparisons.size();
    for (const LabelledPair& pair : *part) {
      comparisons.push_back(pair.comparison);
      comparisons.back().id += before;
      comparisons.back().prompt.id += before;
      ids.push_back(pair.id);
    }
  }
  const bool reads = std::any_of(judges.begin(), judges.end(),
                                 [&](const auto& one) { return needs_language(context.study.judges, one); });
  const auto language = reads ? load_language(context) : nullptr;
  const StageSpending spending(context, "calibrate");
  Asked asked;
  for (const std::vector<JudgeOptions>& group : by_model(context.study, judges)) {
    const std::vector<BoundJudge> bound = make_judges(context, group, language.get(), spending, first_policy,
                                                      [&](const Comparison& comparison) { return ids[comparison.id]; });
    const std::vector<Json> answers = work_by_blocks(
        context.comm, {"calibrate " + first_and_others(group), static_cast<std::int64_t>(comparisons.size())},
        [&](std::int64_t begin, std::int64_t end) {
          const std::span<const Comparison> block(comparisons.data() + begin, static_cast<std::size_t>(end - begin));
          std::vector<Json> rows(block.size(), Json::array());
          for (const BoundJudge& one : bound) {
            const std::vector<Verdict> verdicts = one.judge->judge(block);
            for (std::size_t i = 0; i < block.size(); ++i) rows[i].push_back(to_json(verdicts[i]));
          }
          return rows;
        });
    for (std::size_t i = 0; i < answers.size(); ++i) {
      VerdictsByJudge& verdicts = i < pairs.size() ? asked.pairs : asked.probes;
      for (std::size_t j = 0; j < group.size(); ++j) verdicts[group[j].name].push_back(from_json(answers[i][j]));
    }
  }
  return asked;
}

void report_judges(const Study& study, const CalibrateOptions& options, const std::vector<const JudgeOptions*>& judges,
                   const std::vector<LabelledPair>& pairs, const std::vector<LabelledPair>& probes, Asked asked) {
  std::vector<std::string> asked_names;
  for (const auto& [name, verdicts] : asked.pairs) asked_names.push_back(name);
  const evaluate::ReportOptions settings{study.run.seed, options.resamples};
  const FittedStudy found = fit_judges(study.judges, judges, options.target, pairs, asked.pairs);
  Json report;
  report["pairs"] = pairs.size();
  report["judges"] = Json::object();
  std::vector<std::string> names;
  for (const auto& [name, verdicts] : found.verdicts) {
    names.push_back(name);
    report["judges"][name] = evaluate::judge_report(pairs, verdicts, found.fitted.at(name).temperature, settings);
  }
  report["across"] = evaluate::across_judges(pairs, names, found.verdicts, settings);
  report["people"] = evaluate::annotator_agreement(pairs);
  report["cascades"] = found.cascades;
  report["held_out"] = held_out_report(study.judges, judges, options, pairs, asked.pairs, settings);
  report["without_labels"] = without_labels(asked_names, found.verdicts, pairs);
  report["self_preference"] = self_preference(study.judges, names, found.verdicts, pairs, settings);
  if (!probes.empty()) {
    for (const auto& [name, verdicts] : calibrated_verdicts(study.judges, judges, found.fitted, probes, asked.probes)) {
      report["probes"][name] = evaluate::probe_report(probes, verdicts, settings);
    }
  }
  make_folders(options.output);
  found.fitted.save(options.output / "fitted.json");
  write_file_atomic(options.output / "calibration.json", report.dump(1) + "\n");
  std::cout << evaluate::report_table(report) << std::flush;
}

void require_options(const CalibrateOptions& calibrate, const ResolvedDeck& deck) {
  if (calibrate.pairs.empty()) throw usage_error("calibrate.pairs: a file of labelled pairs was expected");
  if (!calibrate.recorded.empty()) return;
  if (calibrate.output.empty()) throw usage_error("calibrate.output: a folder to write to was expected");
  for (const auto& [key, file] : deck.missing) {
    if (!key.ends_with(".calibration")) throw usage_error(key + ": no such file or folder: " + file.string());
  }
}

}  // namespace

void check_calibrate(const CalibrateOptions& options) {
  if (options.folds == 1) throw usage_error("calibrate.folds: 0 or at least 2 was expected, found 1");
}

void run_calibrate_command(Study& study, const CalibrateOptions& calibrate, const ResolvedDeck& deck,
                           const comm::Communicator& comm) {
  std::vector<LabelledPair> pairs, probes;
  std::vector<const JudgeOptions*> judges;
  comm.agree([&] {
    require_options(calibrate, deck);
    if (calibrate.recorded.empty()) {
      judges = chosen_judges(study.judges, calibrate);
      study.load();
    }
    pairs = evaluate::read_labelled_pairs(calibrate.pairs);
    if (!calibrate.probes.empty() && calibrate.recorded.empty()) probes = evaluate::read_probes(calibrate.probes);
  });
  if (!calibrate.recorded.empty()) {
    comm.on_root([&] { report_recorded(calibrate, pairs); });
    return;
  }
  const Context context = study.context(
      {study.run, RunDirectory(study.run.directory), deck.hash(), comm, {}, nullptr, [] { return false; }});
  const RunLock lock = lock_of_paid_run(comm, study, judges);
  std::vector<std::string> models;
  for (const JudgeOptions* judge : judges) {
    const std::vector<std::string> asked_models = local_models(study.judges, *judge);
    models.insert(models.end(), asked_models.begin(), asked_models.end());
  }
  require_whole_models(comm, study.run.directory, models);
  Asked asked = ask(context, plain_judges(study.judges, judges), pairs, probes);
  comm.on_root([&] { report_judges(study, calibrate, judges, pairs, probes, std::move(asked)); });
}

void bind_calibrate(OptionTable& table, CalibrateOptions& o) {
  table.add_place("calibrate.pairs", &o.pairs,
                  "pairs that people labelled (JSON Lines: prompt, response_a, response_b, label a, b or tie)");
  table.add("calibrate.judges", &o.judges, "", "names of study.judges or study.members; empty: all of study.judges")
      .no_result();
  table.add_place("calibrate.output", &o.output,
                  "folder for fitted.json, which judges' `calibration` names, and calibration.json");
  table.add_place("calibrate.probes", &o.probes,
                  "probes whose bad response a judge should not name (JSON Lines: id, kind, prompt, good, bad)");
  table.add_place("calibrate.recorded", &o.recorded,
                  "recorded verdicts (JSON Lines) whose figures are wanted, in place of judges");
  table.add("calibrate.target", &o.target, "", "share of its last judge's agreement that a cascade is to keep")
      .above(0)
      .at_most(1)
      .no_result();
  table
      .add("calibrate.folds", &o.folds, "",
           "folds of the prompts: what is fitted to the others is held against each; 0: none")
      .at_least(0)
      .no_result();
  table.add("calibrate.resamples", &o.resamples, "", "resamples of the bootstrap over prompts").at_least(1).no_result();
}

}  // namespace rlaif::tools
