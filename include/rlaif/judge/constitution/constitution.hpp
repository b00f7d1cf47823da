// Constitutions: the principles that judges are given, with weights, levels and cases.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace rlaif::judge {

// A judged comparison as an example.
struct PrincipleCase {
  std::string prompt, first, second;
  bool first_is_better = true;
  std::string why;  // may be empty
};

struct Principle {
  std::string id;
  std::string text;     // the question a comparison is held against
  double weight = 1.0;  // share of the draws
  int level = 1;        // 1 to 3
  std::vector<PrincipleCase> cases;
  // What a writer is asked about its own response: what goes against the principle, and a response that keeps it. Both may be
  // empty where nobody revises.
  std::string critique_request = {}, revision_request = {};
};

// One drawn by the comparison, or all of them, numbered; each in a question of its own, where one response is scored.
enum class PrincipleUse { sample, all, each };

class Constitution {
 public:
  static constexpr int levels = 3;

  Constitution() = default;
  // Texts alone: weight and level 1, no cases.
  Constitution(const std::vector<std::string>& texts);
  Constitution(std::initializer_list<std::string> texts) : Constitution(std::vector<std::string>(texts)) {}

  const std::vector<Principle>& principles() const { return principles_; }
  bool empty() const { return principles_.empty(); }
  std::size_t size() const { return principles_.size(); }

  // What a comparison is judged by: one principle, drawn by weight and keyed by (seed, comparison), or all, also of `each`.
  std::vector<const Principle*> chosen(std::uint64_t comparison, PrincipleUse use, std::uint64_t seed) const;

 private:
  friend Constitution load_constitution(const std::filesystem::path&, int);
  std::vector<Principle> principles_;
};

// A file of principles, by its form:
//   JSON        {"name": text, "principles": [{"id": text, "text": text, "weight": number above 0, "level": 1 | 2 | 3, "cases":
//               [{"prompt", "first", "second": text, "verdict": "first" | "second", "why": text}], "critique_request": text,
//               "revision_request": text}]}; "name", "weight" (1), "level" (1), "cases", "why" and the requests may be left out
//   JSON Lines  (*.jsonl) one such principle a line
//   plain text  one principle a line, '#' begins a comment; ids are "line 3" and so on
// `level`: principles of that level alone; 0: all. Throws Error(input) naming file, principle and key: no principle (of
// the level), an id that comes twice, a weight that is not above 0, levels with a gap between them, an unknown key.
Constitution load_constitution(const std::filesystem::path& file, int level = 0);
// Throws Error(input) naming file, principle and key for one without a revision request, or, where critiques are asked for, without
// a critique request.
enum class Requests { revision, critique_and_revision };
void require_requests(const std::filesystem::path& file, const Constitution& constitution, Requests needed);

// The texts of principles, numbered where there are several; empty where there is none.
std::string principles_text(const std::vector<const Principle*>& principles);
// Their cases with the verdict as a label and the reason; "(none)" where there is no case.
std::string cases_text(const std::vector<const Principle*>& principles, const std::string& label_first,
                       const std::string& label_second);

}  // namespace rlaif::judge
