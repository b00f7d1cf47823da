#include "planning.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "rlaif/model/adapter_file.hpp"
#include "rlaif/stages/maker.hpp"
#include "rlaif/stages/resources.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/people_labels.hpp"
#include "rlaif/study/response_scorer.hpp"

namespace rlaif::stages {
namespace {

constexpr double kFloat = 4.0;
constexpr double kLogitsAtOnce = 1 << 24;  // train::chosen_log_probs works on about so many

// float32 values that the backward pass keeps of one token: what the fused operations save, layer by layer.
double saved_per_token(const model::ModelConfig& config, double layers, bool checkpointed) {
  const double d = static_cast<double>(config.hidden_size), f = static_cast<double>(config.intermediate_size);
  const double queries = static_cast<double>(config.num_heads * config.head_dim);
  const double qkv = queries + 2.0 * static_cast<double>(config.num_kv_heads * config.head_dim);
  const double layer = 4.0 * d + qkv + queries + static_cast<double>(config.up_rows()) + f;
  return checkpointed ? layers * d + layer : layers * layer;
}

// The folder's, or where it is not there yet, the policy's.
model::ModelConfig planned_reward_judge(const Study& study, const JudgeOptions& judge) {
  namespace fs = std::filesystem;
  const fs::path folder = reward_folder(study.run.directory, judge.reward_model);
  if (fs::exists(folder / "config.json")) return model::read_config(folder / "config.json");
  if (model::is_adapter_folder(folder)) return model::read_config(adapted_folder(folder) / "config.json");
  return planned_policy(study.policy);
}

}  // namespace

std::int64_t most_pairs(const Study& study) {
  const DataSet pairs = first_pairs(study);
  const RecordedSource* recorded = maker_of(pairs).recorded();
  return recorded ? recorded->count(Split::train) : study.annotate.pairs();
}

std::string count_text(std::int64_t value, const std::string& unit) { return std::to_string(value) + " " + unit; }

std::vector<std::string> sections_with(std::vector<std::string> more) {
  std::vector<std::string> sections{"run", "task", "model.folder"};
  for (std::string& section : more) sections.push_back(std::move(section));
  return sections;
}

void add_untouched_policy(const Study& study, std::vector<std::string>& sections) {
  if (study.policy.pretrained()) sections.push_back("model");
}

void add_judge(const Study& study, const JudgeOptions& judge, std::vector<std::string>& sections) {
  sections.push_back("judge." + judge.name);
  for (const std::string& member : judge.members) add_judge(study, study.judges.named(member), sections);
}

void add_judge_models(const Study& study, const JudgeOptions& judge, std::vector<std::string>& reads) {
  for (const JudgeOptions* asked : leaves_of(study.judges, judge)) {
    if (asked->kind == JudgeKind::reward_model) {
      // A folder's files are what the section's key names; what an adapter is over lies elsewhere.
      const RewardJudgeOptions& model = asked->reward_model;
      if (model.folder.empty())
        reads.push_back("models/" + model.model);
      else if (model::is_adapter_folder(model.folder))
        reads.push_back(std::filesystem::absolute(adapted_folder(model.folder)).string());
      continue;
    }
    if (asked->kind != JudgeKind::local || asked->model == "policy") continue;
    reads.push_back("models/" + asked->model);
    if (std::filesystem::is_directory(asked->model)) reads.push_back(std::filesystem::absolute(asked->model).string());
  }
}

void add_people_labels(const Study& study, std::vector<std::string>& reads) {
  if (!study.labels.people.name.empty()) reads.push_back("preferences/" + people_labels_store(study));
}

std::function<Json(const Here&)> in_study(const Study& study, std::function<Json(const Context&)> stage) {
  return [&study, stage = std::move(stage)](const Here& here) { return stage(study.context(here)); };
}

Sizes::Sizes(const Study& of_study, const run::Assumed& assumed)
    : study(of_study),
      policy(planned_policy(study.policy)),
      ranks(assumed.ranks),
      weights(static_cast<double>(policy.num_parameters())),
      prompt_length(assumed.prompt_tokens) {}

Sizes::Adapter Sizes::adapter(const LowRankOptions& of) const {
  Adapter size;
  if (of.rank == 0) return size;
  const auto targets = study.lora.adapter(of).targets;
  const double d = static_cast<double>(policy.hidden_size), f = static_cast<double>(policy.intermediate_size);
  const double queries = static_cast<double>(policy.num_heads * policy.head_dim);
  const double keys = static_cast<double>(policy.num_kv_heads * policy.head_dim);
  const double layers = static_cast<double>(std::max<std::int64_t>(0, policy.num_layers - study.lora.first_layer));
  for (const std::string& target : targets) {
    double in = d, out = f;
    if (target == "q_proj") out = queries;
    if (target == "k_proj" || target == "v_proj") out = keys;
    if (target == "o_proj") in = queries, out = d;
    if (target == "down_proj") in = f, out = d;
    size.parameters += layers * of.rank * (in + out);
    size.touched_weights += layers * in * out;
  }
  return size;
}

// A grain is worked on at once; a rank has one at a time.
double Sizes::trained_tokens(double items, double length) const {
  const double all = std::ceil(items / std::max(1, study.run.grains)) * length;
  const double limit = static_cast<double>(study.run.micro_batch_tokens);
  return limit > 0 ? std::min(all, std::max(limit, length)) : all;
}

double Sizes::trained_layers(const LowRankOptions& of) const {
  return static_cast<double>(std::max<std::int64_t>(0, policy.num_layers - (of.rank > 0 ? study.lora.first_layer : 0)));
}

double Sizes::cache_bytes(double slots, double length) const {
  return 2.0 * kFloat * slots * length * static_cast<double>(policy.num_layers * policy.num_kv_heads * policy.head_dim);
}

double Sizes::logits_bytes(double rows) const {
  return kFloat * std::min(rows * static_cast<double>(policy.vocab_size), 2.0 * kLogitsAtOnce);
}

double Sizes::weight_bytes(double parameters) const { return kFloat * parameters; }

void Sizes::add_reward_judges(run::Needs& needs, const std::string& judge, double responses, double length) const {
  for (const JudgeOptions* asked : leaves_of(study.judges, study.judges.named(judge))) {
    if (asked->kind != JudgeKind::reward_model) continue;
    const std::string whose = "judge " + asked->name;
    const model::ModelConfig config = planned_reward_judge(study, *asked);
    const double parameters = static_cast<double>(config.num_parameters());
    const double longest = static_cast<double>(config.max_positions);
    needs.flops += 2.0 * parameters * responses * std::min(length, longest);
    const auto is_counted = [&](const run::Needs::Part& part) { return part.name == whose + ": weights"; };
    if (std::any_of(needs.parts.begin(), needs.parts.end(), is_counted)) continue;  // several judges ask the one model
    add_part(needs, whose + ": weights", weight_bytes(parameters));
    add_part(needs, whose + ": activations", kFloat * longest * saved_per_token(config, 1.0, false));
  }
}

void Sizes::add_training(run::Needs& needs, const std::string& whose, double parameters, double tokens,
                         double layers) const {
  const double shards = study.run.shard_optimizer ? ranks : 1.0;
  add_part(needs, whose + ": gradients", kFloat * parameters);
  add_part(needs, whose + ": optimizer", 2.0 * kFloat * parameters / shards);
  add_part(needs, whose + ": activations",
           kFloat * tokens * saved_per_token(policy, layers, study.run.checkpoint_activations));
}

void add_part(run::Needs& needs, const std::string& name, double bytes) {
  if (bytes == 0.0) return;
  needs.parts.emplace_back();
  needs.parts.back().name = name;
  needs.parts.back().bytes = bytes;
}

}  // namespace rlaif::stages
