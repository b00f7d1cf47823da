#include "rlaif/study/judge_tree.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"

namespace rlaif::study {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

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

const JudgeOptions* find_judge(const StudyOptions& options, const std::string& name) {
  for (const JudgeOptions* judge : judges_and_members(options)) {
    if (judge->name == name) return judge;
  }
  return nullptr;
}

void check_members(const StudyOptions& options, const JudgeOptions& judge) {
  std::vector<std::string> known, seen;
  for (const JudgeOptions* other : judges_and_members(options)) known.push_back(other->name);
  for (const std::string& name : member_names(judge)) {
    if (!find_judge(options, name)) {
      fail(judge, "members",
           unknown_name_message("judge", name, known) + "; a name of study.judges or study.members was expected");
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) fail(judge, "members", "'" + name + "' stands twice");
    seen.push_back(name);
  }
  if (is_combined(judge.kind) && seen.size() < 2) {
    fail(judge, "members", "names of two judges and more were expected, found '" + judge.members + "'");
  }
  if (!is_combined(judge.kind) && !seen.empty()) {
    fail(judge, "members", "only judges of the kinds ensemble, cascade and hierarchy have members");
  }
}

// `path`: the judges that led here, the outermost first.
void check_cycles(const StudyOptions& options, const JudgeOptions& judge, std::vector<std::string> path) {
  const bool closed = std::find(path.begin(), path.end(), judge.name) != path.end();
  path.push_back(judge.name);
  if (closed) {
    std::string text;
    for (const std::string& name : path) text += (text.empty() ? "" : " -> ") + name;
    fail(judge, "members", "a judge cannot be its own member: " + text);
  }
  for (const std::string& name : member_names(judge)) check_cycles(options, *find_judge(options, name), path);
}

std::vector<double> deck_thresholds(const JudgeOptions& judge) {
  std::vector<double> numbers;
  for (const std::string& word : words_of(judge.thresholds)) {
    double value = 0.0;
    const auto result = std::from_chars(word.data(), word.data() + word.size(), value);
    const bool whole = result.ec == std::errc() && result.ptr == word.data() + word.size();
    if (!whole || !(value >= 0.5 && value <= 1.0)) {
      fail(judge, "thresholds", "numbers from 0.5 to 1 were expected, found '" + word + "'");
    }
    numbers.push_back(value);
  }
  return numbers;
}

void check_keys(const JudgeOptions& judge) {
  const std::size_t members = member_names(judge).size();
  const bool calibrated = !judge.calibration.empty();
  if (judge.kind == JudgeKind::cascade) {
    const std::size_t found = deck_thresholds(judge).size();
    if (found > 0 && found + 1 != members) {
      fail(judge, "thresholds",
           "one for each member but the last was expected, " + std::to_string(members - 1) + " in all, found " +
               std::to_string(found));
    }
    if (found == 0 && !calibrated) {
      fail(judge, "thresholds",
           "confidences from 0.5 to 1 were expected, or a calibration file that holds them in " +
               key_of(judge, "calibration"));
    }
  }
  if (judge.kind == JudgeKind::hierarchy && !(judge.gate >= 0.5 && judge.gate <= 1.0)) {
    fail(judge, "gate", "a confidence from 0.5 to 1 was expected");
  }
  if (judge.kind == JudgeKind::ensemble) {
    const int least = judge.ensemble.least_members;
    if (least < 0 || least > static_cast<int>(members)) {
      fail(judge, "least_members",
           "from 0 to " + std::to_string(members) + " was expected, found " + std::to_string(least));
    }
    if (uses_calibration_of_members(judge) && !calibrated) {
      fail(judge, "calibration",
           "the votes weighted and dawid_skene go by what calibration found: a file of `rlaif calibrate` was expected");
    }
  }
  if (judge.length_correction && !calibrated) {
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
}

void collect_asked(const StudyOptions& options, const JudgeOptions& judge, std::vector<const JudgeOptions*>& asked) {
  if (!is_combined(judge.kind)) {
    if (std::find(asked.begin(), asked.end(), &judge) == asked.end()) asked.push_back(&judge);
    return;
  }
  for (const std::string& name : member_names(judge)) collect_asked(options, options.judge_named(name), asked);
}

}  // namespace

bool is_asked(JudgeKind kind) { return kind == JudgeKind::openai || kind == JudgeKind::anthropic; }

std::vector<std::string> member_names(const JudgeOptions& judge) { return words_of(judge.members); }

std::vector<const JudgeOptions*> judges_and_members(const StudyOptions& options) {
  std::vector<const JudgeOptions*> all;
  for (const auto* list : {&options.judges, &options.members}) {
    for (const JudgeOptions& judge : *list) all.push_back(&judge);
  }
  return all;
}

void check_judges(const StudyOptions& options, CalibrationFiles files) {
  const std::vector<const JudgeOptions*> all = judges_and_members(options);
  for (const JudgeOptions* judge : all) check_members(options, *judge);
  for (const JudgeOptions* judge : all) check_cycles(options, *judge, {});
  for (const JudgeOptions* judge : all) {
    check_keys(*judge);
    if (files == CalibrationFiles::read) check_calibration(*judge);
  }
}

std::vector<const JudgeOptions*> judges_in_use(const StudyOptions& options, const DataSet& pairs) {
  std::vector<const JudgeOptions*> used;
  for (const ArmOptions& arm : options.arms) {
    if (!pairs.feeds(arm) || pairs.judges.empty()) continue;
    const JudgeOptions* judge = &options.judge_named(arm.judge);
    if (std::find(used.begin(), used.end(), judge) != used.end()) continue;
    const bool labels = !pairs.name.empty() || std::any_of(options.judges.begin(), options.judges.end(),
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

std::vector<const JudgeOptions*> asked_judges(const StudyOptions& options, const JudgeOptions& judge) {
  std::vector<const JudgeOptions*> asked;
  collect_asked(options, judge, asked);
  return asked;
}

std::vector<std::string> local_models(const StudyOptions& options, const JudgeOptions& judge) {
  std::vector<std::string> models;
  for (const JudgeOptions* asked : asked_judges(options, judge)) {
    if (asked->kind == JudgeKind::local) models.push_back(asked->model);
  }
  return models;
}

bool needs_language(const StudyOptions& options, const JudgeOptions& judge) {
  const std::vector<const JudgeOptions*> asked = asked_judges(options, judge);
  return std::any_of(asked.begin(), asked.end(), [](const JudgeOptions* one) { return one->kind == JudgeKind::local; });
}

judge::FittedJudges calibration_of(const JudgeOptions& judge) {
  return judge.calibration.empty() ? judge::FittedJudges{} : judge::FittedJudges::load(judge.calibration);
}

std::vector<judge::FittedJudge> fitted_members(const JudgeOptions& judge, const judge::FittedJudges& calibration) {
  const std::vector<std::string> names = member_names(judge);
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
  if (std::vector<double> numbers = deck_thresholds(judge); !numbers.empty()) return numbers;
  const auto found = calibration.thresholds.find(judge.name);
  if (found == calibration.thresholds.end()) {
    throw input_error(calibration.file, "holds no thresholds of the cascade '" + judge.name +
                                            "'; calibrate it, or set " + key_of(judge, "thresholds"));
  }
  const std::size_t members = member_names(judge).size();
  if (found->second.size() + 1 != members) {
    throw input_error(calibration.file,
                      "thresholds." + judge.name + ": one for each member but the last was expected, " +
                          std::to_string(members - 1) + " in all, found " + std::to_string(found->second.size()));
  }
  return found->second;
}

}  // namespace rlaif::study
