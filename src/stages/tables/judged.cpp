#include "judged.hpp"
#include "judge_scores.hpp"
#include "tables.hpp"

#include <cmath>

#include "rlaif/evaluate/statistics.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/stages/judge_facts.hpp"
#include "rlaif/train/reward.hpp"

namespace rlaif::stages {
namespace {

// Share of held-out pairs on which a reward model prefers the side that gold does, and the side its labels do.
Json reward_facts(const Context& context, const Language& language, const model::Transformer& base,
                  const ArmOptions& arm, const std::vector<Preference>& heldout, const std::vector<Preference>& people,
                  int resamples) {
  const model::ScalarModel reward = load_run_reward(context, "reward-" + labels_of(arm), base);
  std::vector<std::vector<TokenId>> sequences;
  for (const Preference& record : heldout) {
    const std::vector<TokenId> prompt = language.chat.prompt(record.comparison.prompt);
    sequences.push_back(reward_tokens(language, prompt, record.comparison.first));
    sequences.push_back(reward_tokens(language, prompt, record.comparison.second));
  }
  const std::vector<double> scores = train::score_sequences(reward, sequences);
  std::vector<double> all_sides, sides, golds, label_sides, labels;
  for (std::size_t i = 0; i < heldout.size(); ++i) {
    const double side = scores[2 * i] > scores[2 * i + 1] ? 1.0 : scores[2 * i] < scores[2 * i + 1] ? 0.0 : 0.5;
    all_sides.push_back(side);
    const double gold = gold_side(context, heldout[i].comparison);
    if (std::isfinite(gold) && gold != 0.5) {
      sides.push_back(side);
      golds.push_back(gold);
    }
    if (heldout[i].verdict.status == VerdictStatus::ok) {
      label_sides.push_back(side);
      labels.push_back(heldout[i].verdict.p_first);
    }
  }
  Json facts;
  facts["gold_accuracy"] = evaluate::agreement(sides, golds);
  put_interval(facts, "people_accuracy", people_agreement(all_sides, people, context.study.run.seed, resamples));
  facts["label_accuracy"] = evaluate::agreement(label_sides, labels);
  return facts;
}

// Where an arm learns from some of its judge's labels: how many, and what they cost.
void keep_first_labels(std::int64_t most, const std::vector<Preference>& training, Json& facts) {
  if (most == 0) return;
  std::int64_t labels = 0;
  double usd = 0.0;
  for (const Preference& record : training) {
    if (labels == most) break;
    labels += record.verdict.status == VerdictStatus::ok;
    usd += record.verdict.usage.cost_usd;
  }
  facts["labels"] = labels;
  facts["cost_usd"] = std::round(usd * 1e6) / 1e6;
}

}  // namespace

Json judged_facts(const Context& context, const Language& language, const model::Transformer& sft, int resamples) {
  const Study& study = context.study;
  Json facts;
  for (const DataSet& set : data_sets(study)) {
    if (set.kind != DataKind::preferences) continue;
    JudgedPairs pairs;
    context.comm.agree([&] { pairs = read_judged_pairs(context, set); });
    Json judges = judges_facts(context, set, pairs, resamples);
    for (const JudgeOptions& judge : set.judges) {
      if (!set.name.empty()) break;  // a round's judge is measured at its end
      Json scores = judge_scores_facts(context, &language, judge, pairs.heldout.at(judge.name), resamples);
      if (!scores.is_null()) judges[judge.name]["scores"] = std::move(scores);
    }
    if (set.name.empty()) facts["judges"] = judges;
    for (const ArmOptions& arm : study.arms) {
      if (!set.feeds(arm)) continue;
      facts["labels"][arm.name] = judges[arm.judge];
      keep_first_labels(study.labels.first, pairs.training.at(arm.judge), facts["labels"][arm.name]);
      const model::Transformer base =
          arm.start == first_policy ? sft.share() : load_policy(context, arm.start, sft, language);
      if (!algorithm_of(arm).trains_reward_model()) continue;
      const std::string people = people_of(set);
      facts["reward_model"][arm.name] =
          reward_facts(context, language, base, arm, pairs.heldout.at(arm.judge),
                       people.empty() ? std::vector<Preference>{} : pairs.heldout.at(people), resamples);
    }
  }
  return facts;
}

Json labels_facts(const Json& judged, const ArmOptions& arm) {
  return judged.value("labels", Json::object()).value(arm.name, Json::object());
}

}  // namespace rlaif::stages
