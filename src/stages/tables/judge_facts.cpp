#include "rlaif/stages/judge_facts.hpp"

#include <cmath>
#include <limits>

#include "judge_members.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/evaluate/judge_report.hpp"
#include "rlaif/evaluate/statistics.hpp"
#include "rlaif/judge/kinds/combine.hpp"
#include "rlaif/judge/kinds/local.hpp"
#include "rlaif/judge/prompts/shown_text.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/judge_kinds.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "tables.hpp"

namespace rlaif::stages {
namespace {

// Quality on the held-out pairs. Pairs that gold ties are left out of gold agreement: no side of them is right.
void add_quality(const Context& context, const JudgeOptions& judge, const std::vector<Preference>& heldout,
                 const std::vector<Preference>& people, int resamples, Json& facts) {
  const evaluate::JudgeQuality quality = heldout_quality(context, heldout, resamples);
  put_interval(facts, "gold_agreement", quality.accuracy);
  put_interval(facts, "gold_agreement_first_order", quality.accuracy_by_order[0]);
  put_interval(facts, "gold_agreement_second_order", quality.accuracy_by_order[1]);
  put_interval(facts, "same_position_rate", quality.same_position);
  put_interval(facts, "first_shown_rate", quality.shown_first_wins);
  std::vector<double> own;
  for (const Preference& record : heldout)
    own.push_back(record.verdict.status == VerdictStatus::ok ? record.verdict.p_first
                                                             : std::numeric_limits<double>::quiet_NaN());
  put_interval(facts, "annotator_agreement", people_agreement(own, people, context.study.run.seed, resamples));
  if (!std::isnan(quality.kappa)) facts["gold_kappa"] = quality.kappa;
  if (judge.kind == JudgeKind::local || judge.kind == JudgeKind::reward_model || is_combined(judge.kind))
    facts["expected_calibration_error"] = quality.calibration.expected_error;
}

// The same tables that calibration makes of labels by people.
Json heldout_report(const Context& context, const JudgeOptions& judge, const std::vector<Preference>& heldout,
                    int resamples) {
  std::vector<evaluate::LabelledPair> labelled;
  std::vector<Verdict> verdicts;
  for (const Preference& record : heldout) {
    evaluate::LabelledPair pair;
    pair.comparison = record.comparison;
    pair.label = gold_side(context, record.comparison);
    labelled.push_back(std::move(pair));
    verdicts.push_back(record.verdict);
  }
  const judge::FittedJudges calibration = calibration_of(judge);
  const auto fitted = calibration.judges.find(judge.name);
  const double temperature =
      fitted == calibration.judges.end() ? 1.0 : fitted->second.temperature / own_temperature(judge);
  return evaluate::judge_report(labelled, verdicts, temperature, {context.study.run.seed, resamples});
}

// What the training labels cost; prices of a thousand are over all verdicts.
void add_cost(const JudgeOptions& judge, const std::vector<Preference>& heldout,
              const std::vector<Preference>& training, Json& facts) {
  std::map<std::string, std::int64_t> statuses;
  Usage usage, all;
  std::int64_t labels = 0;
  for (const Preference& record : training) {
    ++statuses[to_string(record.verdict.status)];
    usage += record.verdict.usage;
    labels += record.verdict.status == VerdictStatus::ok;
  }
  all = usage;
  for (const Preference& record : heldout) all += record.verdict.usage;
  if (!is_combined(judge.kind)) facts["price"] = judge.price;
  facts["labels"] = labels;
  facts["input_tokens"] = usage.input_tokens;
  facts["cached_input_tokens"] = usage.cached_input_tokens;
  facts["output_tokens"] = usage.output_tokens;
  facts["cost_usd"] = std::round(usage.cost_usd * 1e6) / 1e6;
  const std::size_t verdicts = heldout.size() + training.size();
  if (verdicts > 0) facts["usd_per_1000"] = std::round(1e9 * all.cost_usd / static_cast<double>(verdicts)) / 1e6;
  for (const auto& [status, count] : statuses) facts["statuses"][status] = count;
}

// Of each held-out pair: 1 where the judge names the side that gold does, 0.5 where it names none; NaN where either has
// nothing to say.
std::vector<double> rightness(const Context& context, const std::vector<Preference>& heldout) {
  std::vector<double> right;
  for (const Preference& record : heldout) {
    const double gold = gold_side(context, record.comparison);
    const bool counts = record.verdict.status == VerdictStatus::ok && std::isfinite(gold) && gold != 0.5;
    right.push_back(counts ? evaluate::same_side(record.verdict.p_first, gold)
                           : std::numeric_limits<double>::quiet_NaN());
  }
  return right;
}

}  // namespace

JudgedPairs read_judged_pairs(const Context& context, const DataSet& set) {
  JudgedPairs pairs;
  for (const JudgeOptions& judge : set.judges) {
    const std::string store = set.store(judge.name);
    pairs.heldout[judge.name] = preferences::read_store(context.directory.preferences(heldout_store(store)));
    pairs.training[judge.name] = preferences::read_store(context.directory.preferences(store));
  }
  return pairs;
}

double gold_side(const Context& context, const Comparison& comparison) {
  const auto first = context.task.grade(comparison.prompt, comparison.first);
  const auto second = context.task.grade(comparison.prompt, comparison.second);
  if (!first || !second) return std::numeric_limits<double>::quiet_NaN();
  const double difference = first->score - second->score;
  return std::fabs(difference) <= 1e-9 ? 0.5 : difference > 0 ? 1.0 : 0.0;
}

evaluate::JudgeQuality heldout_quality(const Context& context, const std::vector<Preference>& heldout, int resamples) {
  std::vector<std::uint64_t> prompts;
  std::vector<Verdict> verdicts;
  std::vector<double> golds;
  for (const Preference& record : heldout) {
    prompts.push_back(record.comparison.prompt.id);
    verdicts.push_back(record.verdict);
    golds.push_back(gold_side(context, record.comparison));
  }
  return evaluate::judge_quality(prompts, verdicts, golds, context.study.run.seed, resamples);
}

std::string people_of(const DataSet& set) {
  for (const JudgeOptions& judge : set.judges)
    if (is_people(judge.kind)) return judge.name;
  return "";
}

evaluate::Interval people_agreement(const std::vector<double>& p_first, const std::vector<Preference>& people,
                                    std::uint64_t seed, int resamples) {
  evaluate::GroupedMean same;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const Verdict& label = people[i].verdict;
    if (label.status != VerdictStatus::ok || std::isnan(p_first[i])) continue;
    same.add(people[i].comparison.prompt.id, evaluate::same_side(p_first[i], label.p_first));
  }
  return same.interval(seed, resamples);
}

