// Kinds of judges: what a section [judge.NAME] may say, and the judge that comes of it. A new one is a file under
// src/study/kinds/, a value of JudgeKind and a line in kinds/registry.cpp.
//   kind_of(judge).bind(table, "judge.ai", judge);                  // the keys of its kind, and no other
//   kind_of(judge).make(judge, parts);                              // where no other judges are asked
//   make_combined(judge, calibration, [&](const std::string& name) { return made.at(name); });
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rlaif/core/option_table.hpp"
#include "rlaif/judge/kinds/combine.hpp"
#include "rlaif/study/context.hpp"

namespace rlaif::judge {
class ResponseScorer;
}

namespace rlaif::study {

class StageSpending;
// What recorded verdicts call a comparison; empty: its id as digits.
using PairId = std::function<std::string(const Comparison&)>;

// What judges are made of beside their options.
struct JudgeParts {
  const Context& context;
  const Language* language = nullptr;                       // where a model in this process is asked
  const model::Transformer* network = nullptr;              // likewise
  std::shared_ptr<judge::ResponseScorer> scorer = nullptr;  // where a reward model is asked
  const StageSpending& spending;
  PairId pair_id;
};

struct JudgeKindEntry {
  JudgeKind kind;
  const char* name;   // judge.NAME.kind
  const char* about;  // for --help
  bool is_remote = false;
  // Registers its keys in a section.
  void (*bind)(OptionTable& table, const std::string& section, JudgeOptions& judge);
  // What the deck says that cannot be. Throws Error(usage) naming the key. Absent: nothing more than ranges.
  void (*check)(const std::string& section, const JudgeOptions& judge) = nullptr;
  // One of the two: a judge of its own, or one of the judges that the deck names as members.
  std::unique_ptr<judge::Judge> (*make)(const JudgeOptions& judge, const JudgeParts& parts) = nullptr;
  std::unique_ptr<judge::Judge> (*combine)(const JudgeOptions& judge, std::vector<judge::Member> members,
                                           const judge::FittedJudges& calibration) = nullptr;
};
const std::vector<JudgeKindEntry>& judge_kinds();
const JudgeKindEntry& kind_of(const JudgeOptions& judge);
// Throws Error(usage) naming `key` and the nearest name.
const JudgeKindEntry& judge_kind_named(const std::string& key, const std::string& name);

// The keys of [judge.NAME]: `kind`, and those of the judge's kind.
void bind_judge(OptionTable& table, JudgeOptions& judge);

// A judge of judges, with what calibration found about its members. `member` gives a judge by its name.
using MemberMaker = std::function<std::shared_ptr<judge::Judge>(const std::string& name)>;
std::unique_ptr<judge::Judge> make_combined(const JudgeOptions& judge, const judge::FittedJudges& calibration,
                                            const MemberMaker& member);

}  // namespace rlaif::study
