#include "rlaif/judge/prompts/scores.hpp"

#include <charconv>
#include <cmath>

#include "answer_text.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::judge {
namespace {

constexpr std::array<std::string_view, 4> score_nouns{"score", "rating", "grade", "verdict"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class ScoreReader {
 public:
  ScoreReader(std::string_view text, const ScoreScale& scale) : raw_(text), text_(lower(text)), scale_(scale) {}

  ScoreReading read() {
    if (stripped(raw_).empty()) return failed("the answer is empty");
    read_json();
    read_brackets();
    read_lines();
    if (unreadable_) return failed("the score is no number of the scale");
    if (said_.empty()) return failed("no score was said");
    Said last = said_.front();
    for (const Said& said : said_) {
      if (said.score != last.score) return failed("two different scores were said");
      if (said.at > last.at) last = said;
    }
    return {VerdictStatus::ok, last.score, last.at, ""};
  }

 private:
  struct Said {
    double score;
    std::size_t at;
  };
  enum class Found { nothing, score, off_scale };

  static ScoreReading failed(const char* why) { return {VerdictStatus::unparseable, 0.0, 0, why}; }

  // "7", "7.5"
  static std::optional<double> take_number(Cursor& cursor, std::size_t end) {
    std::size_t stop = cursor.at;
    while (stop < end && is_digit(cursor.text[stop])) ++stop;
    if (stop == cursor.at) return std::nullopt;
    if (stop + 1 < end && cursor.text[stop] == '.' && is_digit(cursor.text[stop + 1])) {
      ++stop;
      while (stop < end && is_digit(cursor.text[stop])) ++stop;
    }
    double value = 0.0;
    const char* begin = cursor.text.data();
    if (std::from_chars(begin + cursor.at, begin + stop, value).ec != std::errc()) return std::nullopt;
    cursor.at = stop;
    return value;
  }

  // text_[begin, end) as a number and nothing else. A number that is not on the scale, or of another one, is off_scale.
  Found number(std::size_t begin, std::size_t end, Said& said) const {
    Cursor cursor{std::string_view(text_).substr(0, end), begin};
    const auto undress = [&] {
      while (cursor.at < end && is_dressing(text_[cursor.at])) ++cursor.at;
    };
    undress();
    const bool is_negative = cursor.at < end && text_[cursor.at] == '-';
    if (is_negative) ++cursor.at;
    const std::size_t at = cursor.at;
    const std::optional<double> value = take_number(cursor, end);
    if (!value) return Found::nothing;
    bool fits = !is_negative && *value >= scale_.low && *value <= scale_.high;
    Cursor behind = cursor;
    behind.skip("*_ \t");
    const bool is_share = behind.at < end && text_[behind.at] == '/';
    if (is_share) ++behind.at;
    if (is_share || behind.take_phrase("out of")) {
      behind.skip("*_ \t");
      const std::optional<double> of = take_number(behind, end);
      if (!of) return Found::nothing;
      fits = fits && *of == scale_.high;
      cursor = behind;
    }
    undress();
    if (cursor.at < end) return Found::nothing;
    said = {*value, at};
    return fits ? Found::score : Found::off_scale;
  }

  // Whether there is a number.
  bool say(std::size_t begin, std::size_t end) {
    Said said{};
    const Found found = number(begin, end, said);
    if (found == Found::score) said_.push_back(said);
    unreadable_ = unreadable_ || found == Found::off_scale;
    return found != Found::nothing;
  }

  void read_json() {
    const auto found = json_at_end(raw_, "score");
    if (!found) return;
    json_ = {found->open, found->close + 1};
    if (!found->value.is_number() && !found->value.is_string()) {
      unreadable_ = true;
      return;
    }
    const std::string value = found->value.is_string() ? lower(found->value.get<std::string>()) : found->value.dump();
    Said said{};
    if (ScoreReader(value, scale_).number(0, value.size(), said) != Found::score) {
      unreadable_ = true;
      return;
    }
    const std::size_t key = text_.rfind("\"score\"", found->close);
    const std::size_t at = text_.find(value, key == std::string::npos ? found->open : key + 7);
    said_.push_back({said.score, at == std::string::npos ? found->open : at + said.at});
  }

  void read_brackets() {
    for (std::size_t at = text_.find("[["); at != std::string::npos; at = text_.find("[[", at + 2)) {
      const std::size_t end = text_.find("]]", at);
      if (end == std::string::npos) return;
      if (!is_in_quoted_line(text_, at)) say(at + 2, end);
    }
  }

  void read_lines() {
    const std::size_t first = text_.find_first_not_of(" \t\r\n"), last = text_.find_last_not_of(" \t\r\n");
    for (std::size_t begin = 0; begin < text_.size();) {
      const std::size_t end = std::min(text_.find('\n', begin), text_.size());
      const bool inside_json = begin >= json_.first && begin < json_.second;
      if (!is_in_quoted_line(text_, begin) && !inside_json) {
        const bool outer = (begin <= first && first < end) || (begin <= last && last < end);
        if (!outer || !say(begin, end)) read_cue(begin, end);
      }
      begin = end + 1;
    }
  }

  // "Score: 7". A line that announces the score and then says none is no silence.
  void read_cue(std::size_t begin, std::size_t end) {
    Cursor cursor{std::string_view(text_).substr(0, end), begin};
    if (!take_cue(cursor, score_nouns)) return;
    const bool says_something = !stripped(std::string_view(text_).substr(cursor.at, end - cursor.at)).empty();
    if (!say(cursor.at, end) && says_something) unreadable_ = true;
  }

  std::string_view raw_;
  std::string text_;  // of the same length, in small letters
  ScoreScale scale_;
  std::vector<Said> said_;
  std::pair<std::size_t, std::size_t> json_{0, 0};
  bool unreadable_ = false;
};

}  // namespace

ScoreReading read_score(std::string_view text, const ScoreScale& scale) { return ScoreReader(text, scale).read(); }

ScoreReading expected_score(std::span<const double> probabilities, const ScoreScale& scale, double least_mass) {
  RLAIF_CHECK(static_cast<int>(probabilities.size()) == scale.high - scale.low + 1, "a probability for every score");
  double mass = 0.0, sum = 0.0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    mass += probabilities[i];
    sum += (scale.low + static_cast<double>(i)) * probabilities[i];
  }
  if (!std::isfinite(mass)) return {VerdictStatus::not_a_number, 0.0, 0, "a probability is no number"};
  if (!(mass > 0.0) || mass < least_mass)
    return {VerdictStatus::unparseable, 0.0, 0, "too little probability is on the scale"};
  return {VerdictStatus::ok, sum / mass, 0, ""};
}

double score_reward(double score, const ScoreScale& scale) {
  const double middle = 0.5 * (scale.low + scale.high), half = 0.5 * (scale.high - scale.low);
  return (score - middle) / half;
}

double LevelScores::mean() const {
  double sum = 0.0, all = 0.0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    sum += weights[i] * scores[i];
    all += weights[i];
  }
  return sum / all;
}

double gated_mean(std::span<const LevelScores> levels, double gate, double nothing) {
  double sum = 0.0, all = 0.0;
  bool is_open = true;
  for (const LevelScores& level : levels) {
    RLAIF_CHECK(!is_open || level.scores.size() == level.weights.size(), "a score for every principle that counts");
    for (std::size_t i = 0; i < level.weights.size(); ++i) {
      sum += level.weights[i] * (is_open ? level.scores[i] : nothing);
      all += level.weights[i];
    }
    is_open = is_open && level.mean() >= gate;
  }
  return sum / all;
}

}  // namespace rlaif::judge
