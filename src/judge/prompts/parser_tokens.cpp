#include <cmath>

#include "rlaif/judge/prompts/parser.hpp"
#include "rlaif/text/thoughts.hpp"
#include "token_core.hpp"

namespace rlaif::judge {
namespace {

// `core` is the label or a beginning of it that the other label does not share.
bool means(const std::string& core, const std::string& label, const std::string& other) {
  if (core.empty()) return false;
  return core == label || (label.starts_with(core) && !other.starts_with(core));
}

TokenReading unreadable(double mass) { return {VerdictStatus::unparseable, 0.5, mass}; }

}  // namespace

TokenReading read_token_verdict(const TokenPosition& position, const VerdictLabels& labels, double least_mass) {
  const bool as_they_stand = differ_by_case_alone(labels);
  const std::string first = token_core(labels.first, as_they_stand), second = token_core(labels.second, as_they_stand);
  double first_mass = 0.0, second_mass = 0.0;
  for (const TokenLogProb& entry : position.top) {
    const std::string core = token_core(entry.token, as_they_stand);
    const bool is_first = means(core, first, second), is_second = means(core, second, first);
    if (!is_first && !is_second) continue;
    const double mass = listed_mass(entry.log_prob);
    if (std::isnan(mass)) return {VerdictStatus::not_a_number, 0.5, 0.0};
    (is_first ? first_mass : second_mass) += mass;
  }
  const double mass = first_mass + second_mass;
  if (!(mass > 0.0) || mass < least_mass) return unreadable(mass);
  return {VerdictStatus::ok, first_mass / mass, mass};
}

std::span<const TokenPosition> tokens_of_answer(std::span<const TokenPosition> tokens, std::string_view answer) {
  std::string text;
  for (const TokenPosition& position : tokens) text += position.token;
  // Servers that take thoughts out of the text leave their tokens in the list.
  std::size_t begin = answer.size() > 0 && text.ends_with(answer) ? text.size() - answer.size() : 0;
  if (begin == 0) begin = text.size() - text::answer_after_thoughts(text).text.size();
  std::size_t first = 0;
  for (std::size_t end = 0; first < tokens.size() && (end += tokens[first].token.size()) <= begin;) ++first;
  return tokens.subspan(first);
}

TokenReading read_tokens(std::span<const TokenPosition> tokens, const VerdictLabels& labels, bool letter,
                         double least_mass) {
  if (letter) {
    TokenReading before = unreadable(0.0);  // where white space or a mark was drawn, and a label could have been
    for (const TokenPosition& position : tokens) {
      const TokenReading reading = read_token_verdict(position, labels, least_mass);
      if (!token_core(position.token, true).empty()) return reading;
      if (before.status != VerdictStatus::ok) before = reading;
    }
    return before;
  }
  std::string text;
  for (const TokenPosition& position : tokens) text += position.token;
  const TextReading reading = read_verdict(text, labels);
  if (reading.status != VerdictStatus::ok || reading.choice == Choice::tie) return unreadable(0.0);
  std::size_t begin = 0;
  for (const TokenPosition& position : tokens) {
    begin += position.token.size();
    if (reading.at < begin) return read_token_verdict(position, labels, least_mass);
  }
  return unreadable(0.0);
}

}  // namespace rlaif::judge
