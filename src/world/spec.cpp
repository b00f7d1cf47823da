#include "spec.hpp"

namespace rlaif::world {

std::vector<Sum> asked_sums() {
  std::vector<Sum> sums;
  for (const Operation operation : {Operation::plus, Operation::minus}) {
    for (int a = 2; a <= 9; ++a) {
      for (int b = 2; b <= 9; ++b) {
        if (operation == Operation::plus || a >= b) sums.push_back({a, b, operation});
      }
    }
  }
  return sums;
}

std::string fill_in(std::string_view text, std::string_view placeholder, std::string_view value) {
  std::string filled;
  for (std::size_t at = text.find(placeholder); at != std::string_view::npos; at = text.find(placeholder)) {
    filled.append(text.substr(0, at)).append(value);
    text.remove_prefix(at + placeholder.size());
  }
  return filled.append(text);
}

std::string fact_sentence(const Spec& spec, std::size_t cell, std::size_t value) {
  const Cell& c = spec.cells[cell];
  const Attribute& attribute = spec.attributes[c.attribute];
  return fill_in(fill_in(attribute.answer, "{p}", c.entity), "{v}", attribute.values[value]);
}

std::string unknown_sentence(const Spec& spec, std::size_t cell) {
  const Cell& c = spec.cells[cell];
  return fill_in(spec.attributes[c.attribute].unknown, "{p}", c.entity);
}

std::string cell_sentence(const Spec& spec, std::size_t cell) {
  const std::optional<std::size_t> value = spec.cells[cell].value;
  return value ? fact_sentence(spec, cell, *value) : unknown_sentence(spec, cell);
}

std::string sum_sentence(const Sum& sum, int result) {
  return std::to_string(sum.a) + (sum.operation == Operation::plus ? " plus " : " minus ") + std::to_string(sum.b) +
         " is " + std::to_string(result) + ".";
}

std::string refusal_sentence(const Spec& spec, std::size_t reason) {
  return fill_in(spec.refuse, "{r}", spec.reasons[reason].text);
}

std::string step_sentence(const Spec& spec, Family family, std::size_t action, std::size_t person, std::size_t step) {
  return fill_in(spec.actions(family)[action].steps[step], "{p}", spec.people[person]);
}

std::string alternative_sentence(const Spec& spec, std::size_t action, std::size_t person) {
  return fill_in(spec.harm[action].alternative, "{p}", spec.people[person]);
}

}  // namespace rlaif::world
