#include <algorithm>
#include <cmath>
#include <string>

#include "rlaif/judge/prompts/scores.hpp"
#include "token_core.hpp"

namespace rlaif::judge {
namespace {

using remote::TokenLogProb, remote::TokenPosition;

// The scale's numbers as text, and the mass on each.
class Scale {
 public:
  explicit Scale(const ScoreScale& scale) : mass(static_cast<std::size_t>(scale.high - scale.low + 1), 0.0) {
    for (int score = scale.low; score <= scale.high; ++score) texts_.push_back(std::to_string(score));
  }
  // Where the number stands on the scale; its size where it does not.
  std::size_t place(const std::string& number) const {
    return static_cast<std::size_t>(std::find(texts_.begin(), texts_.end(), number) - texts_.begin());
  }
  bool holds(const std::string& number) const { return place(number) < texts_.size(); }
  // Numbers of which `beginning` is a proper beginning.
  std::vector<std::string> longer(const std::string& beginning) const {
    std::vector<std::string> found;
    for (const std::string& text : texts_)
      if (text.size() > beginning.size() && text.starts_with(beginning)) found.push_back(text);
    return found;
  }

  std::vector<double> mass;

 private:
  std::vector<std::string> texts_;
};

bool is_number(const std::string& core) {
  return !core.empty() && std::all_of(core.begin(), core.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Shares the mass of a beginning out over the numbers that it may become, by what the next position lists.
void share_out(Scale& scale, const std::string& beginning, double mass, const TokenPosition* next) {
  double gone_on = 0.0;
  if (next) {
    for (const TokenLogProb& entry : next->top) {
      const std::string core = token_core(entry.token, false);
      if (!is_number(core)) continue;
      const double share = listed_mass(entry.log_prob);
      if (scale.holds(beginning + core)) scale.mass[scale.place(beginning + core)] += mass * share;
      gone_on += share;
    }
  }
  if (scale.holds(beginning)) scale.mass[scale.place(beginning)] += mass * std::max(0.0, 1.0 - gone_on);
}

// `next`: what was drawn behind; nullptr where nothing was.
ScoreReading read_position(const TokenPosition& position, const TokenPosition* next, const ScoreScale& of,
                           double least_mass) {
  Scale scale(of);
  const std::string drawn = token_core(position.token, false);
  const auto is_listed = [&](const std::string& number) {
    return std::any_of(position.top.begin(), position.top.end(),
                       [&](const TokenLogProb& entry) { return token_core(entry.token, false) == number; });
  };
  for (const TokenLogProb& entry : position.top) {
    const std::string core = token_core(entry.token, false);
    if (!is_number(core)) continue;
    const double mass = listed_mass(entry.log_prob);
    const std::vector<std::string> longer = scale.longer(core);
    const bool is_whole = longer.empty() || std::any_of(longer.begin(), longer.end(), is_listed);
    if (is_whole && scale.holds(core))
      scale.mass[scale.place(core)] += mass;
    else if (!longer.empty() && core == drawn)
      share_out(scale, core, mass, next);
  }
  return expected_score(scale.mass, of, least_mass);
}

}  // namespace

ScoreReading read_score_tokens(std::span<const TokenPosition> tokens, const ScoreScale& scale, bool at_once,
                               double least_mass) {
  const auto behind = [&](std::size_t i) { return i + 1 < tokens.size() ? &tokens[i + 1] : nullptr; };
  if (at_once) {
    for (std::size_t i = 0; i < tokens.size(); ++i)
      if (!token_core(tokens[i].token, true).empty()) return read_position(tokens[i], behind(i), scale, least_mass);
    return {VerdictStatus::unparseable, 0.0, 0, "no number was drawn"};
  }
  std::string text;
  for (const TokenPosition& position : tokens) text += position.token;
  const ScoreReading said = read_score(text, scale);
  if (said.status != VerdictStatus::ok) return said;
  std::size_t end = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    end += tokens[i].token.size();
    if (said.at < end) return read_position(tokens[i], behind(i), scale, least_mass);
  }
  return {VerdictStatus::unparseable, 0.0, 0, "no number was drawn"};
}

}  // namespace rlaif::judge
