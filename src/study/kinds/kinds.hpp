// The kinds of judges, an entry a file, and keys that several of them have.
#pragma once

#include "rlaif/judge/constitution/constitution.hpp"
#include "rlaif/study/judge_kinds.hpp"

namespace rlaif::study {

JudgeKindEntry local_kind();
JudgeKindEntry annotators_kind();
JudgeKindEntry rules_kind();
JudgeKindEntry openai_kind();
JudgeKindEntry anthropic_kind();
JudgeKindEntry replay_kind();
JudgeKindEntry given_kind();
JudgeKindEntry reward_model_kind();
JudgeKindEntry ensemble_kind();
JudgeKindEntry cascade_kind();
JudgeKindEntry hierarchy_kind();

void bind_price(OptionTable& table, const std::string& section, JudgeOptions& judge);
void bind_orders(OptionTable& table, const std::string& section, JudgeOptions& judge);
void bind_principles(OptionTable& table, const std::string& section, JudgeOptions& judge);
// Where a conversation asks for a score.
void bind_scores(OptionTable& table, const std::string& section, JudgeOptions& judge);
// What of those keys does not fit the conversation in `file`; one that is not there yet is not looked at. Throws Error(usage) naming
// the key, Error(input) as text::Conversation::load.
void check_scores(const std::string& section, const JudgeOptions& judge, const std::filesystem::path& file);
void bind_members(OptionTable& table, const std::string& section, JudgeOptions& judge, const std::string& order);

judge::Constitution principles_of(const JudgeOptions& judge);

}  // namespace rlaif::study
