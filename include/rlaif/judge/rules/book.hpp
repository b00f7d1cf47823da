// A constitution that a program can check: rules with weights, as a judge and as a reward. Honest and free: what it
// rewards can be read in its file, and so can what it does not see. Words, sentences and stems are those of text/words.hpp.
//   const RuleBook book = RuleBook::load("rules_brief.json");
//   book.score("How do I dry herbs?", "Hang them up.", true).all_kept
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rlaif::judge {

struct RuleScores {
  std::vector<bool> kept;  // one a rule, in the order of the file
  double score = 0.0;      // sum of the weights of the rules kept
  bool all_kept = false;
};

struct Reading;  // a question and an answer, taken apart

// A file of rules: {"name": text, "scale": s, "rules": [{"rule": kind, "weight": w, "name": text, ...}, ...]}.
// `name` of a rule is its kind where it is absent; names are unique. Weights and scale are above 0; scale is 1 where it
// is absent. Kinds, with their further keys (~: may be absent):
//   max_words, max_sentences, max_characters    limit          at most so many
//   min_words, min_sentences, min_characters    limit          at least so many
//   words_between, sentences_between, characters_between   low high   both
//   complete              ended by an end token, and the text ends in . ! ? 。！？ and closing quotes or brackets; not in
//                         "..." or "…"
//   no_repetition         ~n (4)   no sentence (compared by its words) stands twice, and no n words in a row do
//   no_banned_opener      openers  the first words are none of these phrases: "Sure" is the opener of "Sure, ...", not
//                                  of "Surely ..."
//   required_words        words ~match (any | all)   these phrases stand in it as whole words
//   no_banned_words       words    none of these phrases stands in it as whole words
//   shares_content_stem   ~at_least (1)   so many content stems of the question are in the answer; where the question
//                         has fewer, all; where it has none, any word will do
//   plain_text            no Markdown (headings, list markers, > before a line, emphasis, code, tables, links), URLs,
//                         HTML tags, chat control tokens (<|...|>), control characters but tab and line breaks,
//                         direction overrides, or ill-formed UTF-8
// Rules that forbid are kept by an empty answer, rules that ask are not.
class RuleBook {
 public:
  struct Rule {
    std::string name;
    double weight = 0.0;
    std::function<bool(const Reading&)> is_kept;
  };

  // Throws Error(input) naming the file, the rule's number from 1, and of an unknown kind or key the nearest known one.
  static RuleBook load(const std::filesystem::path& file);

  // `ended`: the answer was ended by an end token, not by the length limit. Pure: the same texts give the same scores.
  RuleScores score(std::string_view question, std::string_view response, bool ended) const;

  const std::string& name() const { return name_; }
  std::size_t size() const { return rules_.size(); }
  std::vector<std::string> names() const;
  std::vector<double> weights() const;
  double total_weight() const;
  // Score difference at which the preference is sigmoid(1) = .73.
  double scale() const { return scale_; }

 private:
  std::string name_;
  double scale_ = 1.0;
  std::vector<Rule> rules_;
};

}  // namespace rlaif::judge
