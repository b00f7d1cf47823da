#include "rlaif/pipeline/plan.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "rlaif/core/error.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/pipeline/bill.hpp"
#include "rlaif/pipeline/judge_tree.hpp"
#include "rlaif/pipeline/judges.hpp"
#include "rlaif/pipeline/pair_sets.hpp"

namespace rlaif::pipeline {
namespace {

constexpr double kFloat = 4.0;
constexpr double kLogitsAtOnce = 1 << 24;  // train::chosen_log_probs works on about so many

// Weights that a low-rank adapter adds, and the share of the layers' weights that it touches.
struct AdapterSize {
  double parameters = 0.0;
  double touched_weights = 0.0;
};

AdapterSize adapter_size(const StudyOptions& options, const LowRankOptions& of, const model::ModelConfig& config) {
  AdapterSize size;
  if (of.rank == 0) return size;
  const auto targets = options.adapter(of).targets;
  const double d = static_cast<double>(config.hidden_size), f = static_cast<double>(config.intermediate_size);
  const double queries = static_cast<double>(config.num_heads * config.head_dim);
  const double keys = static_cast<double>(config.num_kv_heads * config.head_dim);
  const double layers = static_cast<double>(std::max<std::int64_t>(0, config.num_layers - options.lora.first_layer));
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

// float32 values that the backward pass keeps of one token: what the fused operations save, layer by layer.
double saved_per_token(const model::ModelConfig& config, double layers, bool checkpointed) {
  const double d = static_cast<double>(config.hidden_size), f = static_cast<double>(config.intermediate_size);
  const double queries = static_cast<double>(config.num_heads * config.head_dim);
  const double qkv = queries + 2.0 * static_cast<double>(config.num_kv_heads * config.head_dim);
  const double layer = 4.0 * d + qkv + queries + static_cast<double>(config.up_rows()) + f;
  return checkpointed ? layers * d + layer : layers * layer;
}

void add(PlannedStage& stage, std::string_view name, double bytes) {
  stage.parts.emplace_back();
  stage.parts.back().name = name;
  stage.parts.back().bytes = bytes;
}

struct Planner {
  const StudyOptions& options;
  const model::ModelConfig& policy;
  int ranks;
  double weights = static_cast<double>(policy.num_parameters());
  double shards = options.run.shard_optimizer ? ranks : 1.0;

  // A grain is worked on at once; a rank has one at a time.
  double grain_items(double items) const { return std::ceil(items / std::max(1, options.run.grains)); }
  double trained_tokens(double items, double length) const {
    const double all = grain_items(items) * length;
    const double limit = static_cast<double>(options.run.micro_batch_tokens);
    return limit > 0 ? std::min(all, std::max(limit, length)) : all;
  }
  double cache_bytes(double slots, double length) const {
    return 2.0 * kFloat * slots * length *
           static_cast<double>(policy.num_layers * policy.num_kv_heads * policy.head_dim);
  }
  double logits_bytes(double rows) const {
    return kFloat * std::min(rows * static_cast<double>(policy.vocab_size), 2.0 * kLogitsAtOnce);
  }
  double prompt_length() const { return static_cast<double>(options.plan.prompt_tokens); }

  // Values, gradients and two moments of what is trained, and what the backward pass keeps.
  void add_training(PlannedStage& stage, const std::string& whose, double parameters, double tokens,
                    double layers) const {
    const auto of = [&](std::string_view what, double bytes) {
      add(stage, whose, bytes);
      stage.parts.back().name += what;
    };
    of(": gradients", kFloat * parameters);
    of(": optimizer", 2.0 * kFloat * parameters / shards);
    of(": activations", kFloat * tokens * saved_per_token(policy, layers, options.run.checkpoint_activations));
  }
  double trained_layers(const LowRankOptions& of) const {
    return static_cast<double>(policy.num_layers - (of.rank > 0 ? options.lora.first_layer : 0));
  }

  PlannedStage sft() const {
    PlannedStage stage{"sft", {}, 0, 0};
    add(stage, "policy: weights", kFloat * weights);
    if (options.pretrained_policy()) return stage;
    const double length = prompt_length() + options.annotate.max_new_tokens;
    const double tokens = trained_tokens(static_cast<double>(options.sft.training.batch), length);
    add_training(stage, "policy", weights, tokens, static_cast<double>(policy.num_layers));
    add(stage, "logits", logits_bytes(tokens));
    const double examples = static_cast<double>(options.sft.drawn()) * options.sft.epochs;
    stage.flops = 6.0 * weights * examples * length;
    return stage;
  }
  PlannedStage annotate() const {
    const auto& a = options.annotate;
    const double length = prompt_length() + a.max_new_tokens;
    PlannedStage stage{"annotate", {}, 0, 0};
    add(stage, "policy: weights", kFloat * weights);
    add(stage, "cache", cache_bytes(a.slots, length));
    add(stage, "logits", logits_bytes(a.slots));
    const double prompts = static_cast<double>(a.prompts + a.heldout_prompts);
    stage.generated_tokens = prompts * a.completions * a.max_new_tokens;
    stage.flops = 2.0 * weights * (stage.generated_tokens + prompts * prompt_length());
    return stage;
  }
  PlannedStage reward() const {
    const bool low_rank = options.reward_adapter.rank > 0;
    const AdapterSize adapter = adapter_size(options, options.reward_adapter, policy);
    const double length = prompt_length() + options.annotate.max_new_tokens;
    const double tokens = trained_tokens(2.0 * static_cast<double>(options.reward.batch), length);
    PlannedStage stage{"reward", {}, 0, 0};
    add(stage, "base: weights", kFloat * weights);
    if (!low_rank) add(stage, "reward model: weights", kFloat * weights);
    if (low_rank) add(stage, "reward model: adapter", kFloat * adapter.parameters);
    add_training(stage, "reward model", low_rank ? adapter.parameters : weights, tokens,
                 trained_layers(options.reward_adapter));
    const double pairs = static_cast<double>(options.annotate.prompts) * options.annotate.completions *
                         (options.annotate.completions - 1) / 2;
    const double share = trained_layers(options.reward_adapter) / static_cast<double>(policy.num_layers);
    stage.flops = (2.0 + (low_rank ? 2.0 * share : 4.0)) * weights * 2.0 * pairs * length * options.reward.epochs;
    return stage;
  }
  PlannedStage ppo() const {
    const auto& p = options.ppo;
    const bool low_rank = options.policy_adapter.rank > 0;
    const AdapterSize actor = adapter_size(options, options.policy_adapter, policy);
    const AdapterSize critic = adapter_size(options, options.value_adapter, policy);
    const AdapterSize judge = adapter_size(options, options.reward_adapter, policy);
    const double length = prompt_length() + p.max_new_tokens;
    const double rollout_tokens = std::ceil(static_cast<double>(p.prompts_per_step) / ranks) * length;
    const double tokens = trained_tokens(static_cast<double>(p.minibatch), length);
    PlannedStage stage;
    stage.name = "ppo";
    add(stage, "base, also reference: weights", kFloat * weights);
    if (low_rank) {
      add(stage, "policy: adapter", kFloat * actor.parameters);
      add(stage, "policy: merged weights", kFloat * actor.touched_weights);
      if (options.lora.first_layer > 0)
        add(stage, "shared lower layers' states", kFloat * rollout_tokens * static_cast<double>(policy.hidden_size));
    } else {
      add(stage, "policy: weights", kFloat * weights);
      add(stage, "value model: weights", kFloat * weights);
    }
    if (judge.parameters == 0.0) add(stage, "reward model: weights", kFloat * weights);
    add_training(stage, "policy", low_rank ? actor.parameters : weights, tokens,
                 trained_layers(options.policy_adapter));
    if (!low_rank) add_training(stage, "value model", weights, 0.0, 0.0);
    if (critic.parameters > 0.0) add_training(stage, "value model", critic.parameters, 0.0, 0.0);
    add(stage, "cache", cache_bytes(p.slots, length));
    add(stage, "logits", logits_bytes(std::max<double>(p.slots, tokens)));
    const double responses = static_cast<double>(p.steps) * static_cast<double>(p.prompts_per_step);
    stage.generated_tokens = responses * p.max_new_tokens;
    const double share = trained_layers(options.policy_adapter) / static_cast<double>(policy.num_layers);
    const double passes =
        low_rank ? (1.0 - share) + share * (3.0 + 2.0 * p.epochs * (critic.parameters > 0.0 ? 2.0 : 1.0))
                 : 3.0 + 3.0 * p.epochs * 2.0;  // forward passes: reference, value, reward; then the updates
    stage.flops = 2.0 * weights * (stage.generated_tokens + responses * length * passes);
    return stage;
  }
  PlannedStage evaluate() const {
    const auto& e = options.evaluate;
    const double length = prompt_length() + e.max_new_tokens;
    PlannedStage stage{"evaluate", {}, 0, 0};
    add(stage, "base: weights", kFloat * weights);
    add(stage, "cache", cache_bytes(e.slots, length));
    add(stage, "logits", logits_bytes(e.slots));
    const AdapterSize actor = adapter_size(options, options.policy_adapter, policy);
    add(stage, "policy: weights", kFloat * (options.policy_adapter.rank > 0 ? actor.touched_weights : weights));
    const double policies = static_cast<double>(options.arms.size()) + 2.0;
    const double responses = policies * static_cast<double>(e.prompts) * e.samples;
    stage.generated_tokens = responses * e.max_new_tokens;
    stage.flops = 2.0 * weights * (stage.generated_tokens + responses * length * (e.specificity ? 2.0 : 1.0));
    return stage;
  }
};

std::string bytes_text(double bytes) {
  char text[48];
  if (bytes < 1048576.0 * 1024.0)
    std::snprintf(text, sizeof text, "%.1f MiB", bytes / 1048576.0);
  else
    std::snprintf(text, sizeof text, "%.2f GiB", bytes / 1073741824.0);
  return text;
}

}  // namespace

double PlannedStage::bytes() const {
  double sum = 0.0;
  for (const PlannedPart& part : parts) sum += part.bytes;
  return sum;
}

model::ModelConfig planned_policy(const StudyOptions& options) {
  const auto file = options.model.folder / "config.json";
  if (!options.model.folder.empty() && std::filesystem::exists(file)) return model::read_config(file);
  model::ModelConfig config;
  config.vocab_size = options.tokenizer.vocab_size;
  config.hidden_size = options.model.hidden_size;
  config.num_layers = options.model.num_layers;
  config.num_heads = options.model.num_heads;
  config.num_kv_heads = options.model.num_kv_heads;
  config.head_dim = options.model.num_heads > 0 ? options.model.hidden_size / options.model.num_heads : 0;
  config.intermediate_size = options.model.intermediate_size;
  config.max_positions = options.model.max_positions;
  config.tied_embeddings = options.model.tied_embeddings;
  return config;
}

std::vector<PlannedStage> plan_memory(const StudyOptions& options, const model::ModelConfig& policy, int ranks) {
  const Planner planner{options, policy, ranks};
  std::vector<PlannedStage> stages{planner.sft(), planner.annotate()};
  if (!options.arms.empty()) {
    for (PlannedStage stage : {planner.reward(), planner.ppo(), planner.evaluate()}) stages.push_back(std::move(stage));
  }
  for (PlannedStage& stage : stages)
    std::erase_if(stage.parts, [](const PlannedPart& part) { return part.bytes == 0.0; });
  return stages;
}

std::string describe_resources(const StudyOptions& options, int ranks) {
  const model::ModelConfig policy = planned_policy(options);
  const PlanOptions& plan = options.plan;
  if (plan.ranks > 0) ranks = plan.ranks;
  char line[256];
  std::snprintf(line, sizeof line, "# policy: %s parameters; float32; %d rank(s); prompts of %lld tokens assumed\n",
                format_count(static_cast<double>(policy.num_parameters())).c_str(), ranks,
                static_cast<long long>(plan.prompt_tokens));
  std::string text = line;
  text += "# memory a rank, predicted\n";
  double hours = 0.0;
  const double arms = static_cast<double>(options.arms.size());
  const std::vector<PairSet> sets = pair_sets(options);
  for (const PlannedStage& stage : plan_memory(options, policy, ranks)) {
    const double limit = plan.memory_gib * 1073741824.0;
    const char* fit = limit <= 0.0 ? "" : stage.bytes() <= limit ? ", fits" : ", DOES NOT FIT";
    std::snprintf(line, sizeof line, "#   %-34s %12s%s\n", stage.name.c_str(), bytes_text(stage.bytes()).c_str(), fit);
    text += line;
    for (const PlannedPart& part : stage.parts) {
      std::snprintf(line, sizeof line, "#     %-32s %12s\n", part.name.c_str(), bytes_text(part.bytes).c_str());
      text += line;
    }
    const double times = stage.name == "reward" || stage.name == "ppo" ? arms
                         : stage.name == "annotate"                    ? static_cast<double>(sets.size())
                                                                       : 1.0;
    double seconds = 0.0;
    if (plan.gflops > 0.0)
      seconds += (stage.flops - 2.0 * static_cast<double>(policy.num_parameters()) * stage.generated_tokens) /
                 (plan.gflops * 1e9 * ranks);
    if (plan.decode_tokens_per_second > 0.0)
      seconds += stage.generated_tokens / (plan.decode_tokens_per_second * ranks);
    if (plan.gflops > 0.0) {
      std::snprintf(line, sizeof line, "#     %-32s %12s\n", "time", format_duration(seconds * times).c_str());
      text += line;
    }
    hours += seconds * times / 3600.0;
  }
  const double pairs = static_cast<double>(options.annotate.prompts + options.annotate.heldout_prompts) *
                       options.annotate.completions * (options.annotate.completions - 1) / 2;
  for (const PairSet& set : sets) {
    for (const JudgeOptions& judge : set.judges) {
      for (const JudgeOptions* asked : asked_judges(options, options.judge_named(judge.name))) {
        if (is_asked(asked->kind)) continue;
        std::string name = judge.name;
        if (asked->name != judge.name) name += ", member " + asked->name;
        if (!set.arm.empty()) name += ", " + set.arm;
        std::snprintf(line, sizeof line, "# judge %s: up to %.0f labels, $%.2f at the price %s\n", name.c_str(), pairs,
                      pairs * judge_price(options, *asked).label_usd({}), asked->price.c_str());
        text += line;
      }
    }
  }
  text += describe_bill(options);
  if (plan.gflops > 0.0) {
    std::snprintf(
        line, sizeof line,
        "# time %.2f h at %.0f GFLOP/s and %.0f generated tokens/s a rank; machines $%.2f at $%.2f a rank and hour\n",
        hours, plan.gflops, plan.decode_tokens_per_second, hours * ranks * plan.usd_per_rank_hour,
        plan.usd_per_rank_hour);
    text += line;
  }
  return text;
}

double machine_memory_bytes() {
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
}

void require_memory(const StudyOptions& options, int ranks, std::optional<double> available_bytes) {
  const double stated = options.plan.memory_gib * 1073741824.0;
  if (stated <= 0.0 && !available_bytes) return;
  const double limit = stated > 0.0 ? stated : *available_bytes;
  for (const PlannedStage& stage : plan_memory(options, planned_policy(options), ranks)) {
    if (stage.bytes() <= limit) continue;
    const auto largest = std::max_element(stage.parts.begin(), stage.parts.end(),
                                          [](const PlannedPart& a, const PlannedPart& b) { return a.bytes < b.bytes; });
    throw usage_error("stage " + stage.name + " needs about " + bytes_text(stage.bytes()) + " a rank, of which " +
                      largest->name + " " + bytes_text(largest->bytes) + "; " + bytes_text(limit) + " are there (" +
                      (stated > 0.0 ? "plan.memory_gib" : "of this machine's memory") +
                      "): fewer sequences at a time, more run.grains, run.micro_batch_tokens, adapters or fewer ranks "
                      "a node would help");
  }
}

}  // namespace rlaif::pipeline
