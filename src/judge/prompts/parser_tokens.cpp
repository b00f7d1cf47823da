#include <cctype>
#include <cmath>

#include "rlaif/judge/prompts/parser.hpp"
#include "rlaif/text/thoughts.hpp"

namespace rlaif::judge {
namespace {

// What tokenizers write for a space, where servers pass it on: U+0120 (byte-level) and U+2581 (SentencePiece).
constexpr std::string_view byte_level_space = "\xC4\xA0", piece_space = "\xE2\x96\x81";

// A token without white space, brackets, quotation marks and emphasis; in small letters where case does not matter.
std::string core_of(std::string_view token, bool as_it_stands) {
  std::string core;
  for (std::size_t at = 0; at < token.size();) {
    bool space = false;
    for (const std::string_view mark : {byte_level_space, piece_space}) {
      if (token.substr(at, mark.size()) != mark) continue;
      at += mark.size();
      space = true;
      break;
    }
    if (space) continue;
    const char c = token[at++];
    if (std::string_view(" \t\r\n()[]{}\"'`*_.,:").find(c) == std::string_view::npos)
      core += as_it_stands ? c : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return core;
}

// `core` is the label or a beginning of it that the other label does not share.
bool means(const std::string& core, const std::string& label, const std::string& other) {
  if (core.empty()) return false;
  return core == label || (label.starts_with(core) && !other.starts_with(core));
}

TokenReading unreadable(double mass) { return {VerdictStatus::unparseable, 0.5, mass}; }

}  // namespace

TokenReading read_token_verdict(const TokenPosition& position, const VerdictLabels& labels, double least_mass) {
  const bool as_they_stand = differ_by_case_alone(labels);
  const std::string first = core_of(labels.first, as_they_stand), second = core_of(labels.second, as_they_stand);
  double first_mass = 0.0, second_mass = 0.0;
  for (const TokenLogProb& entry : position.top) {
    const std::string core = core_of(entry.token, as_they_stand);
    const bool is_first = means(core, first, second), is_second = means(core, second, first);
    if (!is_first && !is_second) continue;
    if (std::isnan(entry.log_prob) || entry.log_prob > 1e-3) return {VerdictStatus::not_a_number, 0.5, 0.0};
    const double mass = entry.log_prob <= -9999.0 ? 0.0 : std::exp(entry.log_prob);
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
      if (!core_of(position.token, true).empty()) return reading;
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
