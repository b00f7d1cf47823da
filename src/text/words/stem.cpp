// English stems, as words.hpp defines them: enough to see that "storing" and "stored" speak of one thing.
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "rlaif/text/words.hpp"

namespace rlaif::text {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// Forms that no suffix rule brings home.
constexpr std::array irregular{
    Pair{"ate", "eat"},       Pair{"began", "begin"},   Pair{"begun", "begin"},    Pair{"bought", "buy"},
    Pair{"broke", "break"},   Pair{"broken", "break"},  Pair{"brought", "bring"},  Pair{"built", "build"},
    Pair{"burnt", "burn"},    Pair{"caught", "catch"},  Pair{"children", "child"}, Pair{"chose", "choose"},
    Pair{"chosen", "choose"}, Pair{"died", "die"},      Pair{"drank", "drink"},    Pair{"drove", "drive"},
    Pair{"driven", "drive"},  Pair{"drunk", "drink"},   Pair{"dying", "die"},      Pair{"eaten", "eat"},
    Pair{"fed", "feed"},      Pair{"feet", "foot"},     Pair{"fell", "fall"},      Pair{"fallen", "fall"},
    Pair{"flew", "fly"},      Pair{"flown", "fly"},     Pair{"fought", "fight"},   Pair{"froze", "freeze"},
    Pair{"frozen", "freeze"}, Pair{"geese", "goose"},   Pair{"grew", "grow"},      Pair{"grown", "grow"},
    Pair{"halves", "half"},   Pair{"held", "hold"},     Pair{"hung", "hang"},      Pair{"kept", "keep"},
    Pair{"knew", "know"},     Pair{"known", "know"},    Pair{"knives", "knife"},   Pair{"leaves", "leaf"},
    Pair{"lent", "lend"},     Pair{"loaves", "loaf"},   Pair{"lost", "lose"},      Pair{"lying", "lie"},
    Pair{"men", "man"},       Pair{"met", "meet"},      Pair{"mice", "mouse"},     Pair{"paid", "pay"},
    Pair{"ridden", "ride"},   Pair{"risen", "rise"},    Pair{"rode", "ride"},      Pair{"sang", "sing"},
    Pair{"sent", "send"},     Pair{"shelves", "shelf"}, Pair{"shook", "shake"},    Pair{"shone", "shine"},
    Pair{"slept", "sleep"},   Pair{"sold", "sell"},     Pair{"spent", "spend"},    Pair{"spoke", "speak"},
    Pair{"spoken", "speak"},  Pair{"stole", "steal"},   Pair{"stolen", "steal"},   Pair{"stuck", "stick"},
    Pair{"swam", "swim"},     Pair{"swept", "sweep"},   Pair{"taught", "teach"},   Pair{"teeth", "tooth"},
    Pair{"thought", "think"}, Pair{"threw", "throw"},   Pair{"thrown", "throw"},   Pair{"told", "tell"},
    Pair{"took", "take"},     Pair{"taken", "take"},    Pair{"tying", "tie"},      Pair{"understood", "understand"},
    Pair{"wives", "wife"},    Pair{"woke", "wake"},     Pair{"wolves", "wolf"},    Pair{"women", "woman"},
    Pair{"won", "win"},       Pair{"wore", "wear"},     Pair{"worn", "wear"},      Pair{"written", "write"},
    Pair{"wrote", "write"}};

// Words that say nothing of what a question is about.
constexpr std::string_view stop_words =
    " a about above across actually after again against all almost along already also although always am among an "
    "and another any anyone anything are aren't around as ask at away back be became because become been before "
    "being below best better between both but by call called came can can't cannot cause come comes coming could "
    "couldn't day did didn't different do does doesn't doing don't done down during e.g each easily easy either "
    "else enough especially etc even ever every everyone everything explain far feel few find first for from gave "
    "general get gets getting give given gives giving go goes going good got great had happen happens has have "
    "haven't having he he's help helpful helping helps her here here's hers herself him himself his how how's "
    "however i i'd i'll i'm i've i.e if important in instead into is isn't it it's its itself just keep keeping "
    "keeps kept kind knew know knowing known knows let let's like little long look lot made make makes making "
    "many matter may maybe me mean means might more most much must my myself name need needed needs never no nor "
    "normally not nothing now of off often oh ok okay on once one ones only onto or other others our ours "
    "ourselves out over own people perhaps person please possible probably put quite rather real really right "
    "same say says see seem seems several she she's should shouldn't simple simply since so some someone "
    "something sometimes still such sure take takes taking tell than that that's the their theirs them themselves "
    "then there there's these they they're thing things think this those though through time times to together "
    "too toward try trying two under until up upon us use used useful uses using usual usually very want was "
    "wasn't way ways we we're well went were what what's when where where's whether which while who who's whom "
    "whose why will with within without won't work works would wouldn't yes yet you you'd you'll you're you've "
    "your yours yourself ";

bool is_stop_word(const std::string& word) { return stop_words.find(" " + word + " ") != stop_words.npos; }

bool is_vowel(char c) { return std::string_view("aeiouy").find(c) != std::string_view::npos; }
bool has_vowel(std::string_view text) { return std::any_of(text.begin(), text.end(), is_vowel); }

// Replaces a suffix where at least so many letters stay before it.
bool cut(std::string& word, std::string_view suffix, std::size_t least_left, std::string_view instead = "") {
  if (!word.ends_with(suffix) || word.size() < suffix.size() + least_left) return false;
  word.replace(word.size() - suffix.size(), suffix.size(), instead);
  return true;
}

void cut_plural(std::string& word) {
  if (cut(word, "ies", 2, "y") || cut(word, "sses", 2, "ss")) return;
  for (const std::string_view es : {"xes", "ches", "shes", "zzes", "oes"}) {
    if (word.size() > 4 && cut(word, es, 1, es.substr(0, es.size() - 2))) return;
  }
  for (const std::string_view no_plural : {"ss", "us", "is"}) {
    if (word.ends_with(no_plural)) return;
  }
  cut(word, "s", 3);
}

void cut_verb_form(std::string& word) {
  if (word.ends_with("eed") || cut(word, "ied", 2, "y")) return;
  for (const std::string_view ending : {"ed", "ing"}) {
    if (word.ends_with(ending) && has_vowel(std::string_view(word).substr(0, word.size() - ending.size())) &&
        cut(word, ending, 3))
      return;
  }
}

}  // namespace

