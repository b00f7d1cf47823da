#include "rlaif/judge/constitution/lint.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>

#include "lint_words.hpp"
#include "rlaif/text/words.hpp"

namespace rlaif::judge {
namespace {

using text::TextParts, text::take_apart, text::stem, text::content_stems;

constexpr std::size_t observables_needed = 2, most_words = 50, least_cases = 4;
// Shares of content stems that two principles have in common: of both together, and of the shorter one.
constexpr double same_of_both = 0.5, same_of_shorter = 0.8;

using Words = std::vector<std::string>;

void add_once(Words& words, const std::string& word) {
  if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
}

// A word with what the text before it says about it.
struct Token {
  std::string text;
  std::size_t sentence = 0;
  bool after_stop = false;  // after ; : or a sentence's end
  bool after_comma = false;
  bool negated = false;     // "does not insult or threaten": both
  bool is_content = false;  // of what the principle is about
};

// A principle taken apart.
struct Wording {
  std::vector<Token> tokens;
  std::set<std::string> stems;  // of content
  Words negators;
  bool has_positive = false;  // content that is not negated
  bool has_absolute = false;

  bool is_negative() const { return !negators.empty() && !has_positive; }
};

std::vector<Token> tokens_of(const TextParts& parts) {
  std::vector<Token> tokens;
  std::size_t end = 0, sentence = 0;
  for (std::size_t i = 0; i < parts.words.size(); ++i) {
    Token& token = tokens.emplace_back();
    token.text = parts.words[i].text;
    while (sentence < parts.sentences.size() && i >= parts.sentences[sentence].last_word) ++sentence;
    token.sentence = sentence;
    token.after_stop = !tokens.empty() && tokens.size() > 1 && tokens[tokens.size() - 2].sentence != sentence;
    for (std::size_t c = end; c < parts.words[i].begin; ++c) {
      token.after_stop |= parts.characters[c] == U';' || parts.characters[c] == U':';
      token.after_comma |= parts.characters[c] == U',';
    }
    end = parts.words[i].end;
    token.is_content = !content_stems({parts.words[i]}).empty() && !is_frame(token.text) && !is_negator(token.text);
  }
  return tokens;
}

// "less harmful", "least likely to be offensive": blame within the next words.
bool blames_less(const std::vector<Token>& tokens, std::size_t at) {
  if (tokens[at].text != "less" && tokens[at].text != "least") return false;
  for (std::size_t i = at + 1; i < std::min(at + 7, tokens.size()) && !tokens[i].after_stop; ++i)
    if (is_blamed(tokens[i].text)) return true;
  return false;
}

// "does not", "cannot": an infinitive follows.
bool negates_infinitive(const std::string& negator) {
  return negator == "not" || negator == "cannot" || negator.ends_with("n't");
}

// Whether what was negated before `at` is no more. What follows "and", "or" or a comma in the third person is no infinitive:
// "does not guess and names".
bool begins_anew(const std::vector<Token>& tokens, std::size_t at, const std::string& negator) {
  const Token& token = tokens[at];
  if (token.after_stop || token.text == "but" || token.text == "instead" || token.text == "rather") return true;
  const bool joined = token.after_comma || (at > 0 && (tokens[at - 1].text == "and" || tokens[at - 1].text == "or"));
  return joined && negates_infinitive(negator) && token.text.size() > 3 && token.text.ends_with('s') &&
         !token.text.ends_with("ss") && is_observable(token.text) && !is_blamed(token.text);
}

Wording read(const Principle& principle) {
  Wording reading;
  const TextParts parts = take_apart(principle.text);
  reading.tokens = tokens_of(parts);
  std::string negator;  // of the words at hand; empty: they are not negated
  for (std::size_t i = 0; i < reading.tokens.size(); ++i) {
    Token& token = reading.tokens[i];
    if (begins_anew(reading.tokens, i, negator)) negator.clear();
    if (is_negator(token.text) || blames_less(reading.tokens, i)) {
      negator = token.text;
      add_once(reading.negators, negator);
    }
    token.negated = !negator.empty();
    reading.has_absolute |= is_absolute(token.text);
    if (!token.is_content) continue;
    reading.has_positive |= !token.negated;
    reading.stems.insert(stem(token.text));
  }
  return reading;
}

// Distinct observable words of one sentence, or of all.
std::size_t observables(const Wording& reading, std::optional<std::size_t> sentence = std::nullopt) {
  std::set<std::string> stems;
  for (const Token& token : reading.tokens)
    if ((!sentence || token.sentence == *sentence) && is_observable(token.text)) stems.insert(stem(token.text));
  return stems.size();
}

Words matching(const Wording& reading, std::string_view (*advice)(const std::string&),
               std::optional<std::size_t> sentence) {
  Words words;
  for (const Token& token : reading.tokens)
    if ((!sentence || token.sentence == *sentence) && !advice(token.text).empty()) add_once(words, token.text);
  return words;
}

bool find_vague(const Principle& principle, const Wording& reading, std::vector<LintFinding>& findings) {
  Words words;
  const std::size_t sentences = reading.tokens.empty() ? 0 : reading.tokens.back().sentence + 1;
  for (std::size_t sentence = 0; sentence < sentences; ++sentence) {
    if (observables(reading, sentence) >= observables_needed) continue;
    for (const std::string& word : matching(reading, vague_advice, sentence)) add_once(words, word);
  }
  if (words.empty()) return false;
  findings.push_back({principle.id, LintKind::vague, words, "", std::string(vague_advice(words.front()))});
  return true;
}

void find_unmeasurable(const Principle& principle, const Wording& reading, std::vector<LintFinding>& findings) {
  if (observables(reading) >= observables_needed) return;
  const Words words = matching(reading, abstract_advice, std::nullopt);
  const std::string_view advice = words.empty() ? general_advice() : abstract_advice(words.front());
  findings.push_back({principle.id, LintKind::unmeasurable, words, "", std::string(advice)});
}

void find_negative(const Principle& principle, const Wording& reading, std::vector<LintFinding>& findings) {
  if (!reading.is_negative()) return;
  Words words = reading.negators;
  for (const Token& token : reading.tokens)
    if (token.negated && token.is_content && words.size() < reading.negators.size() + 4) add_once(words, token.text);
  findings.push_back({principle.id, LintKind::negative, words, "",
                      "what the response does instead, such as \"declines that part, gives the reason, and names a "
                      "lawful way\""});
}

Words words_of_stems(const Wording& reading, const std::set<std::string>& stems) {
  Words words;
  std::set<std::string> seen;
  for (const Token& token : reading.tokens)
    if (stems.contains(stem(token.text)) && seen.insert(stem(token.text)).second) words.push_back(token.text);
  return words;
}

std::set<std::string> common(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::set<std::string> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(both, both.end()));
  return both;
}

bool speak_of_the_same(const Wording& a, const Wording& b) {
  const auto shared = static_cast<double>(common(a.stems, b.stems).size());
  const auto shorter = static_cast<double>(std::min(a.stems.size(), b.stems.size()));
  const double of_both = static_cast<double>(a.stems.size() + b.stems.size()) - shared;
  if (shorter < 2.0) return shared > 0.0 && of_both == 1.0;
  return shared / of_both >= same_of_both || (shorter >= 3.0 && shared / shorter >= same_of_shorter);
}

// Which direction of an axis a principle wants: 1, -1, or 0 where it speaks of neither or of both.
struct Direction {
  int sign = 0;
  std::string word;
  std::set<std::string> topic;  // what else it speaks of
};

Direction direction(const Wording& reading, const Axis& axis) {
  Direction result;
  bool is_one = false, is_other = false;
  for (const Token& token : reading.tokens) {
    const bool one = axis.one.contains(stem(token.text)), other = axis.other.contains(stem(token.text));
    if (!one && !other) {
      const bool is_quality = !vague_advice(token.text).empty() || !abstract_advice(token.text).empty();
      if (token.is_content && !is_quality) result.topic.insert(stem(token.text));
      continue;
    }
    (one != token.negated ? is_one : is_other) = true;
    if (result.word.empty()) result.word = token.negated ? reading.negators.front() + " " + token.text : token.text;
  }
  result.sign = is_one == is_other ? 0 : is_one ? 1 : -1;
  return result;
}

std::optional<LintFinding> contradiction(const Principle& principle, const Wording& reading, const Principle& earlier,
                                         const Wording& before) {
  const std::string instead = "in which case each of the two holds (\"where the request ...\"), or keep one of them";
  for (const Axis& axis : axes()) {
    const Direction here = direction(reading, axis), there = direction(before, axis);
    if (here.sign * there.sign != -1) continue;
    if (axis.absolute_only && !(reading.has_absolute && before.has_absolute)) continue;
    const bool other_topic = !here.topic.empty() && !there.topic.empty() && common(here.topic, there.topic).empty();
    if (!other_topic)
      return LintFinding{principle.id, LintKind::contradictory, {there.word, here.word}, earlier.id, instead};
  }
  if (!speak_of_the_same(reading, before) || reading.is_negative() == before.is_negative()) return std::nullopt;
  Words words = reading.is_negative() ? reading.negators : before.negators;
  for (const std::string& word : words_of_stems(reading, common(reading.stems, before.stems))) add_once(words, word);
  return LintFinding{principle.id, LintKind::contradictory, words, earlier.id, instead};
}

void find_pairs(const std::vector<Principle>& principles, const std::vector<Wording>& readings, std::size_t at,
                std::vector<LintFinding>& findings) {
  for (std::size_t i = 0; i < at; ++i) {
    if (auto found = contradiction(principles[at], readings[at], principles[i], readings[i])) {
      findings.push_back(std::move(*found));
    } else if (speak_of_the_same(readings[at], readings[i])) {
      findings.push_back(
          {principles[at].id, LintKind::duplicate,
           words_of_stems(readings[at], common(readings[at].stems, readings[i].stems)), principles[i].id,
           "one principle of the two, with their weights added, or what this one asks beyond the other"});
    }
  }
}

void add_notes(const Principle& principle, const Wording& reading, std::vector<LintFinding>& findings) {
  if (principle.cases.empty()) {
    findings.push_back({principle.id,
                        LintKind::without_case,
                        {},
                        "",
                        "a case beside it: a request, two responses, which is better and why"});
  }
  if (reading.tokens.size() > most_words) {
    findings.push_back({principle.id,
                        LintKind::overlong,
                        {},
                        "",
                        "at most " + std::to_string(most_words) + " words in place of " +
                            std::to_string(reading.tokens.size()) + ", or two principles"});
  }
}

// Of requests that some principles have: which of them this one lacks.
void add_note_of_requests(const Principle& principle, const std::vector<Principle>& all,
                          std::vector<LintFinding>& findings) {
  const auto lacks = [&](std::string Principle::* request) {
    return (principle.*request).empty() &&
           std::any_of(all.begin(), all.end(), [&](const Principle& other) { return !(other.*request).empty(); });
  };
  Words missing;
  if (lacks(&Principle::critique_request)) missing.push_back("critique_request");
  if (lacks(&Principle::revision_request)) missing.push_back("revision_request");
  if (missing.empty()) return;
  findings.push_back(
      {principle.id, LintKind::without_request, missing, "",
       "what a writer is asked about its own response under this principle, as for the others: chains of "
       "revisions cannot draw it without"});
}

void add_note_of_cases(const std::vector<Principle>& principles, std::vector<LintFinding>& findings) {
  std::size_t first = 0, all = 0;
  for (const Principle& principle : principles) {
    for (const PrincipleCase& one : principle.cases) {
      first += one.first_is_better;
      ++all;
    }
  }
  if (all < least_cases || (first > 0 && first < all)) return;
  findings.push_back(
      {"",
       LintKind::one_sided_cases,
       {},
       "",
       "half of the cases with the better response in the other place: judges copy a place that always wins"});
}

}  // namespace

