// The words that lint of constitutions knows.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rlaif::judge {

// Advice for a word of praise or blame (vague), or for a quality that nobody can point at (abstract); empty where the
// word is none.
std::string_view vague_advice(const std::string& word);
std::string_view abstract_advice(const std::string& word);
std::string_view general_advice();

bool is_observable(const std::string& word);  // something that can be seen in a text, done in it, or counted
bool is_negator(const std::string& word);
bool is_blamed(const std::string& word);    // harmful, toxic, ...: "least harmful" says what is not to be
bool is_frame(const std::string& word);     // choose, response, ...: says nothing of the criterion
bool is_absolute(const std::string& word);  // always, never, every, ...

// Two directions of one choice, as stems.
struct Axis {
  std::set<std::string> one, other;
  bool absolute_only = false;  // opposite only where both speak of every case
};
const std::vector<Axis>& axes();

}  // namespace rlaif::judge
