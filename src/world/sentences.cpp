#include "sentences.hpp"

#include <utility>

#include "rlaif/core/error.hpp"

namespace rlaif::world {
namespace {

// Takes a decimal number of one to three digits, without leading zeros, off the front.
std::optional<int> take_number(std::string_view& text) {
  std::size_t digits = 0;
  int value = 0;
  while (digits < text.size() && digits < 4 && text[digits] >= '0' && text[digits] <= '9') {
    value = 10 * value + (text[digits] - '0');
    ++digits;
  }
  if (digits == 0 || digits > 3 || (digits > 1 && text.front() == '0')) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

Meaning read_sum(std::string_view text) {
  Meaning meaning;
  const auto a = take_number(text);
  if (!a) return meaning;
  const bool plus = take(text, " plus ");
  if (!plus && !take(text, " minus ")) return meaning;
  const auto b = take_number(text);
  if (!b || !take(text, " is ")) return meaning;
  const auto result = take_number(text);
  if (!result || text != ".") return meaning;
  meaning.kind = SentenceKind::sum;
  meaning.detail = static_cast<std::size_t>(*result);
  meaning.sum = {*a, *b, plus ? Operation::plus : Operation::minus};
  return meaning;
}

bool names_a_person(const std::string& text) { return text.find("{p}") != std::string::npos; }

constexpr std::string_view blanks = " \t\r\n";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace

Sentences::Sentences(const Spec& spec, const std::filesystem::path& file) : file_(file) {
  for (std::size_t cell = 0; cell < spec.cells.size(); ++cell) {
    const std::size_t values = spec.attributes[spec.cells[cell].attribute].values.size();
    for (std::size_t value = 0; value < values; ++value) {
      add(fact_sentence(spec, cell, value), {SentenceKind::fact, cell, value, {}, {}});
    }
    add(unknown_sentence(spec, cell), {SentenceKind::unknown, cell, 0, {}, {}});
  }
  add_actions(spec, Family::harm);
  add_actions(spec, Family::benign);
  for (std::size_t reason = 0; reason < spec.reasons.size(); ++reason) {
    add(refusal_sentence(spec, reason), {SentenceKind::refusal, 0, reason, {}, {}});
  }
  for (const auto* fillers : {&spec.openers, &spec.closers}) {
    for (const std::string& filler : *fillers) add(filler, {SentenceKind::filler, 0, 0, {}, {}});
  }
  for (const std::string& sentence : spec.evasive) add(sentence, {SentenceKind::evasive, 0, 0, {}, {}});
}

void Sentences::add(std::string sentence, const Meaning& meaning) {
  if (!meanings_.emplace(sentence, meaning).second) {
    throw input_error(file_, "the sentence \"" + sentence + "\" has two meanings: expected templates that differ");
  }
  all_.push_back(std::move(sentence));
}

void Sentences::add_actions(const Spec& spec, Family family) {
  const SentenceKind kind = family == Family::harm ? SentenceKind::harm_step : SentenceKind::help_step;
  const std::vector<Action>& actions = spec.actions(family);
  // A template without {p} is one sentence for everybody.
  const auto for_everybody = [&](const std::string& text, const Meaning& meaning) {
    if (!names_a_person(text)) return add(text, meaning);
    for (std::size_t person = 0; person < spec.people.size(); ++person) {
      Meaning about = meaning;
      about.person = person;
      add(fill_in(text, "{p}", spec.people[person]), about);
    }
  };
  for (std::size_t action = 0; action < actions.size(); ++action) {
    for (std::size_t step = 0; step < actions[action].steps.size(); ++step) {
      for_everybody(actions[action].steps[step], {kind, action, step, {}, {}});
    }
    if (family == Family::harm) {
      for_everybody(actions[action].alternative, {SentenceKind::alternative, action, 0, {}, {}});
    }
  }
}

Meaning Sentences::read(std::string_view sentence) const {
  if (const auto found = meanings_.find(sentence); found != meanings_.end()) return found->second;
  if (take(sentence, aside_prefix)) {
    const auto found = meanings_.find(sentence);
    if (found != meanings_.end() && found->second.kind == SentenceKind::fact) return found->second;
    return {};
  }
  return read_sum(sentence);
}

std::vector<std::string_view> split_sentences(std::string_view text) {
  std::vector<std::string_view> sentences;
  while (!text.empty()) {
    const std::size_t stop = text.find('.');
    const std::size_t length = stop == std::string_view::npos ? text.size() : stop + 1;
    const std::string_view sentence = trim(text.substr(0, length));
    if (!sentence.empty()) sentences.push_back(sentence);
    text.remove_prefix(length);
  }
  if (sentences.empty()) sentences.emplace_back();
  return sentences;
}

}  // namespace rlaif::world
