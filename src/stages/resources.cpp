#include "rlaif/stages/resources.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "rlaif/core/error.hpp"
#include "rlaif/core/option_table.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/stages/maker.hpp"
#include "rlaif/study/bill.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/judges.hpp"

namespace rlaif::stages {
namespace {

std::string bytes_text(double bytes) {
  if (bytes < 1048576.0 * 1024.0) return fmt::format("{:.1f} MiB", bytes / 1048576.0);
  return fmt::format("{:.2f} GiB", bytes / 1073741824.0);
}

// Of one stage on all ranks, where the deck says how fast a rank is. `weights`: of the policy, whose decoding has a
// rate of its own.
double seconds(const PlanOptions& plan, const run::Needs& needs, double weights, int ranks) {
  double sum = 0.0;
  if (plan.gflops > 0.0) sum += (needs.flops - 2.0 * weights * needs.generated_tokens) / (plan.gflops * 1e9 * ranks);
  if (plan.decode_tokens_per_second > 0.0) sum += needs.generated_tokens / (plan.decode_tokens_per_second * ranks);
  return sum;
}

}  // namespace

model::ModelConfig planned_policy(const PolicyOptions& policy) {
  const ModelOptions& network = policy.network;
  const auto file = network.folder / "config.json";
  if (!network.folder.empty() && std::filesystem::exists(file)) return model::read_config(file);
  model::ModelConfig config;
  config.vocab_size = policy.tokenizer.vocab_size;
  config.hidden_size = network.hidden_size;
  config.num_layers = network.num_layers;
  config.num_heads = network.num_heads;
  config.num_kv_heads = network.num_kv_heads;
  config.head_dim = network.num_heads > 0 ? network.hidden_size / network.num_heads : 0;
  config.intermediate_size = network.intermediate_size;
  config.max_positions = network.max_positions;
  config.tied_embeddings = network.tied_embeddings;
  return config;
}

std::string describe_resources(const Study& study, const PlanOptions& plan, const std::vector<Stage>& stages,
                               int ranks) {
  const double weights = static_cast<double>(planned_policy(study.policy).num_parameters());
  if (plan.ranks > 0) ranks = plan.ranks;
  std::string text = fmt::format("# policy: {} parameters; float32; {} rank(s); prompts of {} tokens assumed\n",
                                 format_count(weights), ranks, plan.prompt_tokens);
  text += "# memory a rank, predicted\n";
  double hours = 0.0;
  std::map<std::string, double> seconds_of;  // all stages of a kind, whose parts are alike
  std::vector<run::Needs> needs_of(stages.size());
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (!stages[i].needs) continue;
    needs_of[i] = stages[i].needs({ranks, static_cast<double>(plan.prompt_tokens)});
    seconds_of[stages[i].kind] += seconds(plan, needs_of[i], weights, ranks);
  }
  std::set<std::string> shown;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const Stage& stage = stages[i];
    const run::Needs& needs = needs_of[i];
    if (!stage.needs || !shown.insert(stage.kind).second) continue;
    const double limit = plan.memory_gib * 1073741824.0;
    const char* fit = limit <= 0.0 ? "" : needs.bytes() <= limit ? ", fits" : ", DOES NOT FIT";
    text += fmt::format("#   {:<34} {:>12}{}\n", stage.kind, bytes_text(needs.bytes()), fit);
    const auto add = [&](const std::string& what, const std::string& amount) {
      text += fmt::format("#     {:<32} {:>12}\n", what, amount);
    };
    for (const run::Needs::Part& part : needs.parts) add(part.name, bytes_text(part.bytes));
    if (plan.gflops > 0.0) add("time", format_duration(seconds_of[stage.kind]));
    hours += seconds_of[stage.kind] / 3600.0;
  }
  std::vector<AskedJudges> asked;
  AskedWriters written;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    asked.push_back(needs_of[i].asked);
    written.insert(written.end(), needs_of[i].written.begin(), needs_of[i].written.end());
    for (const auto& [by, count, about] : asked.back()) {
      for (const JudgeOptions* one : leaves_of(study.judges, study.judges.named(by))) {
        if (kind_of(*one).is_remote) continue;
        std::string name = by;
        if (one->name != by) name += ", member " + one->name;
        if (!stages[i].of.empty()) name += ", " + stages[i].of;
        if (stages[i].kind == "compare") name += ", comparing policies";
        text += fmt::format("# judge {}: up to {:.0f} labels{}, ${:.2f} at the price {}\n", name, count,
                            about == AsksAbout::responses ? " of single responses" : "",
                            count * judge_price(study.judges, *one).label_usd({}), one->price);
      }
    }
  }
  text += describe_bill(study, {plan.prompt_tokens, plan.answer_tokens}, asked, recorded_pairs(study), written);
  if (plan.gflops > 0.0) {
    text += fmt::format(
        "# time {:.2f} h at {:.0f} GFLOP/s and {:.0f} generated tokens/s a rank; machines ${:.2f} at "
        "${:.2f} a rank and hour\n",
        hours, plan.gflops, plan.decode_tokens_per_second, hours * ranks * plan.usd_per_rank_hour,
        plan.usd_per_rank_hour);
  }
  return text;
}

