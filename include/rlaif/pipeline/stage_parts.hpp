// What decides a stage, and what it makes: so that runs that agree on the first can share the second.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "rlaif/pipeline/options.hpp"
#include "rlaif/pipeline/pair_sets.hpp"

namespace rlaif::pipeline {

// Paths are relative to the run directory. A stage is a function of `keys` and of the bytes under `reads`; it makes what
// stands under `makes`, and the same bytes every time. Where `keys` is empty it is not shared.
struct StageParts {
  std::vector<std::string> keys;   // of the deck: sections ("ppo", "judge.ai") and single keys ("study.judges")
  std::vector<std::string> reads;  // files and folders that earlier stages made, or folders by their whole path
  std::vector<std::string> makes;
};

StageParts tokenizer_parts();
StageParts sft_parts(const StudyOptions& options);
StageParts reward_network_parts(const StudyOptions& options);
StageParts judge_model_parts(const JudgeModel& model);
StageParts pairs_parts(const StudyOptions& options, const PairSet& pairs);
StageParts reward_parts(const StudyOptions& options, const ArmOptions& arm);
StageParts ppo_parts(const StudyOptions& options, const ArmOptions& arm);

// Everything that decides the stage, as text: name and form, versions, device and instruction sets, the keys' texts, checksums of the input files they
// name and of what is under `reads`.
std::string stage_identity(const std::string& stage, const StageParts& parts, const ResolvedDeck& deck,
                           const std::string& device, const std::string& instruction_sets,
                           const std::filesystem::path& root);

// Regular files under a file or folder of `root`, sorted, as paths relative to root; temporary files aside.
std::vector<std::string> files_under(const std::filesystem::path& root, const std::string& path);

}  // namespace rlaif::pipeline
