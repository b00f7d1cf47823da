// Who may judge the policies of a study: judges that no arm has learned from.
#include <algorithm>

#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/stages/compare.hpp"
#include "rlaif/stages/maker.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/study/judge_kinds.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/people_labels.hpp"

namespace rlaif::stages {
namespace {

// Who an arm learns from where it says so itself, and in the section that makes its data.
std::vector<LearnedFrom> teachers_of(const Study& study, const ArmOptions& arm) {
  std::vector<LearnedFrom> teachers;
  const DataSet data = data_of(study, arm);
  if (algorithm_of(arm).learns_from() != DataKind::demonstrations)
    teachers.push_back({arm.name, arm.section() + ".judge", arm.judge});
  const std::string& people = study.labels.people.name;
  if (data.name.empty() && people_labels_store(study) == people && !people.empty())
    teachers.push_back({arm.name, "reward.people", people});
  if (data.maker) {
    for (const std::string& judge : data.maker->judges())
      teachers.push_back({arm.name, "data." + data.name + ".judge", judge});
  }
  return teachers;
}

// The arm, and those whose responses or weights it goes on from.
void add_ancestors(const Study& study, const ArmOptions& arm, std::vector<const ArmOptions*>& ancestors) {
  if (std::find(ancestors.begin(), ancestors.end(), &arm) != ancestors.end()) return;
  ancestors.push_back(&arm);
  for (const std::string& name : {arm.start, data_of(study, arm).policy}) {
    for (const ArmOptions& other : study.arms)
      if (other.name == name) add_ancestors(study, other, ancestors);
  }
}

// Itself, its members, and theirs.
void add_asked_by(const Judges& judges, const std::string& name, std::vector<const JudgeOptions*>& asked) {
  const JudgeOptions& judge = judges.named(name);
  asked.push_back(&judge);
  for (const std::string& member : judge.members) add_asked_by(judges, member, asked);
}

// By its name, or a model that is asked in other words.
bool is_same_judge(const JudgeOptions& a, const JudgeOptions& b) {
  const bool is_model = a.kind == JudgeKind::local || kind_of(a).is_remote;
  const bool same_model = is_model && a.kind == b.kind && a.model == b.model && a.remote.base_url == b.remote.base_url;
  const bool same_scores = a.kind == JudgeKind::reward_model && b.kind == a.kind &&
                           a.reward_model.folder == b.reward_model.folder &&
                           a.reward_model.model == b.reward_model.model;
  return a.name == b.name || same_model || same_scores;
}

bool share_a_judge(const Judges& judges, const std::string& a, const std::string& b) {
  std::vector<const JudgeOptions*> of_a, of_b;
  add_asked_by(judges, a, of_a);
  add_asked_by(judges, b, of_b);
  return std::any_of(of_a.begin(), of_a.end(), [&](const JudgeOptions* one) {
    return std::any_of(of_b.begin(), of_b.end(),
                       [&](const JudgeOptions* other) { return is_same_judge(*one, *other); });
  });
}

}  // namespace

std::vector<LearnedFrom> learned_from(const Study& study, const std::string& by) {
  std::vector<LearnedFrom> all;
  for (const ArmOptions& arm : study.arms) {
    std::vector<const ArmOptions*> ancestors;
    add_ancestors(study, arm, ancestors);
    for (const ArmOptions* ancestor : ancestors) {
      for (const LearnedFrom& teacher : teachers_of(study, *ancestor)) {
        if (share_a_judge(study.judges, by, teacher.judge)) all.push_back({arm.name, teacher.key, teacher.judge});
      }
    }
  }
  return all;
}

void check_stranger(const std::string& key, const Study& study, const std::string& name, const StrangerTo& whom) {
  const auto refuse = [&](const std::string& what) { throw usage_error(key + ": judge '" + name + "' " + what); };
  std::vector<std::string> known;
  for (const JudgeOptions* judge : judges_and_members(study.judges)) known.push_back(judge->name);
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    throw usage_error(key + ": " + unknown_name_message("judge", name, known) +
                      "; a name of study.judges or study.members was expected");
  }
  for (const JudgeOptions* asked : leaves_of(study.judges, study.judges.named(name))) {
    if (asked->kind == JudgeKind::replay)
      refuse("has recorded verdicts only (judge." + asked->name +
             ".kind = replay); one that can be asked about new responses was expected");
    if (asked->kind == JudgeKind::given)
      refuse("has the labels of recorded pairs only (judge." + asked->name +
             ".kind = given); one that can be asked about new responses was expected");
    if (asked->kind == JudgeKind::local && asked->model == "policy")
      refuse("is the policy itself (judge." + asked->name +
             ".model = policy); one that is none of those compared was "
             "expected");
  }
  for (const LearnedFrom& learned : learned_from(study, name)) {
    if (!whom.counts(learned.arm)) continue;
    refuse("is no stranger to arm '" + learned.arm + "', which learns from '" + learned.judge + "' (" + learned.key +
           "); a judge that " + whom.expected + " was expected" + whom.otherwise);
  }
}

void check_compare(const Study& study, const CompareOptions& options, const EvaluateOptions& evaluate) {
  if (options.by.empty()) return;
  if (study.arms.empty())
    throw usage_error("evaluate.by: names of judges were given, and study.arms is empty: there is nothing to compare");
  if (options.judged_samples > evaluate.samples) {
    throw usage_error("evaluate.judged_samples: at most evaluate.samples (" + std::to_string(evaluate.samples) +
                      ") was expected, found " + std::to_string(options.judged_samples));
  }
  const StrangerTo whom{[&](const std::string&) { return !options.by_own_judges; }, "no arm learns from",
                        ", or evaluate.by_own_judges = true"};
  for (const std::string& name : options.by) {
    if (name == "gold" || name == "rules" || name.starts_with(people_yardstick_prefix)) {
      throw usage_error("evaluate.by: judge '" + name +
                        "' has the name of another yardstick in the table of verdicts (gold, rules, people-NAME); "
                        "another one was expected");
    }
    check_stranger("evaluate.by", study, name, whom);
  }
}

}  // namespace rlaif::stages
