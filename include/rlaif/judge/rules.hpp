// A constitution that a program can check: rules with weights, as a judge and as a reward. Honest and free: what it
// rewards can be read in its file, and so can what it does not see.
//
// How a text is read (UTF-8; an ill-formed part counts as one U+FFFD):
//   character   a code point. Folded for comparison: small letters (ASCII, Latin-1, Greek, Cyrillic), ’ as '.
//   word        a maximal run of letters, marks and digits, of any script. Within a word may stand, between two such
//               characters: an apostrophe or hyphen ("don't", "well-known"); . , or : between digits ("3.5", "10:30");
//               a dot between single letters ("e.g.", "U.S."). Each Han, Hiragana or Katakana character is a word of
//               its own. Punctuation, symbols and emoji are in no word.
//   sentence    a stretch with at least one word, up to a line break, the end of the text, or a run of . ! ? … with its
//               closing quotes, brackets, * and _ before white space; 。！？ need none after them, and neither does a
//               run between a small and a capital letter ("It dries.Then"). An unfinished stretch is a sentence too.
//               No sentence ends at a dot within a word; after e.g. i.e. vs. Mr. Dr. and the like; after etc. p.m. U.S.
//               oz. and the like unless a capital follows; after the initial of a name ("J. Smith", "John F. Kennedy");
//               after the number that begins a line ("1. Boil"); nor, where a small letter follows, at "..." or "…" or
//               at a closed quotation ("\"Stop!\" he said.").
//   stem        of a word, hyphens parting it, in small letters and without 's: irregular forms are looked up ("frozen"
//               is "freeze"). Of words of four and more ASCII letters these ends go, each once, in this order: the
//               plural (-ies to y, -es after x ch sh zz o ss, -s but not of -ss -us -is); -ied to y, -ed, -ing (not
//               -eed; three letters with a vowel stay); -ly (four stay); -e (three stay); the second of two equal last
//               letters. Then an end's y becomes i: dry dries dried drying -> dri; store stored storing -> stor.
//   content     a stem of a word that is neither a stop word (articles, pronouns, auxiliaries, prepositions, question
//               words, and verbs that say little: get, make, use, keep, help ...) nor a single ASCII letter.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rlaif/cost/prices.hpp"
#include "rlaif/judge/judge.hpp"

namespace rlaif::judge {

std::vector<std::string> words(std::string_view text);      // folded
std::vector<std::string> sentences(std::string_view text);  // as they stand, without white space around them
std::set<std::string> content_stems(std::string_view text);

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

// P(first is better) = sigmoid((score of first - score of second) / scale); a tie is 0.5 with status ok. The same in
// both orders by construction, which is what p_first_by_order says. No tokens; a label's price. The rationale names the
// rules that one side alone keeps.
std::unique_ptr<Judge> make_rules_judge(std::string name, RuleBook book, cost::Price price);

}  // namespace rlaif::judge
