#include "rlaif/study/judge_tree.hpp"

#include <algorithm>

#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/study/judge_kinds.hpp"

namespace rlaif::study {
namespace {

std::string key_of(const JudgeOptions& judge, const std::string& key) {
  std::string whole = "judge.";
  whole += judge.name;
  whole += '.';
  return whole + key;
}

[[noreturn]] void fail(const JudgeOptions& judge, const std::string& key, const std::string& message) {
  throw usage_error(key_of(judge, key) + ": " + message);
}

bool uses_calibration_of_members(const JudgeOptions& judge) {
  if (judge.kind == JudgeKind::ensemble)
    return judge.ensemble.vote == judge::Vote::weighted || judge.ensemble.vote == judge::Vote::dawid_skene;
  return is_combined(judge.kind) && !judge.calibration.empty();
}

const JudgeOptions* find_judge(const Judges& judges, const std::string& name) {
  for (const JudgeOptions* judge : judges_and_members(judges)) {
    if (judge->name == name) return judge;
  }
  return nullptr;
}

void check_members(const Judges& judges, const JudgeOptions& judge) {
  std::vector<std::string> known, seen;
  for (const JudgeOptions* other : judges_and_members(judges)) known.push_back(other->name);
  for (const std::string& name : judge.members) {
    if (!find_judge(judges, name)) {
      fail(judge, "members",
           unknown_name_message("judge", name, known) + "; a name of study.judges or study.members was expected");
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) fail(judge, "members", "'" + name + "' stands twice");
    seen.push_back(name);
  }
  if (is_combined(judge.kind) && seen.size() < 2) {
    fail(judge, "members", "names of two judges and more were expected, found " + std::to_string(seen.size()));
  }
}

// `path`: the judges that led here, the outermost first.
void check_cycles(const Judges& judges, const JudgeOptions& judge, std::vector<std::string> path) {
  const bool closed = std::find(path.begin(), path.end(), judge.name) != path.end();
  path.push_back(judge.name);
  if (closed) {
    std::string text;
    for (const std::string& name : path) text += (text.empty() ? "" : " -> ") + name;
    fail(judge, "members", "a judge cannot be its own member: " + text);
  }
  for (const std::string& name : judge.members) check_cycles(judges, *find_judge(judges, name), path);
}

void check_keys(const JudgeOptions& judge) {
  if (const auto check = kind_of(judge).check) check("judge." + judge.name, judge);
  if (judge.length_correction && judge.calibration.empty()) {
    fail(judge, "calibration",
         "length_correction goes by what calibration found: a file of `rlaif calibrate` was expected");
  }
}

void check_calibration(const JudgeOptions& judge) {
  if (judge.calibration.empty() || !std::filesystem::exists(judge.calibration)) return;
  const judge::FittedJudges calibration = calibration_of(judge);
  fitted_members(judge, calibration);
  if (judge.kind == JudgeKind::cascade) cascade_thresholds(judge, calibration);
  if (judge.length_correction) calibration.at(judge.name);
  own_temperature(judge);
}

void collect_leaves(const Judges& judges, const JudgeOptions& judge, std::vector<const JudgeOptions*>& leaves) {
  if (!is_combined(judge.kind)) {
    if (std::find(leaves.begin(), leaves.end(), &judge) == leaves.end()) leaves.push_back(&judge);
    return;
  }
  for (const std::string& name : judge.members) collect_leaves(judges, judges.named(name), leaves);
}

}  // namespace

const JudgeOptions& Judges::named(const std::string& wanted) const {
  for (const JudgeOptions* judge : judges_and_members(*this)) {
    if (judge->name == wanted) return *judge;
  }
  throw usage_error("no judge named '" + wanted + "': a section [judge." + wanted +
                    "] and its name in study.judges or study.members were expected");
}

std::vector<const JudgeOptions*> judges_and_members(const Judges& judges) {
  std::vector<const JudgeOptions*> all;
  for (const auto* list : {&judges.labelling, &judges.members}) {
    for (const JudgeOptions& judge : *list) all.push_back(&judge);
  }
  return all;
}

void check_judges(const Judges& judges, CalibrationFiles files) {
  const std::vector<const JudgeOptions*> all = judges_and_members(judges);
  for (const JudgeOptions* judge : all) check_members(judges, *judge);
  for (const JudgeOptions* judge : all) check_cycles(judges, *judge, {});
  for (const JudgeOptions* judge : all) {
    check_keys(*judge);
    if (files == CalibrationFiles::read) check_calibration(*judge);
  }
}

std::vector<const JudgeOptions*> judges_in_use(const Study& study, const DataSet& pairs) {
  std::vector<const JudgeOptions*> used;
  for (const ArmOptions& arm : study.arms) {
    if (!pairs.feeds(arm) || pairs.judges.empty()) continue;
    const JudgeOptions* judge = &study.judges.named(arm.judge);
    if (std::find(used.begin(), used.end(), judge) != used.end()) continue;
    const bool labels = !pairs.name.empty() || std::any_of(study.judges.labelling.begin(), study.judges.labelling.end(),
                                                           [&](const auto& one) { return &one == judge; });
    if (!labels) {
      std::string message = arm.section() + ".judge: '";
      message += arm.judge;
      throw usage_error(
          message +
          "' stands in study.members, whose judges do not label the first pairs; study.judges was expected to name it");
    }
    used.push_back(judge);
  }
  return used;
}

std::vector<const JudgeOptions*> leaves_of(const Judges& judges, const JudgeOptions& judge) {
  std::vector<const JudgeOptions*> asked;
  collect_leaves(judges, judge, asked);
  return asked;
}

std::vector<std::string> local_models(const Judges& judges, const JudgeOptions& judge) {
  std::vector<std::string> models;
  for (const JudgeOptions* asked : leaves_of(judges, judge)) {
    if (asked->kind == JudgeKind::local) models.push_back(asked->model);
    if (asked->kind == JudgeKind::reward_model && asked->reward_model.folder.empty())
      models.push_back(asked->reward_model.model);
  }
  return models;
}

bool needs_language(const Judges& judges, const JudgeOptions& judge) {
  const std::vector<const JudgeOptions*> asked = leaves_of(judges, judge);
  return std::any_of(asked.begin(), asked.end(), [](const JudgeOptions* one) { return one->kind == JudgeKind::local; });
}

bool asks_a_server(const Judges& judges, const JudgeOptions& judge) {
  const std::vector<const JudgeOptions*> asked = leaves_of(judges, judge);
  return std::any_of(asked.begin(), asked.end(), [](const JudgeOptions* one) { return kind_of(*one).is_remote; });
}

ScoreUnits score_units(const Judges& judges, const JudgeOptions& judge) {
  if (judge.length_correction) return ScoreUnits::none;
  const auto by_conversation = [](const std::filesystem::path& file) {
    const bool asks = !std::filesystem::exists(file) || text::Conversation::load(file).scores;
    return asks ? ScoreUnits::rewards : ScoreUnits::none;
  };
  switch (judge.kind) {
    case JudgeKind::local: return by_conversation(judge.prompt_template);
    case JudgeKind::openai:
    case JudgeKind::anthropic: return by_conversation(judge.style);
    case JudgeKind::rules: return ScoreUnits::rewards;
    case JudgeKind::reward_model: return ScoreUnits::log_odds;
    case JudgeKind::ensemble: break;
    case JudgeKind::hierarchy: break;
    default: return ScoreUnits::none;
  }
  if (judge.kind == JudgeKind::ensemble && judge.ensemble.vote != judge::Vote::mean) return ScoreUnits::none;
  const ScoreUnits units = score_units(judges, judges.named(judge.members.front()));
  const bool same = std::all_of(judge.members.begin(), judge.members.end(), [&](const std::string& member) {
    return score_units(judges, judges.named(member)) == units;
  });
  const bool may = judge.kind == JudgeKind::ensemble || units == ScoreUnits::rewards;
  return same && may ? units : ScoreUnits::none;
}

judge::FittedJudges calibration_of(const JudgeOptions& judge) {
  return judge.calibration.empty() ? judge::FittedJudges{} : judge::FittedJudges::load(judge.calibration);
}

double own_temperature(const JudgeOptions& judge) {
  const bool tempers =
      judge.kind == JudgeKind::reward_model && judge.reward_model.temperature == 0.0 && !judge.calibration.empty();
  return tempers ? calibration_of(judge).at(judge.name).temperature : 1.0;
}

double score_temperature(const JudgeOptions& judge) {
  const double fixed = judge.reward_model.temperature;
  return fixed > 0.0 ? fixed : own_temperature(judge);
}

judge::FittedJudges beside_own_temperatures(const Judges& judges, judge::FittedJudges calibration) {
  for (auto& [name, fitted] : calibration.judges) {
    if (const JudgeOptions* judge = find_judge(judges, name)) fitted.temperature /= own_temperature(*judge);
  }
  return calibration;
}

std::vector<judge::FittedJudge> fitted_members(const JudgeOptions& judge, const judge::FittedJudges& calibration) {
  const std::vector<std::string>& names = judge.members;
  if (!uses_calibration_of_members(judge)) return std::vector<judge::FittedJudge>(names.size());
  std::vector<judge::FittedJudge> fitted;
  for (std::size_t m = 0; m < names.size(); ++m) {
    // Nobody asks how sure the last one of a cascade or hierarchy is.
    const bool needed = judge.kind == JudgeKind::ensemble || m + 1 < names.size();
    fitted.push_back(needed ? calibration.at(names[m]) : judge::FittedJudge{});
  }
  return fitted;
}

std::vector<double> cascade_thresholds(const JudgeOptions& judge, const judge::FittedJudges& calibration) {
  if (!judge.thresholds.empty()) return judge.thresholds;
  const auto found = calibration.thresholds.find(judge.name);
  if (found == calibration.thresholds.end()) {
    throw input_error(calibration.file, "holds no thresholds of the cascade '" + judge.name +
                                            "'; calibrate it, or set " + key_of(judge, "thresholds"));
  }
  const std::size_t members = judge.members.size();
  if (found->second.size() + 1 != members) {
    throw input_error(calibration.file,
                      "thresholds." + judge.name + ": one for each member but the last was expected, " +
                          std::to_string(members - 1) + " in all, found " + std::to_string(found->second.size()));
  }
  return found->second;
}

}  // namespace rlaif::study