std::string stem(const std::string& whole) {
  std::string word = whole;
  if (word.ends_with("'s")) word.resize(word.size() - 2);
  const auto known =
      std::find_if(irregular.begin(), irregular.end(), [&](const Pair& pair) { return pair.first == word; });
  if (known != irregular.end()) word = known->second;
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  if (word.size() < 4 || !std::all_of(word.begin(), word.end(), is_letter)) {
    if (word.size() == 3 && word.back() == 'y' && is_letter(word.front())) word.back() = 'i';
    return word;
  }
  cut_plural(word);
  cut_verb_form(word);
  cut(word, "ly", 4);
  if (word.size() > 3) cut(word, "e", 3);
  if (word.size() > 3 && word.back() == word[word.size() - 2]) word.pop_back();
  if (word.back() == 'y') word.back() = 'i';
  return word;
}

std::set<std::string> content_stems(const std::vector<Word>& words) {
  std::set<std::string> stems;
  for (const Word& word : words) {
    if (is_stop_word(word.text)) continue;
    for (std::size_t begin = 0; begin <= word.text.size();) {
      const std::size_t end = std::min(word.text.find('-', begin), word.text.size());
      const std::string part = word.text.substr(begin, end - begin);
      begin = end + 1;
      const bool single_letter = part.size() == 1 && !is_digit(static_cast<unsigned char>(part[0]));
      if (!part.empty() && !single_letter && !is_stop_word(part)) stems.insert(stem(part));
    }
  }
  return stems;
}

}  // namespace rlaif::text
