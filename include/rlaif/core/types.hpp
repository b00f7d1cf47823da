// The nouns of the program. Every module speaks these; see ARCHITECTURE.md for the walk of the data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rlaif {

using TokenId = std::int32_t;

// One turn of a conversation.
struct Message {
  std::string role;  // "system", "user", "assistant"
  std::string content;
  bool operator==(const Message&) const = default;
};

// What a completion answers: what a user says, or a conversation that the user speaks last in (core/dialogue.hpp).
struct Prompt {
  std::uint64_t id = 0;             // unique in its prompt set; keys every random draw made for it
  std::string text;                 // as judges and people read it: what the user says, or the transcript of the turns
  std::string family;               // category within the task ("fact", "harm", ...); empty where there is none
  std::vector<Message> turns = {};  // of a conversation; empty: `text` is the user's only turn
};

struct Completion {
  std::uint32_t sample = 0;  // which draw for its prompt this is; keys the draw
  std::string text;
  std::vector<TokenId> tokens;   // without the stop token
  std::vector<float> log_probs;  // one per token, plus one for the stop token where `ended`
  bool ended = false;            // a stop token was drawn before the length limit
  TokenId end_token = -1;        // which one, where this process drew it; -1: not ended, or read from a store or file
};

// Two completions of one prompt. Which policy wrote them is hidden from judges.
struct Comparison {
  std::uint64_t id = 0;  // unique in its preference set; keys annotators' noise
  Prompt prompt;
  Completion first;
  Completion second;
  std::optional<double> label = {};  // P(first is better) as the data that it comes from say; no store keeps it
};

// What a judge is asked about: which of two completions is better, or what each one is worth.
enum class AsksAbout { pairs, responses };

// Only `ok` carries a preference. All others are outcomes of their own and never a score.
enum class VerdictStatus : std::uint8_t {
  ok = 0,
  missing = 1,      // no answer came
  refused = 2,      // the judge declined
  truncated = 3,    // the answer was cut off, or the comparison does not fit the judge's context
  filtered = 4,     // a content filter took it
  unparseable = 5,  // an answer without a verdict
  not_a_number = 6  // a verdict that is not a finite probability
};
const char* to_string(VerdictStatus status);

struct Usage {
  std::int64_t input_tokens = 0;
  std::int64_t cached_input_tokens = 0;  // of input_tokens, those that a prefix cache answered
  std::int64_t output_tokens = 0;
  double cost_usd = 0.0;
  Usage& operator+=(const Usage& other);
};

// What a member of a combined judge said about a comparison.
struct MemberVerdict {
  std::string name;
  VerdictStatus status = VerdictStatus::missing;
  double p_first = 0.5;   // meaningful only where ok
  double cost_usd = 0.0;  // of this member, its own members included
};

struct Verdict {
  VerdictStatus status = VerdictStatus::missing;
  double p_first = 0.5;  // P(first is better), averaged over the orders asked; meaningful only where ok
  // P(first is better) with first shown first, and with second shown first. NaN where not asked.
  std::array<double, 2> p_first_by_order{};
  std::string rationale;
  Usage usage;
  std::vector<MemberVerdict> members = {};  // of a combined judge: those that were asked, in that order
};

// What the store keeps: a comparison, its verdict and who gave it.
struct Preference {
  Comparison comparison;
  Verdict verdict;
  std::string judge;
};

}  // namespace rlaif
