#include "scored_by_principles.hpp"

#include "rlaif/core/error.hpp"

namespace rlaif::judge {
namespace {

// Principles of each level that has some, the first to be obeyed first.
std::vector<std::vector<const Principle*>> levels_of(const Constitution& principles) {
  std::vector<std::vector<const Principle*>> levels;
  for (int level = 1; level <= Constitution::levels; ++level) {
    std::vector<const Principle*> of_level;
    for (const Principle& principle : principles.principles())
      if (principle.level == level) of_level.push_back(&principle);
    if (!of_level.empty()) levels.push_back(std::move(of_level));
  }
  return levels;
}

bool asks_each(const Constitution& principles, const ScoringBy& by) {
  return by.use == PrincipleUse::each && !principles.empty();
}

std::vector<ShownResponse> by_chosen(std::span<const Response> responses, const Constitution& principles,
                                     const ScoringBy& by) {
  std::vector<ShownResponse> shown;
  for (const Response& response : responses)
    shown.push_back({&response, principles.chosen(response.prompt->id, by.use, by.seed)});
  return shown;
}

std::vector<ResponseScore> answers_to(std::span<const ShownResponse> shown, const AskScores& ask) {
  std::vector<ResponseScore> answers = ask(shown);
  RLAIF_CHECK(answers.size() == shown.size(), "one answer a question");
  return answers;
}

// What is known of one response while its levels are asked.
struct Asked {
  ResponseScore sum;
  std::vector<LevelScores> levels;
  bool goes_on = true;

  void add(const Principle& principle, const ResponseScore& answer) {
    sum.usage += answer.usage;
    if (!answer.rationale.empty()) sum.rationale += (sum.rationale.empty() ? "" : " | ") + answer.rationale;
    levels.back().weights.push_back(principle.weight);
    levels.back().scores.push_back(answer.score);
    if (answer.status == VerdictStatus::ok || !goes_on) return;
    sum.status = answer.status;
    goes_on = false;
  }
};

// Asks one level about all responses that go on, and closes it.
void ask_level(const std::vector<const Principle*>& level, std::span<const Response> responses, double gate,
               std::vector<Asked>& asked, const AskScores& ask) {
  std::vector<ShownResponse> shown;
  std::vector<std::size_t> whose;
  for (std::size_t i = 0; i < responses.size(); ++i) {
    asked[i].levels.emplace_back();
    if (!asked[i].goes_on) {
      for (const Principle* principle : level) asked[i].levels.back().weights.push_back(principle->weight);
      continue;
    }
    for (const Principle* principle : level) {
      shown.push_back({&responses[i], {principle}});
      whose.push_back(i);
    }
  }
  const std::vector<ResponseScore> answers = answers_to(shown, ask);
  for (std::size_t q = 0; q < shown.size(); ++q) asked[whose[q]].add(*shown[q].principles.front(), answers[q]);
  for (Asked& one : asked)
    if (one.goes_on && one.levels.back().mean() < gate) one.goes_on = false;
}

std::vector<ResponseScore> score_each(std::span<const Response> responses, const Constitution& principles,
                                      const ScoringBy& by, const AskScores& ask) {
  std::vector<Asked> asked(responses.size());
  for (Asked& one : asked) one.sum.status = VerdictStatus::ok;
  for (const auto& level : levels_of(principles)) ask_level(level, responses, by.level_gate, asked, ask);
  std::vector<ResponseScore> scores;
  for (Asked& one : asked) {
    if (one.sum.status == VerdictStatus::ok)
      one.sum.score = score_reward(gated_mean(one.levels, by.level_gate, by.scale.low), by.scale);
    scores.push_back(std::move(one.sum));
  }
  return scores;
}

}  // namespace

std::vector<ResponseScore> score_by_principles(std::span<const Response> responses, const Constitution& principles,
                                               const ScoringBy& by, const AskScores& ask) {
  if (asks_each(principles, by)) return score_each(responses, principles, by, ask);
  std::vector<ResponseScore> scores = answers_to(by_chosen(responses, principles, by), ask);
  for (ResponseScore& one : scores)
    if (one.status == VerdictStatus::ok) one.score = score_reward(one.score, by.scale);
  return scores;
}

std::vector<ShownResponse> questions_by_principles(std::span<const Response> responses, const Constitution& principles,
                                                   const ScoringBy& by) {
  if (!asks_each(principles, by)) return by_chosen(responses, principles, by);
  std::vector<ShownResponse> shown;
  for (const Response& response : responses)
    for (const Principle& principle : principles.principles()) shown.push_back({&response, {&principle}});
  return shown;
}

}  // namespace rlaif::judge
