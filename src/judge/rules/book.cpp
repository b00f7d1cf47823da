#include "rlaif/judge/rules/book.hpp"

#include "check.hpp"

namespace rlaif::judge {

RuleScores RuleBook::score(std::string_view question, std::string_view response, bool ended) const {
  const Reading reading{text::take_apart(question), text::take_apart(response), ended};
  RuleScores scores;
  scores.all_kept = true;
  for (const Rule& rule : rules_) {
    scores.kept.push_back(rule.is_kept(reading));
    scores.all_kept = scores.all_kept && scores.kept.back();
    if (scores.kept.back()) scores.score += rule.weight;
  }
  return scores;
}

std::vector<std::string> RuleBook::names() const {
  std::vector<std::string> names;
  for (const Rule& rule : rules_) names.push_back(rule.name);
  return names;
}

std::vector<double> RuleBook::weights() const {
  std::vector<double> weights;
  for (const Rule& rule : rules_) weights.push_back(rule.weight);
  return weights;
}

double RuleBook::total_weight() const {
  double total = 0.0;
  for (const Rule& rule : rules_) total += rule.weight;
  return total;
}

}  // namespace rlaif::judge
