// The columns of a shard and of a `full` JSON line, each named once. Private to this module.
#pragma once

#include <array>
#include <limits>
#include <string>

#include "rlaif/core/types.hpp"

namespace rlaif::preferences {

inline constexpr const char* kFormat = "rlaif-preferences";
inline constexpr unsigned kVersion = 1, kVersionWithTurns = 2;
inline constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

struct Column {
  const char* name;
  const char* description;
};

// Calls visit(Column, member) for each column in the order of a JSON line. `member` maps a (const) Preference to
// a reference to its field; the field's type says how it is stored:
//   std::string flat bytes and offsets, bool and VerdictStatus uint8, array<double, 2> two columns of float64.
template <class Visitor>
void visit_columns(Visitor&& visit) {
  visit(Column{"id", "id of the comparison, unique in its preference set"},
        [](auto& record) -> auto& { return record.comparison.id; });
  visit(Column{"prompt_id", "id of the prompt, unique in its prompt set"},
        [](auto& record) -> auto& { return record.comparison.prompt.id; });
  visit(Column{"prompt", "text of the prompt"}, [](auto& record) -> auto& { return record.comparison.prompt.text; });
  visit(Column{"family", "category of the prompt; empty where there is none"},
        [](auto& record) -> auto& { return record.comparison.prompt.family; });
  visit(Column{"first", "text of the first completion"},
        [](auto& record) -> auto& { return record.comparison.first.text; });
  visit(Column{"first_sample", "which draw for its prompt the first completion is"},
        [](auto& record) -> auto& { return record.comparison.first.sample; });
  visit(Column{"first_ended", "1 where the first completion drew a stop token, 0 where it ran into the length limit"},
        [](auto& record) -> auto& { return record.comparison.first.ended; });
  visit(Column{"second", "text of the second completion"},
        [](auto& record) -> auto& { return record.comparison.second.text; });
  visit(Column{"second_sample", "which draw for its prompt the second completion is"},
        [](auto& record) -> auto& { return record.comparison.second.sample; });
  visit(Column{"second_ended", "1 where the second completion drew a stop token, 0 where it ran into the length limit"},
        [](auto& record) -> auto& { return record.comparison.second.ended; });
  visit(Column{"status", "outcome of the judgement; only code 0 (ok) carries a preference"},
        [](auto& record) -> auto& { return record.verdict.status; });
  visit(Column{"p_first",
               "probability that the first completion is better, averaged over the orders asked; "
               "meaningful only where status is 0 (ok)"},
        [](auto& record) -> auto& { return record.verdict.p_first; });
  visit(Column{"p_first_by_order",
               "probability that the first completion is better, with the first shown first and "
               "with the second shown first; NaN where that order was not asked"},
        [](auto& record) -> auto& { return record.verdict.p_first_by_order; });
  visit(Column{"rationale", "what the judge wrote besides its verdict; empty where nothing"},
        [](auto& record) -> auto& { return record.verdict.rationale; });
  visit(Column{"input_tokens", "tokens that the judge read"},
        [](auto& record) -> auto& { return record.verdict.usage.input_tokens; });
  visit(Column{"cached_input_tokens", "of input_tokens, those that a prefix cache answered"},
        [](auto& record) -> auto& { return record.verdict.usage.cached_input_tokens; });
  visit(Column{"output_tokens", "tokens that the judge wrote"},
        [](auto& record) -> auto& { return record.verdict.usage.output_tokens; });
  visit(Column{"cost_usd", "price of the judgement in US dollars"},
        [](auto& record) -> auto& { return record.verdict.usage.cost_usd; });
}

// The same of what the members of combined judges said: all members of all records one after the other. `member` maps a
// (const) MemberVerdict.
template <class Visitor>
void visit_member_columns(Visitor&& visit) {
  visit(Column{"members/name", "name of the member"}, [](auto& said) -> auto& { return said.name; });
  visit(Column{"members/status", "outcome of the member's judgement; only code 0 (ok) carries a preference"},
        [](auto& said) -> auto& { return said.status; });
  visit(
      Column{
          "members/p_first",
          "probability that the first completion is better, by the member; meaningful only where its status is 0 (ok)"},
      [](auto& said) -> auto& { return said.p_first; });
  visit(Column{"members/cost_usd", "price of the member's judgement in US dollars"},
        [](auto& said) -> auto& { return said.cost_usd; });
}
inline constexpr Column kMemberOffsets{"members/offsets",
                                       "where the members of record i begin among all; one more at the end"};

// The same of the turns of prompts that are conversations: all turns of all records one after the other. `member` maps a
// (const) Message.
template <class Visitor>
void visit_turn_columns(Visitor&& visit) {
  visit(Column{"turns/role", "who speaks: system, user or assistant"}, [](auto& turn) -> auto& { return turn.role; });
  visit(Column{"turns/content", "what is said"}, [](auto& turn) -> auto& { return turn.content; });
}
inline constexpr Column kTurnOffsets{"turns/offsets",
                                     "where the turns of record i begin among all; one more at the end"};

// Every status in the order of its code.
inline constexpr std::array kStatuses = {
    VerdictStatus::ok,       VerdictStatus::missing,     VerdictStatus::refused,     VerdictStatus::truncated,
    VerdictStatus::filtered, VerdictStatus::unparseable, VerdictStatus::not_a_number};

// What is wrong with a record, starting with its column: "p_first: expected ..., got ...". Empty: nothing.
std::string record_problem(const Preference& record);

}  // namespace rlaif::preferences