const char* to_string(LintKind kind) {
  switch (kind) {
    case LintKind::vague: return "vague";
    case LintKind::unmeasurable: return "unmeasurable";
    case LintKind::negative: return "negative";
    case LintKind::duplicate: return "duplicate";
    case LintKind::contradictory: return "contradictory";
    case LintKind::without_case: return "note: no case";
    case LintKind::without_request: return "note: no request";
    case LintKind::overlong: return "note: long";
    case LintKind::one_sided_cases: return "note: the cases favour one place";
  }
  return "unknown";
}

bool is_note(LintKind kind) { return kind >= LintKind::without_case; }

std::vector<LintFinding> lint(const Constitution& constitution) {
  const std::vector<Principle>& principles = constitution.principles();
  std::vector<Wording> readings;
  std::vector<LintFinding> findings;
  for (std::size_t i = 0; i < principles.size(); ++i) {
    readings.push_back(read(principles[i]));
    const bool is_vague = find_vague(principles[i], readings[i], findings);
    if (!is_vague) find_unmeasurable(principles[i], readings[i], findings);
    find_negative(principles[i], readings[i], findings);
    find_pairs(principles, readings, i, findings);
    add_notes(principles[i], readings[i], findings);
    add_note_of_requests(principles[i], principles, findings);
  }
  add_note_of_cases(principles, findings);
  return findings;
}

std::string to_line(const LintFinding& finding) {
  std::string line = finding.principle.empty() ? "" : finding.principle + ": ";
  line += to_string(finding.kind);
  if (!finding.other.empty()) line += finding.kind == LintKind::duplicate ? " of " : " to ";
  line += finding.other;
  for (std::size_t i = 0; i < finding.words.size(); ++i) {
    line += i == 0 ? ": \"" : ", \"";
    line += finding.words[i] + "\"";
  }
  return line + "; write instead: " + finding.instead;
}

}  // namespace rlaif::judge
