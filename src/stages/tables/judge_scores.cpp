#include "judge_scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "rlaif/evaluate/score_quality.hpp"
#include "rlaif/judge/scorer.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/judges.hpp"
#include "tables.hpp"

namespace rlaif::stages {
namespace {

constexpr int tenths = 10;

std::vector<judge::Response> distinct_responses(const std::vector<Preference>& records) {
  std::set<std::tuple<std::uint64_t, std::string, bool>> known;
  std::vector<judge::Response> responses;
  for (const Preference& record : records) {
    for (const Completion* one : {&record.comparison.first, &record.comparison.second})
      if (known.emplace(record.comparison.prompt.id, one->text, one->ended).second)
        responses.push_back({&record.comparison.prompt, one});
  }
  return responses;
}

// Of rewards, how many lie in each tenth of [-1, 1].
Json use_of_scale(const std::vector<evaluate::ScoredResponse>& scored) {
  std::vector<std::int64_t> counts(tenths, 0);
  for (const auto& one : scored) {
    const double place = std::floor(0.5 * (one.score + 1.0) * tenths);
    ++counts[static_cast<std::size_t>(std::clamp(place, 0.0, tenths - 1.0))];
  }
  return counts;
}

}  // namespace

Json judge_scores_facts(const Context& context, const Language* language, const JudgeOptions& judge,
                        const std::vector<Preference>& heldout, int resamples) {
  const Judges& judges = context.study.judges;
  const ScoreUnits units = score_units(judges, judge);
  if (units == ScoreUnits::none || asks_a_server(judges, judge)) return Json();
  const StageSpending spending(context, "scores");
  const BoundJudge bound = std::move(make_judges(context, {judge}, language, spending).front());
  const std::vector<judge::Response> responses = distinct_responses(heldout);
  const std::vector<judge::ResponseScore> scores = bound.judge->scorer()->score(responses);
  std::vector<evaluate::ScoredResponse> scored;
  std::int64_t failed = 0;
  for (std::size_t i = 0; i < responses.size(); ++i) {
    const bool is_ok = scores[i].status == VerdictStatus::ok;
    failed += !is_ok;
    const auto grade = context.task.grade(*responses[i].prompt, *responses[i].completion);
    if (is_ok && grade) scored.push_back({responses[i].prompt->id, scores[i].score, grade->score});
  }
  const evaluate::ScoreQuality quality = evaluate::score_quality(scored, tenths, context.study.run.seed, resamples);
  Json facts{{"responses", responses.size()}, {"failed", failed}, {"known", quality.responses}};
  put_interval(facts, "spearman", quality.spearman);
  put_interval(facts, "within_prompt", quality.within_prompt);
  if (!std::isnan(quality.silent)) facts["equal_within_prompt"] = quality.silent;
  if (units == ScoreUnits::rewards) facts["use_of_scale"] = use_of_scale(scored);
  facts["reliability"] = Json::array();
  for (const evaluate::ScoreBin& bin : quality.reliability)
    facts["reliability"].push_back({{"score", bin.score}, {"known", bin.known}, {"responses", bin.responses}});
  return facts;
}

std::string judge_scores_text(const Json& judges) {
  std::string text;
  for (const auto& [name, row] : judges.items()) {
    if (!row.contains("scores")) continue;
    const Json& scores = row["scores"];
    text += fmt::format(
        "scores of {}: {:.0f} responses, {:.0f} without; Spearman's {} with the yardstick; right order "
        "within a prompt {} %, equal {}\n",
        name, number(scores, "responses"), number(scores, "failed"), rate(scores, "spearman"),
        share_text(scores, "within_prompt"), rate(scores, "equal_within_prompt"));
  }
  return text.empty() ? text : text + "\n";
}

}  // namespace rlaif::stages
