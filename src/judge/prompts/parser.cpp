#include "rlaif/judge/prompts/parser.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "answer_text.hpp"

namespace rlaif::judge {
namespace {

constexpr std::array<std::string_view, 9> nouns{"output", "response",  "answer",     "option", "choice",
                                                "reply",  "assistant", "completion", "model"};
constexpr std::array<std::string_view, 6> cue_nouns{"verdict", "answer", "choice", "decision", "preference", "winner"};
constexpr std::array<std::string_view, 9> leads{"therefore", "thus",         "hence",       "so",          "overall",
                                                "finally",   "consequently", "accordingly", "nevertheless"};
constexpr std::array<std::string_view, 9> lead_phrases{"in conclusion", "in summary",   "to conclude",
                                                       "as a result",   "in short",     "to summarize",
                                                       "in my opinion", "in this case", "based on this"};

constexpr std::array<std::string_view, 5> determiners{"the", "this", "these", "my", "our"};
constexpr std::array<std::string_view, 7> grounds{"evaluation", "evaluations",    "analysis", "assessment",
                                                  "comparison", "considerations", "above"};

struct Said {
  Choice choice;
  std::size_t at;
};

class VerdictReader {
 public:
  VerdictReader(std::string_view text, const VerdictLabels& labels)
      : raw_(text), text_(lower(text)), labels_(labels), as_they_stand_(differ_by_case_alone(labels)) {}

  TextReading read() {
    if (stripped(raw_).empty()) return {VerdictStatus::unparseable, Choice::tie, 0, "the answer is empty"};
    read_json();
    read_brackets();
    read_lines();
    read_sentences();
    if (unreadable_) return {VerdictStatus::unparseable, Choice::tie, 0, "the verdict is none of the labels"};
    if (said_.empty()) return {VerdictStatus::unparseable, Choice::tie, 0, "no verdict was said"};
    for (const Said& said : said_)
      if (said.choice != said_.front().choice)
        return {VerdictStatus::unparseable, Choice::tie, 0, "two different verdicts were said"};
    const auto last = std::max_element(said_.begin(), said_.end(), [](auto& a, auto& b) { return a.at < b.at; });
    return {VerdictStatus::ok, last->choice, last->at, ""};
  }

 private:
  // Of the word at a cursor over text_.
  std::optional<Choice> choice_at(const Cursor& cursor) const {
    const std::string_view word = cursor.word(), raw = raw_.substr(cursor.at, word.size());
    if (is_label(raw, labels_.first)) return Choice::shown_first;
    if (is_label(raw, labels_.second)) return Choice::shown_second;
    if (word == "tie" || word == "equal" || word == "tied") return Choice::tie;
    return std::nullopt;
  }
  bool is_label(std::string_view raw, const std::string& label) const {
    return as_they_stand_ ? raw == label : lower(raw) == lower(label);
  }

  // text_[begin, end) as a label and nothing else.
  std::optional<Said> label(std::size_t begin, std::size_t end) const {
    Cursor cursor{std::string_view(text_).substr(0, end), begin};
    const auto undress = [&] {
      while (cursor.at < end && is_dressing(text_[cursor.at])) ++cursor.at;
    };
    undress();
    if (cursor.take("the")) undress();
    std::string_view word = cursor.word();
    if (is_one_of(word, nouns)) {
      cursor.at += word.size();
      undress();
      word = cursor.word();
    }
    const std::optional<Choice> choice = choice_at(cursor);
    if (!choice) return std::nullopt;
    const std::size_t at = cursor.at;
    cursor.at += word.size();
    // "# Output (a):" is the heading of what follows.
    while (cursor.at < end && is_dressing(text_[cursor.at]) && text_[cursor.at] != ':') ++cursor.at;
    if (cursor.take("is")) {
      undress();
      if (!cursor.take("better")) return std::nullopt;
      undress();
    }
    if (cursor.at < end) return std::nullopt;
    return Said{*choice, at};
  }

  void say(const std::optional<Said>& said) {
    if (said) said_.push_back(*said);
  }

  void read_json() {
    if (const auto found = json_at_end(raw_, "verdict")) read_json_verdict(found->value, found->open, found->close);
  }

  void read_json_verdict(const Json& verdict, std::size_t open, std::size_t close) {
    json_ = {open, close + 1};
    unreadable_ = true;
    if (!verdict.is_string()) return;
    const std::string value = verdict.get<std::string>();
    const VerdictReader inner(value, labels_);
    const std::optional<Said> said = inner.label(0, value.size());
    if (!said) return;
    unreadable_ = false;
    const std::size_t key = text_.rfind("\"verdict\"", close);
    const std::size_t at = text_.find(inner.text_, key == std::string::npos ? open : key + 9);
    said_.push_back({said->choice, at == std::string::npos ? open : at + said->at});
  }

  void read_brackets() {
    for (std::size_t at = text_.find("[["); at != std::string::npos; at = text_.find("[[", at + 2)) {
      const std::size_t end = text_.find("]]", at);
      if (end == std::string::npos) return;
      if (is_quoted(at)) continue;
      if (stripped(std::string_view(text_).substr(at + 2, end - at - 2)) == "c" && !is_label("c", labels_.first) &&
          !is_label("c", labels_.second))
        said_.push_back({Choice::tie, at + 2});
      else
        say(label(at + 2, end));
    }
  }

  void read_lines() {
    const std::size_t first = text_.find_first_not_of(" \t\r\n"), last = text_.find_last_not_of(" \t\r\n");
    for (std::size_t begin = 0; begin < text_.size();) {
      const std::size_t end = std::min(text_.find('\n', begin), text_.size());
      const bool inside_json = begin >= json_.first && begin < json_.second;
      if (!is_quoted(begin) && !inside_json) {
        const bool outer = (begin <= first && first < end) || (begin <= last && last < end);
        if (outer) say(label(begin, end));
        read_cue(begin, end);
      }
      begin = end + 1;
    }
  }

