#include "rlaif/pipeline/stage_parts.hpp"

#include <algorithm>

#include "rlaif/core/files.hpp"
#include "rlaif/core/version.hpp"
#include "rlaif/pipeline/context.hpp"
#include "rlaif/pipeline/judge_tree.hpp"
#include "rlaif/pipeline/stages.hpp"

namespace rlaif::pipeline {
namespace {

namespace fs = std::filesystem;

// Raised when a stage changes what it makes of the same keys.
constexpr int form = 1;

const std::string tokenizer_file = "models/tokenizer.json";

// Those of every stage. The policy's sizes are seen in what is read of it.
StageParts begun(std::vector<std::string> more) {
  StageParts parts{{"run", "task", "model.folder"}, {}, {}};
  for (std::string& key : more) parts.keys.push_back(std::move(key));
  return parts;
}

std::string suffix_of(const JudgeModel& model) { return model.name == "judge" ? "" : "." + model.name; }

// The sections of a judge and of all that it asks.
void add_judge(const StudyOptions& options, const JudgeOptions& judge, StageParts& parts) {
  parts.keys.push_back("judge." + judge.name);
  for (const std::string& member : member_names(judge)) add_judge(options, options.judge_named(member), parts);
}

bool is_of(const std::string& key, const std::vector<std::string>& keys) {
  const std::string whole = key.substr(0, key.find('/'));  // "model.folder/config.json" is a file of a folder
  const std::string section = whole.substr(0, whole.rfind('.'));
  return std::any_of(keys.begin(), keys.end(), [&](const std::string& one) { return one == whole || one == section; });
}

}  // namespace

StageParts tokenizer_parts() {
  StageParts parts = begun({"tokenizer"});
  parts.makes = {tokenizer_file};
  return parts;
}

StageParts sft_parts(const StudyOptions& options) {
  StageParts parts = begun({"sft", "model"});
  if (options.pretrained_policy()) return parts;
  if (options.sft.judge_examples > 0) parts.keys.push_back("judge_model" + suffix_of(options.judge_models.front()));
  parts.reads = {tokenizer_file};
  parts.makes = {"models/sft", "metrics/sft.jsonl"};
  return parts;
}

StageParts reward_network_parts(const StudyOptions& options) {
  StageParts parts = begun({"sft", "reward_network"});
  if (options.sft.judge_examples > 0) parts.keys.push_back("judge_model" + suffix_of(options.judge_models.front()));
  parts.reads = {tokenizer_file};
  parts.makes = {"models/sft-reward", "metrics/sft-reward.jsonl"};
  return parts;
}

StageParts judge_model_parts(const JudgeModel& model) {
  StageParts parts = begun({"judge_network" + suffix_of(model), "judge_model" + suffix_of(model)});
  parts.reads = {tokenizer_file};
  parts.makes = {"models/" + model.name, "metrics/" + model.stage() + ".jsonl"};
  return parts;
}

StageParts pairs_parts(const StudyOptions& options, const PairSet& pairs) {
  StageParts parts = begun({"annotate", "judge", "cost.prices"});
  if (options.pretrained_policy()) parts.keys.push_back("model");
  parts.reads = {tokenizer_file, "models/" + pairs.policy};
  for (const JudgeOptions& judge : pairs.judges) {
    add_judge(options, judge, parts);
    for (const JudgeOptions* asked : asked_judges(options, judge)) {
      if (asked->kind != JudgeKind::local || asked->model == "policy") continue;
      parts.reads.push_back("models/" + asked->model);
      if (fs::is_directory(asked->model)) parts.reads.push_back(fs::absolute(asked->model).string());
    }
    for (const std::string& store : {pairs.store(judge.name), heldout_store(pairs.store(judge.name))}) {
      parts.makes.push_back("preferences/" + store);
      parts.makes.push_back("canaries/" + store);
    }
  }
  return parts;
}

StageParts reward_parts(const StudyOptions& options, const ArmOptions& arm) {
  const std::string name = "reward-" + labels_of(arm);
  StageParts parts = begun({"reward", "lora"});
  if (options.pretrained_policy()) parts.keys.push_back("model");
  parts.reads = {tokenizer_file, "models/" + arm.start, "preferences/" + labels_of(arm)};
  if (options.reward_start == RewardStart::network) parts.reads.push_back("models/sft-reward");
  if (!options.people.name.empty()) parts.reads.push_back("preferences/spotcheck-" + options.people.name);
  parts.makes = {"models/" + name, "metrics/" + name + ".jsonl"};
  return parts;
}

StageParts ppo_parts(const StudyOptions& options, const ArmOptions& arm) {
  StageParts parts = begun({"ppo", "lora", arm.section()});
  if (options.pretrained_policy()) parts.keys.push_back("model");
  add_judge(options, options.judge_named(arm.judge), parts);
  parts.reads = {tokenizer_file, "models/sft", "models/" + arm.start, "models/reward-" + labels_of(arm),
                 "preferences/" + labels_of(arm)};
  parts.makes = {"models/" + arm.name, "metrics/ppo-" + arm.name + ".jsonl"};
  return parts;
}

std::string stage_identity(const std::string& stage, const StageParts& parts, const ResolvedDeck& deck,
                           const std::string& device, const std::string& instruction_sets, const fs::path& root) {
  std::string text = "stage " + stage + ", form " + std::to_string(form) + "\n";
  text += std::string("rlaif ") + version() + ", libtorch " + libtorch_version() + ", " + device + ", " +
          instruction_sets + "\n";
  for (const auto& entry : deck.entries) {
    if (entry.results && is_of(entry.key, parts.keys)) text += entry.key + " = " + entry.text + "\n";
  }
  for (const auto& [key, sum] : deck.inputs) {
    if (is_of(key, parts.keys)) text += "checksum of " + key + " = " + sum + "\n";
  }
  for (const std::string& path : parts.reads) {
    for (const std::string& file : files_under(root, path))
      text += "checksum of " + file + " = " + file_checksum(root / file) + "\n";
  }
  return text;
}

std::vector<std::string> files_under(const fs::path& root, const std::string& path) {
  std::vector<std::string> files;
  const fs::path top = root / path;
  if (fs::is_regular_file(top)) files.push_back(path);
  if (!fs::is_directory(top)) return files;
  for (const auto& item : fs::recursive_directory_iterator(top)) {
    const std::string name = item.path().filename().string();
    if (item.is_regular_file() && !name.ends_with(".tmp"))
      files.push_back((fs::path(path) / item.path().lexically_relative(top)).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace rlaif::pipeline
