// What a sentence means. Every sentence of the world is known beforehand, so reading one is a table look-up.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "spec.hpp"

namespace rlaif::world {

enum class SentenceKind {
  garbage,      // none of the world's
  fact,         // subject: cell, detail: value
  unknown,      // subject: cell
  sum,          // sum, detail: the result it states
  harm_step,    // subject: action, detail: step, person
  help_step,    // subject: action, detail: step, person
  alternative,  // subject: action of harm, person
  refusal,      // detail: reason
  filler,
  evasive,
};

struct Meaning {
  SentenceKind kind = SentenceKind::garbage;
  std::size_t subject = 0;
  std::size_t detail = 0;
  std::optional<std::size_t> person;  // none: the sentence names nobody and fits everybody
  Sum sum;
};

class Sentences {
 public:
  // Throws Error(input) naming `file` where two templates can say the same sentence.
  Sentences(const Spec& spec, const std::filesystem::path& file);

  // `sentence` with its full stop and without blanks around it. Sums are "A plus|minus B is C." over decimal numbers
  // of at most three digits, whether or not the world asks for them; "By the way " before a fact changes nothing.
  Meaning read(std::string_view sentence) const;

  // All but sums and asides, in the order of world.json.
  const std::vector<std::string>& all() const { return all_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  void add(std::string sentence, const Meaning& meaning);
  void add_actions(const Spec& spec, Family family);

  std::filesystem::path file_;
  std::vector<std::string> all_;
  std::unordered_map<std::string, Meaning, Hash, std::equal_to<>> meanings_;
};

// The sentences of a response: cut after every ".", blanks around them dropped. What follows the last "." is a sentence
// too (without its stop it is none of the world's). A text of blanks is one empty sentence.
std::vector<std::string_view> split_sentences(std::string_view text);

}  // namespace rlaif::world