  // "Verdict: A"
  void read_cue(std::size_t begin, std::size_t end) {
    Cursor cursor{std::string_view(text_).substr(0, end), begin};
    const auto noun = take_cue(cursor, cue_nouns);
    if (!noun) return;
    const std::optional<Said> said = label(cursor.at, end);
    say(said);
    // A line that announces the verdict and then names none ("Verdict: both") is no silence.
    const bool names_something = stripped(std::string_view(text_).substr(cursor.at, end - cursor.at)).size() > 0;
    if (!said && *noun == "verdict" && names_something) unreadable_ = true;
  }

  bool is_quoted(std::size_t at) const { return is_in_quoted_line(text_, at); }

  void read_sentences() {
    for (std::size_t at = 0; at < text_.size(); ++at) {
      const bool starts = at == 0 || text_[at - 1] == '\n' ||
                          (is_blank(text_[at - 1]) && at >= 2 &&
                           std::string_view(".!?:").find(text_[at - 2]) != std::string_view::npos);
      if (starts && !is_quoted(at)) read_sentence(at);
    }
  }

  void read_sentence(std::size_t begin) {
    Cursor cursor{text_, begin};
    cursor.skip(" \t*_#");
    skip_lead(cursor);
    if (cursor.take("the")) cursor.skip_spaces();
    if (cursor.take("better")) {
      read_inverted(cursor);
      return;
    }
    const std::optional<Said> said = named(cursor);
    if (!said) return;
    cursor.skip(" \t*_,");
    if (!cursor.take("is")) return;
    cursor.skip_spaces();
    if (cursor.take("the")) cursor.skip_spaces();
    if (const std::string_view adverb = cursor.word(); adverb.ends_with("ly")) {
      cursor.at += adverb.size();
      cursor.skip_spaces();
    }
    if (cursor.take("better")) said_.push_back(*said);
  }

  // "[the better] output [for the given instruction] is Output (b)"
  void read_inverted(Cursor& cursor) {
    cursor.skip_spaces();
    if (!is_one_of(cursor.word(), nouns)) return;
    cursor.at += cursor.word().size();
    cursor.skip_spaces();
    if (!cursor.take("is")) return;
    cursor.skip(" \t*_:");
    const std::optional<Said> said = named(cursor);
    cursor.skip("*_ \t");
    if (said &&
        (cursor.at >= text_.size() || std::string_view(".!\n").find(text_[cursor.at]) != std::string_view::npos))
      said_.push_back(*said);
  }

  void skip_lead(Cursor& cursor) const {
    bool lead = is_one_of(cursor.word(), leads);
    if (lead) cursor.at += cursor.word().size();
    for (const std::string_view phrase : lead_phrases)
      if (!lead) lead = cursor.take_phrase(phrase);
    cursor.skip(" \t,");
    skip_grounds(cursor);
    for (const std::string_view phrase : {"i conclude that", "i believe that", "i believe", "i think that", "i think",
                                          "i have determined that", "it is clear that", "we conclude that"})
      if (cursor.take_phrase(phrase)) break;
    cursor.skip_spaces();
  }

  // "based on the evaluation of both,": grounds that are no condition.
  void skip_grounds(Cursor& cursor) const {
    constexpr std::size_t longest = 48;
    Cursor ahead = cursor;
    if (!ahead.take_phrase("based on") && !ahead.take_phrase("considering") && !ahead.take_phrase("after")) return;
    ahead.skip_spaces();
    if (!is_one_of(ahead.word(), determiners)) return;
    ahead.at += ahead.word().size();
    ahead.skip_spaces();
    if (!is_one_of(ahead.word(), grounds)) return;
    const std::size_t comma = ahead.text.find_first_of(",.\n", ahead.at);
    if (comma == std::string_view::npos || ahead.text[comma] != ',' || comma - ahead.at > longest) return;
    cursor.at = comma + 1;
    cursor.skip_spaces();
  }

  // A label with a noun before it, or in brackets: "Output (a)", "(b)"; a bare letter is an article.
  std::optional<Said> named(Cursor& cursor) const {
    cursor.skip("*_");
    const bool noun = is_one_of(cursor.word(), nouns);
    if (noun) cursor.at += cursor.word().size();
    const std::size_t before = cursor.at;
    cursor.skip(" \t*_");
    const std::size_t open = cursor.at;
    cursor.skip("([{\"'`");
    const bool bracket = cursor.at > open;
    if (!(noun ? cursor.at > before : bracket)) return std::nullopt;
    const std::optional<Choice> choice = choice_at(cursor);
    if (!choice || *choice == Choice::tie) return std::nullopt;
    const Said said{*choice, cursor.at};
    cursor.at += cursor.word().size();
    cursor.skip(")]}\"'`*_");
    return said;
  }

  std::string_view raw_;
  std::string text_;  // of the same length, in small letters
  VerdictLabels labels_;
  bool as_they_stand_ = false;
  std::vector<Said> said_;
  std::pair<std::size_t, std::size_t> json_{0, 0};
  bool unreadable_ = false;
};

}  // namespace

bool differ_by_case_alone(const VerdictLabels& labels) {
  return labels.first != labels.second && lower(labels.first) == lower(labels.second);
}

TextReading read_verdict(std::string_view text, const VerdictLabels& labels) {
  return VerdictReader(text, labels).read();
}

}  // namespace rlaif::judge
