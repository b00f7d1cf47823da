// What a judge said, read from its text or from its log-probabilities. A verdict is read only where it stands as one:
// the first "A" of a text is no verdict.
//
// A label is the verdict text of an option ("A"), in any case where the two do not differ by case alone (m and M: as they
// stand), bare or dressed: (A) [A] {A} "A" **A**, "Output (a)", "Response A", "Option: a", with or without "is better". "tie",
// "equal" and, in double brackets, "C" are ties. A text says a verdict by
//   whole     nothing but a label
//   line      its first or its last line is nothing but a label
//   cue       a line "Verdict: LABEL" (also verdict, answer, choice, decision, preference, winner, after "final", "my", "the" or
//             "overall", with : = or "is"; marks of emphasis and headings around it do not count)
//   json      a JSON object, alone or in a code fence or at the end, whose key "verdict" is a label
//   brackets  [[LABEL]]
//   sentence  a sentence of its own "Output (a) is better", also after "Therefore," and the like, and "the better output
//             is Output (a)"; a label in single brackets or quotation marks or after a noun
// Lines that begin with '>' are quoted and say nothing. Every verdict that a text says must be the same.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rlaif/core/types.hpp"
#include "rlaif/remote/protocol.hpp"

namespace rlaif::judge {

// The verdict texts of an option shown first and of one shown second: two different ones of letters and digits.
struct VerdictLabels {
  std::string first = "A";
  std::string second = "B";
};

// Case tells them apart, and so it counts wherever labels are read.
bool differ_by_case_alone(const VerdictLabels& labels);

enum class Choice { shown_first, shown_second, tie };

struct TextReading {
  VerdictStatus status = VerdictStatus::unparseable;  // or ok
  Choice choice = Choice::tie;                        // meaningful only where ok
  std::size_t at = 0;                                 // byte of the text where the last label said begins
  const char* why = "";                               // where unparseable: empty, no verdict, contradiction
};
TextReading read_verdict(std::string_view text, const VerdictLabels& labels);

using remote::TokenLogProb, remote::TokenPosition;

struct TokenReading {
  VerdictStatus status = VerdictStatus::unparseable;  // or ok, or not_a_number
  double p_first = 0.5;     // P(label of the one shown first), of the two labels' mass; meaningful only where ok
  double label_mass = 0.0;  // probability of both labels together
};
// All tokens that mean a label are summed: any case that does not tell them apart, with or without space, brackets or quotation marks, and proper
// beginnings of one label alone. A log-probability of -9999 and below means outside the list. Below `least_mass`
// the token is not a verdict: unparseable.
TokenReading read_token_verdict(const TokenPosition& position, const VerdictLabels& labels, double least_mass);

// The tokens that make the answer: those from where `answer` begins in the joined tokens, thoughts before it left out.
std::span<const TokenPosition> tokens_of_answer(std::span<const TokenPosition> tokens, std::string_view answer);

// The position of the verdict: the first token that is more than white space where the answer is a label alone
// (`letter`), or, where nothing else came, the first in whose place a label was listed; else the one with the label that
// read_verdict finds in the joined tokens.
TokenReading read_tokens(std::span<const TokenPosition> tokens, const VerdictLabels& labels, bool letter,
                         double least_mass);

}  // namespace rlaif::judge
