#include "lint_words.hpp"

#include <array>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "rlaif/text/words.hpp"

namespace rlaif::judge {
namespace {

using text::stem;

struct Advice {
  std::string_view words;
  std::string_view text;
};

constexpr std::array vague_words{
    Advice{"good bad nice great fine decent excellent ideal optimal superior perfect quality lovely pleasant",
           "what a reader sees in it, such as \"does every task that the request states\""},
    Advice{"appropriate inappropriate suitable unsuitable proper improper acceptable unacceptable fitting",
           "for whom and by which sign, such as \"uses words that a child of ten knows\""},
    Advice{"reasonable unreasonable sensible adequate sufficient satisfactory balanced",
           "the limit, such as \"in at most 100 words\" or \"with a reason for each claim\""}};

constexpr std::array abstract_words{
    Advice{"helpful unhelpful useful valuable beneficial constructive",
           "\"does every task that the request states, and gives steps that can be used at once\""},
    Advice{"honest dishonest truthful sincere trustworthy reliable accurate transparent",
           "\"makes statements that can be looked up, and says what it leaves open\""},
    Advice{"harmless harmful safe unsafe dangerous risky responsible irresponsible",
           "\"leaves out steps with which a reader could hurt somebody, and names a lawful way instead\""},
    Advice{"ethical unethical moral immoral wise peaceful virtuous just unjust fair unfair right wrong",
           "the deed, such as \"declines the part that breaks a law or hurts a person, and gives the reason\""},
    Advice{"toxic racist sexist offensive hateful discriminatory biased prejudiced objectionable insensitive",
           "\"describes persons by what they did or said, and leaves insults out\""},
    Advice{"clear unclear readable understandable simple confusing elegant",
           "\"states its result in the first sentence, in sentences of at most 25 words\""},
    Advice{"polite rude friendly kind respectful considerate thoughtful empathetic warm caring amiable",
           "\"addresses the reader by name once, and quotes an insult only as a quote\""},
    Advice{"interesting engaging creative natural human-like intelligent high-quality professional",
           "what shows it, such as \"gives an example that the request does not name\""}};

constexpr std::string_view observable_words =
    "word sentence line paragraph page letter step number figure digit date year dose amount price unit address "
    "password "
    "phone code link source quote quotation citation cite reference example table list bullet heading title item term "
    "definition define abbreviation jargon fact statement claim error mistake typo calculation calculate sum result "
    "reason "
    "cause warning warn danger lawful law insult slur threat threaten joke apology apologise apologize greeting greet "
    "thank "
    "compliment refusal refuse decline instruction limit format language part order first last opening repeat "
    "repetition "
    "contradict omit name state mention explain count translate admit ask offer point call describe correct replace "
    "mark "
    "program office doctor hotline emergency encyclopedia false true invented quoted exist everyday background verse "
    "rhyme "
    "spelling grammar comma title-case summary summarise summarize premise assumption assume alternative option record "
    "shorter longer fewer within percent euro dollar minute hour second metre kilogram formula function test "
    "begin start end conclude recommend advise medicine diagnosis diagnose treatment suicide weapon drug crime "
    "illegal copyright pronoun gender age religion nationality";

constexpr std::string_view negators =
    "not never no none nor neither without cannot can't don't doesn't didn't isn't aren't wasn't weren't won't "
    "wouldn't "
    "shouldn't couldn't mustn't avoid avoids avoiding refrain refrains refraining abstain abstains";

constexpr std::string_view frame_words =
    "choose prefer pick select favour favor response answer reply output text assistant ai model chatbot human user "
    "person "
    "people reader please decide judge compare better best request question prompt respond conversation "
    "contain include hold be seem appear likely possible likewise criterion principle always never every each any all";

constexpr std::string_view absolutes = "always never every each any all whatever everything";

std::set<std::string> words_of(std::string_view words) {
  std::istringstream stream{std::string(words)};
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

std::set<std::string> stems_of(std::string_view words) {
  std::set<std::string> stems;
  for (const std::string& word : words_of(words)) stems.insert(stem(word));
  return stems;
}

using AdviceByWord = std::map<std::string, std::string_view>;

template <std::size_t n>
AdviceByWord by_word(const std::array<Advice, n>& table) {
  AdviceByWord result;
  for (const Advice& advice : table)
    for (const std::string& word : words_of(advice.words)) result[word] = advice.text;
  return result;
}

std::string_view advice_of(const AdviceByWord& table, const std::string& word) {
  const auto found = table.find(word);
  return found == table.end() ? std::string_view() : found->second;
}

}  // namespace

std::string_view vague_advice(const std::string& word) {
  static const AdviceByWord table = by_word(vague_words);
  return advice_of(table, word);
}

std::string_view abstract_advice(const std::string& word) {
  static const AdviceByWord table = by_word(abstract_words);
  return advice_of(table, word);
}

std::string_view general_advice() {
  return "two things that a reader can point at or count in a response: words, steps, sources, numbers, what it "
         "states, "
         "names or asks";
}

bool is_observable(const std::string& word) {
  static const std::set<std::string> stems = stems_of(observable_words);
  const bool has_digit = word.find_first_of("0123456789") != std::string::npos;
  return has_digit || stems.contains(stem(word));
}

bool is_negator(const std::string& word) {
  static const std::set<std::string> words = words_of(negators);
  return words.contains(word);
}

bool is_blamed(const std::string& word) {
  static const std::set<std::string> stems = stems_of(
      "harmful unsafe dangerous risky irresponsible unethical immoral unjust unfair wrong toxic racist sexist "
      "offensive hateful discriminatory biased prejudiced objectionable insensitive rude violent illegal bad harm "
      "risk insulting manipulative deceptive misleading stereotype threat");
  return stems.contains(stem(word));
}

bool is_frame(const std::string& word) {
  static const std::set<std::string> stems = stems_of(frame_words);
  return stems.contains(stem(word));
}

bool is_absolute(const std::string& word) {
  static const std::set<std::string> words = words_of(absolutes);
  return words.contains(word);
}

const std::vector<Axis>& axes() {
  static const std::vector<Axis> all{
      {stems_of("longer long lengthy longest detailed elaborate extensive exhaustive"),
       stems_of("shorter short shortest brief briefest concise terse succinct")},
      {stems_of("formal official ceremonious"), stems_of("informal casual colloquial chatty")},
      {stems_of("refuse decline reject"), stems_of("comply obey accept fulfil fulfill"), true},
      {stems_of("confident certain assertive definite"), stems_of("tentative hedged cautious uncertain hesitant")},
      {stems_of("bullet list bulleted"), stems_of("prose")},
      {stems_of("plain everyday simple"), stems_of("technical academic scholarly scientific")},
      {stems_of("warm friendly emotional personal"), stems_of("cold detached impersonal neutral unemotional")},
      {stems_of("funny humorous joke witty"), stems_of("serious earnest solemn")}};
  return all;
}

}  // namespace rlaif::judge