Json judges_facts(const Context& context, const DataSet& set, const JudgedPairs& pairs, int resamples) {
  const std::vector<JudgeOptions>& judges = set.judges;
  const std::string people = people_of(set);
  Json facts;
  for (const JudgeOptions& judge : judges) {
    const std::vector<Preference>& heldout = pairs.heldout.at(judge.name);
    const std::vector<Preference>& training = pairs.training.at(judge.name);
    const bool compare = !people.empty() && judge.name != people;
    Json& row = facts[judge.name];
    add_quality(context, judge, heldout, compare ? pairs.heldout.at(people) : std::vector<Preference>{}, resamples,
                row);
    add_cost(judge, heldout, training, row);
    AlteredTexts altered(context.study.judges, judge);
    for (const std::vector<Preference>* records : {&heldout, &training})
      for (const Preference& record : *records) altered.add(record.comparison);
    if (altered.count() > 0) row["altered_texts"] = altered.count();
    row["heldout"] = heldout_report(context, judge, heldout, resamples);
    if (!is_combined(judge.kind)) continue;
    row["members"] = members_facts(context, judge, pairs, resamples);
    if (Json steps = cascade_facts(context, judge, pairs); !steps.is_null()) row["cascade"] = std::move(steps);
    std::map<std::string, std::int64_t> counts;
    count_asked(training, counts);
    count_asked(heldout, counts);
    row["asked"] = asked_facts(judge, counts);
  }
  return facts;
}

Json agreement_differences(const Context& context, const JudgedPairs& pairs, int resamples) {
  const std::vector<JudgeOptions>& judges = context.study.judges.labelling;
  std::map<std::string, std::vector<double>> right;
  for (const auto& [name, heldout] : pairs.heldout) right[name] = rightness(context, heldout);
  Json facts = Json::object();
  for (std::size_t a = 0; a < judges.size(); ++a) {
    for (std::size_t b = a + 1; b < judges.size(); ++b) {
      const std::string &first = judges[a].name, &second = judges[b].name;
      const std::vector<Preference>& heldout = pairs.heldout.at(first);
      evaluate::GroupedMean differences;
      for (std::size_t i = 0; i < heldout.size(); ++i) {
        const double difference = right[first][i] - right[second][i];
        if (!std::isnan(difference)) differences.add(heldout[i].comparison.prompt.id, difference);
      }
      const evaluate::Interval interval = differences.interval(context.study.run.seed, resamples);
      if (std::isnan(interval.value)) continue;
      facts[first][second] = {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}};
    }
  }
  return facts;
}

AlteredTexts::AlteredTexts(const Judges& judges, const JudgeOptions& judge) {
  for (const JudgeOptions* asked : leaves_of(judges, judge)) {
    const bool is_fenced =
        asked->kind == JudgeKind::local && text::Conversation::load(asked->prompt_template).has_fence();
    are_shown_ = are_shown_ || kind_of(*asked).is_remote || is_fenced;
  }
}

void AlteredTexts::add(const Comparison& comparison) {
  if (!are_shown_) return;
  for (const std::string* text : {&comparison.prompt.text, &comparison.first.text, &comparison.second.text})
    if (judge::shown_text(*text) != *text) texts_.insert(checksum(*text));
}

void count_asked(std::span<const Preference> records, std::map<std::string, std::int64_t>& counts) {
  for (const Preference& record : records) {
    for (const MemberVerdict& member : record.verdict.members) ++counts[member.name];
  }
}

Json asked_facts(const JudgeOptions& judge, const std::map<std::string, std::int64_t>& counts) {
  Json facts = Json::object();
  for (const std::string& name : judge.members) {
    const auto found = counts.find(name);
    facts[name] = found == counts.end() ? 0 : found->second;
  }
  return facts;
}

}  // namespace rlaif::stages
