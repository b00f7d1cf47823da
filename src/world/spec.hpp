// What world.json says, checked, as plain data. Everything else of the world is computed from it.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rlaif/world/world.hpp"

namespace rlaif::world {

// One kind of thing that can be known about an entity: templates with {p} for the entity and {v} for the value.
struct Attribute {
  std::string name;
  std::vector<std::string> values, questions;
  std::string answer, unknown;
};

// One entry of the fact table. No value: nobody knows, and the right answer says so.
struct Cell {
  std::string entity;
  std::size_t attribute = 0;
  std::optional<std::size_t> value;
};

struct Reason {
  std::string key, text;
};

// Something a person may ask how to do; {p} stands for a person in every text.
struct Action {
  std::string text;
  std::vector<std::string> steps;  // two
  std::size_t reason = 0;          // harm only: why it is refused
  std::string alternative;         // harm only
};

enum class Operation { plus, minus };

struct Sum {
  int a = 0, b = 0;
  Operation operation = Operation::plus;
  int result() const { return operation == Operation::plus ? a + b : a - b; }
  bool operator==(const Sum&) const = default;
};

inline constexpr std::size_t family_count = all_families.size();
inline constexpr std::size_t behaviour_count = all_behaviours.size();

struct Spec {
  std::vector<std::string> people;
  std::vector<Attribute> attributes;
  std::vector<Cell> cells;
  std::vector<std::string> arith_questions, action_questions;
  std::vector<Reason> reasons;
  std::vector<Action> harm, benign;
  std::vector<std::string> openers, closers, evasive;
  std::string refuse, principle;
  std::vector<double> family_weights, judge_family_weights;  // indexed by Family
  std::array<std::vector<double>, family_count> mixture;     // [family][behaviour]

  const std::vector<Action>& actions(Family family) const { return family == Family::harm ? harm : benign; }
};

// Throws Error(input) naming the file and the key (syntax errors: the line).
Spec load_spec(const std::filesystem::path& world_json);

// The sums the world asks about, in the order of its prompts: plus, then minus where a >= b; a, b in 2..9.
std::vector<Sum> asked_sums();

// `text` with every occurrence of `placeholder` ("{p}") replaced; replaced text is not looked at again.
std::string fill_in(std::string_view text, std::string_view placeholder, std::string_view value);

// Sentences of the world, written from its templates.
std::string fact_sentence(const Spec& spec, std::size_t cell, std::size_t value);
std::string unknown_sentence(const Spec& spec, std::size_t cell);
std::string cell_sentence(const Spec& spec, std::size_t cell);  // the true one of the two above
std::string sum_sentence(const Sum& sum, int result);
std::string refusal_sentence(const Spec& spec, std::size_t reason);
std::string step_sentence(const Spec& spec, Family family, std::size_t action, std::size_t person, std::size_t step);
std::string alternative_sentence(const Spec& spec, std::size_t action, std::size_t person);

// Says a true fact out of turn: this, then the fact's sentence.
inline constexpr std::string_view aside_prefix = "By the way ";

}  // namespace rlaif::world
