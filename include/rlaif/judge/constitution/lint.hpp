// What is wrong with the wording of a constitution, and what to write instead.
#pragma once

#include <string>
#include <vector>

#include "rlaif/judge/constitution/constitution.hpp"

namespace rlaif::judge {

enum class LintKind {
  vague,  // praise or blame ("good", "appropriate") in a sentence that names fewer than two things that can be seen
  unmeasurable,   // otherwise a principle that names fewer than two things that can be seen in a response, or counted
  negative,       // says only what is not to be
  duplicate,      // near to an earlier one: the content words' stems overlap
  contradictory,  // wants the opposite of an earlier one on the same topic
  // Notes: worth a look, problems under strict reading alone.
  without_case,     // no case shows how it is applied
  without_request,  // no critique or revision request, where other principles of the file have one
  overlong,         // more than 50 words
  one_sided_cases,  // of four or more cases of the whole file, one place always wins
};
const char* to_string(LintKind kind);
bool is_note(LintKind kind);

struct LintFinding {
  std::string principle;  // its id; empty: the file as a whole
  LintKind kind = LintKind::vague;
  std::vector<std::string> words;  // that gave rise to it, as they are written, folded
  std::string other;               // id of the earlier principle; of duplicate and contradictory
  std::string instead;             // what to write instead
};

// Findings in the order of principles. Words are English; a principle in another language is unmeasurable to it.
std::vector<LintFinding> lint(const Constitution& constitution);

// "honest-1: vague: "good": write instead: ..."
std::string to_line(const LintFinding& finding);

}  // namespace rlaif::judge