double machine_memory_bytes() {
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
}

void require_memory(const PlanOptions& plan, const std::vector<Stage>& stages, int ranks,
                    std::optional<double> available_bytes) {
  const double stated = plan.memory_gib * 1073741824.0;
  if (stated <= 0.0 && !available_bytes) return;
  const double limit = stated > 0.0 ? stated : *available_bytes;
  for (const Stage& stage : stages) {
    if (!stage.needs) continue;
    const run::Needs needs = stage.needs({ranks, static_cast<double>(plan.prompt_tokens)});
    if (needs.bytes() <= limit) continue;
    const auto largest =
        std::max_element(needs.parts.begin(), needs.parts.end(),
                         [](const run::Needs::Part& a, const run::Needs::Part& b) { return a.bytes < b.bytes; });
    throw usage_error("stage " + stage.kind + " needs about " + bytes_text(needs.bytes()) + " a rank, of which " +
                      largest->name + " " + bytes_text(largest->bytes) + "; " + bytes_text(limit) + " are there (" +
                      (stated > 0.0 ? "plan.memory_gib" : "of this machine's memory") +
                      "): fewer sequences at a time, more run.grains, run.micro_batch_tokens, adapters or fewer ranks "
                      "a node would help");
  }
}

void bind_plan(OptionTable& table, PlanOptions& o) {
  table.add("plan.ranks", &o.ranks, "ranks", "ranks that --dry-run plans for; 0: those it is started with")
      .at_least(0)
      .no_result();
  table
      .add("plan.memory_gib", &o.memory_gib, "GiB",
           "memory a rank has; a study that needs more is refused. 0: what this machine has, on CPUs")
      .at_least(0)
      .no_result();
  table.add("plan.gflops", &o.gflops, "GFLOP/s", "speed that a rank sustains, for the times of --dry-run; 0: no times")
      .at_least(0)
      .no_result();
  table.add("plan.decode_tokens_per_second", &o.decode_tokens_per_second, "tokens/s", "speed at which a rank generates")
      .at_least(0)
      .no_result();
  table.add("plan.usd_per_rank_hour", &o.usd_per_rank_hour, "USD", "price of a rank's machine").at_least(0).no_result();
  table.add("plan.prompt_tokens", &o.prompt_tokens, "tokens", "length of a prompt, with its template")
      .at_least(1)
      .no_result();
  table.add("plan.answer_tokens", &o.answer_tokens, "tokens", "length of an asked judge's answer")
      .at_least(1)
      .no_result();
}

}  // namespace rlaif::stages
