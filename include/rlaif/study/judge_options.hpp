// Who judges in a study: sections [judge.NAME], and what all judges share.
//   study.judges.named("ai").orders;   // of study.judges or study.members
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/judge/judge.hpp"
#include "rlaif/judge/kinds/combine.hpp"
#include "rlaif/judge/kinds/local.hpp"
#include "rlaif/judge/kinds/remote.hpp"
#include "rlaif/run/layers.hpp"
#include "rlaif/text/chat_style.hpp"

namespace rlaif::study {

enum class JudgeKind {
  local,
  annotators,
  rules,
  openai,
  anthropic,
  replay,
  given,
  reward_model,
  ensemble,
  cascade,
  hierarchy
};
inline bool is_combined(JudgeKind kind) { return kind >= JudgeKind::ensemble; }
// Labels by people, simulated or recorded: what judges are held against.
inline bool is_people(JudgeKind kind) { return kind == JudgeKind::annotators || kind == JudgeKind::given; }

// A reward model as judge: a folder, or a model of the run.
struct RewardJudgeOptions {
  std::filesystem::path folder;
  std::string model;                            // models/<model> of the run
  std::optional<text::ChatFormat> chat_format;  // none: the template in the folder
  double temperature = 0.0;                     // 0: the calibration's, 1 where none is named
};

// A section [judge.NAME]. Each kind binds those of the fields that it has use for (study/judge_kinds.hpp).
struct JudgeOptions {
  std::string name;
  JudgeKind kind = JudgeKind::local;
  std::string model = "judge";  // local: models/<model> of the run; "policy": the one whose responses are judged
  std::vector<std::string> members = {};  // of a combined judge: names of judges, in order
  judge::EnsembleOptions ensemble = {};
  std::vector<double> thresholds = {};  // cascade; empty: those of the calibration
  judge::HierarchyGates gates = {};     // hierarchy
  // What calibration found out about this judge and its members (judge/fitted.hpp).
  std::filesystem::path calibration = {};
  bool length_correction = false;              // by this judge's length_slope there
  std::filesystem::path prompt_template = {};  // local: the conversation
  std::filesystem::path style = {};            // remote: the conversation
  std::filesystem::path principles = {};       // local, remote
  judge::PrincipleUse principle_use = judge::PrincipleUse::sample;
  int level = 0;  // of the principles; 0: all levels
  judge::Orders orders = judge::Orders::both;
  std::filesystem::path rules = {};      // rules
  std::filesystem::path tokenizer = {};  // remote: a tokenizer.json of the judge's model; empty: bytes are counted
  std::filesystem::path verdicts = {};   // replay: recorded verdicts
  std::string recorded_judge = {}, recorded_style = {};  // replay: which of them
  std::string price = "ai-label";
  judge::RemoteOptions remote = {};
  judge::LocalJudgeOptions local = {};
  judge::ScoreOptions scores = {};  // local, remote: where the conversation asks for a score
  judge::AnnotatorOptions annotators = {};
  RewardJudgeOptions reward_model = {};
};

// Pairs whose verdict is known, mixed into what language models are asked.
struct CanaryOptions {
  std::filesystem::path file;
  double rate = 0.0;
};

// Prices, and what labels may cost.
struct CostOptions {
  std::filesystem::path prices, assumptions;
  double cap_usd = 0;
};

struct Judges {
  std::vector<JudgeOptions> labelling;  // study.judges: each labels all pairs
  std::vector<JudgeOptions> members;    // study.members: they label no pairs of their own
  CanaryOptions canaries;
  CostOptions costs;

  const JudgeOptions& named(const std::string& name) const;  // of either; throws Error(usage)
};

}  // namespace rlaif::study
