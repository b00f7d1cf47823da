#include "rlaif/train/online_dpo.hpp"

#include <algorithm>
#include <cmath>

#include "../policy_gradient/rollouts.hpp"
#include "../tensors.hpp"
#include "dpo_pass.hpp"
#include "pair_batches.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/throughput.hpp"

namespace rlaif::train {

namespace {

// After those of DPO. A pair is of a prompt.
enum OnlineColumn : std::size_t {
  kPairs = kDpoColumns,
  kSilent,
  kFailed,
  kGold,
  kEnded,
  kLength,
  kAsked,
  kCost,
  kOnlineColumns
};

TokenPair pair_of(const Drawn& first, const Drawn& second) {
  TokenPair pair;
  const auto sequence = [](const Drawn& drawn) {
    std::vector<TokenId> tokens = drawn.prompt_tokens;
    tokens.insert(tokens.end(), drawn.completion.tokens.begin(), drawn.completion.tokens.end());
    if (drawn.completion.ended) tokens.push_back(drawn.completion.end_token);
    return tokens;
  };
  pair.first = sequence(first);
  pair.second = sequence(second);
  pair.prompt_id = first.prompt.id;
  pair.prompt_length = static_cast<std::int64_t>(first.prompt_tokens.size());
  return pair;
}

// What Rollouts needs to know of the way in which pairs are drawn.
PolicyGradientOptions drawing(const OnlineDpoOptions& options) {
  PolicyGradientOptions as_drawn;
  as_drawn.steps = options.steps;
  as_drawn.rollout = options.rollout;
  as_drawn.advantage = AdvantageEstimator::leave_one_out;
  as_drawn.seed = options.seed;
  return as_drawn;
}

PolicyGradientCallbacks drawing(const OnlineDpoCallbacks& callbacks) {
  PolicyGradientCallbacks as_drawn;
  as_drawn.prompt = callbacks.prompt;
  as_drawn.monitor = callbacks.monitor;
  return as_drawn;
}

// The pairs of one grain, drawn from the policy and labelled.
class LabelledDraws {
 public:
  LabelledDraws(const model::Transformer& policy, const OnlineDpoCallbacks& callbacks, const OnlineDpoOptions& options,
                const StageRun& run)
      : callbacks_(callbacks),
        options_(options),
        run_(run),
        as_drawn_(drawing(options)),
        drawn_by_(drawing(callbacks)),
        rollouts_(policy, drawn_by_, as_drawn_, SharedBase{}, run) {}

  void take_weights() { rollouts_.take_weights(); }

  // Those with a label; what is to be said of all is added to the row.
  std::vector<TokenPair> of(std::int64_t step, int grain, std::vector<double>& row) {
    const torch::NoGradGuard no_gradients;
    const auto [begin, end] = grain_items(options_.rollout.prompts_per_step, grain, run_.grains);
    std::vector<std::int64_t> places;
    for (std::int64_t i = begin; i < end; ++i) places.push_back(step * options_.rollout.prompts_per_step + i);
    const std::vector<Drawn> drawn = rollouts_.draw(places);
    add_facts(drawn, row);
    std::vector<Drawn> different;
    for (std::size_t i = 0; i < drawn.size(); i += 2) {
      const bool is_silent = drawn[i].completion.tokens == drawn[i + 1].completion.tokens &&
                             drawn[i].completion.ended == drawn[i + 1].completion.ended;
      row[kSilent] += is_silent;
      if (!is_silent) different.insert(different.end(), {drawn[i], drawn[i + 1]});
    }
    const std::vector<double> labels = callbacks_.prefer(different);
    RLAIF_CHECK(2 * labels.size() == different.size(), "one label a pair");
    if (callbacks_.asked) {
      const Asked asked = callbacks_.asked();
      row[kAsked] += asked.labels;
      row[kCost] += asked.cost_usd;
    }
    std::vector<TokenPair> pairs;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (std::isnan(labels[i])) {
        row[kFailed] += 1.0;
        continue;
      }
      RLAIF_CHECK(labels[i] >= 0.0 && labels[i] <= 1.0, "a label in [0, 1]");
      pairs.push_back(pair_of(different[2 * i], different[2 * i + 1]));
      pairs.back().p_first = options_.loss.hard_labels ? hard_label(labels[i]) : labels[i];
    }
    return pairs;
  }

 private:
  void add_facts(const std::vector<Drawn>& drawn, std::vector<double>& row) const {
    row[kPairs] += static_cast<double>(drawn.size() / 2);
    for (const double gold : rollouts_.monitored(drawn)) row[kGold] += gold;
    for (const Drawn& one : drawn) {
      row[kEnded] += one.completion.ended;
      row[kLength] += static_cast<double>(one.completion.tokens.size()) + (one.completion.ended ? 1.0 : 0.0);
    }
  }

  const OnlineDpoCallbacks& callbacks_;
  const OnlineDpoOptions& options_;
  const StageRun& run_;
  PolicyGradientOptions as_drawn_;
  PolicyGradientCallbacks drawn_by_;
  Rollouts rollouts_;
};

Json metrics_line(std::int64_t step, const std::vector<double>& sums, const OnlineDpoCallbacks& callbacks,
                  const OnlineDpoOptions& options) {
  Json line{{"step", step + 1}};
  line.update(dpo_metrics(sums));
  const double responses = 2.0 * sums[kPairs];
  if (callbacks.monitor) line["gold"] = sums[kGold] / responses;
  const bool has_kl = uses_reference(options.loss.loss) && sums[kDpoWeight] > 0.0;
  line["kl"] = has_kl ? Json(sums[kDpoLogRatio] / (2.0 * sums[kDpoWeight])) : Json();
  line["ended"] = sums[kEnded] / responses;
  line["length"] = sums[kLength] / responses;
  line["silent"] = sums[kSilent] / sums[kPairs];
  const double asked = sums[kPairs] - sums[kSilent];
  line["failed"] = asked > 0.0 ? sums[kFailed] / asked : 0.0;
  if (callbacks.asked) {
    line["labels"] = sums[kAsked];
    line["cost_usd"] = sums[kCost];
  }
  return line;
}

}  // namespace

void check_online_dpo_options(const OnlineDpoOptions& options, const std::string& where, const std::string& section) {
  check_dpo_loss_options(options.loss, where, section);
  const auto require = [&](bool holds, const std::string& expected) {
    if (!holds) throw usage_error(where + ": " + expected + " was expected");
  };
  require(options.steps >= 1, section + ".steps of at least 1");
  require(options.rollout.prompts_per_step >= 1, section + ".prompts_per_step of at least 1");
  require(options.rollout.responses == 2, "two responses a prompt");
  require(options.rollout.max_new_tokens >= 1, section + ".max_new_tokens of at least 1");
  require(options.rollout.temperature > 0.0,
          section + ".temperature above 0 (a greedy policy's two responses are equal)");
}

void train_online_dpo(model::Transformer& policy, const model::Transformer& reference,
                      const OnlineDpoCallbacks& callbacks, const OnlineDpoOptions& options, const StageRun& run) {
  check_online_dpo_options(options, run.name, "online_dpo");
  if (policy.config().end_tokens.empty())
    throw usage_error(run.name + ": a policy whose config names an end token was expected");
  const std::vector<model::NamedTensor> trained = policy.trainable_parameters();
  FlatParameters parameters({{"policy", trained}});
  AdamW optimizer(parameters, options.adam, run.state_shards());
  DataParallel data_parallel(run, parameters);
  LabelledDraws draws(policy, callbacks, options, run);
  const Checkpoint start = resume(run, trained, optimizer);

  bool was_empty = false;  // said once for steps in a row

  LoopCallbacks loop;
  loop.step = [&](std::int64_t step) {
    draws.take_weights();
    const auto sums = data_parallel.accumulate(kOnlineColumns, [&](int grain) {
      std::vector<double> row(kOnlineColumns, 0.0);
      const std::vector<TokenPair> pairs = draws.of(step, grain, row);
      std::vector<AnswerLogProbs> of_reference;
      if (uses_reference(options.loss.loss) && !pairs.empty())
        of_reference = pair_log_probs(reference, pairs, 0, run.name);
      std::vector<std::size_t> all(pairs.size());
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
      const auto groups = micro_batches(pairs, all, run.micro_batch_tokens);
      for (const auto& group : groups) {
        if (group.empty()) continue;
        dpo_backward(policy, of_reference, pairs, group, options.loss, row,
                     &group == &groups.back() ? &data_parallel : nullptr);
      }
      return row;
    });
    Json line = metrics_line(step, sums, callbacks, options);
    const double rate = scheduled_rate(options.schedule, step, options.steps);
    double norm = 0.0;
    const bool is_empty = sums[kDpoWeight] == 0.0;
    if (!is_empty) norm = optimizer.step(rate, 1.0 / sums[kDpoWeight]);
    if (is_empty && !was_empty && run.comm->is_root()) {
      const bool all_silent = sums[kSilent] == sums[kPairs];
      log::warning(run.name + ": in step " + std::to_string(step + 1) +
                   (all_silent ? " the two responses to every prompt are equal" : " no pair has a label") +
                   ": the policy stays as it is");
    }
    was_empty = is_empty;
    line["learning_rate"] = rate;
    line["gradient_norm"] = norm;
    return line;
  };
  loop.save = [&] {
    Checkpoint checkpoint;
    checkpoint.tensors = trained;
    append_prefixed(checkpoint.tensors, "", optimizer.state());
    return checkpoint;
  };
  loop.progress_text = [](const Json& line) {
    std::string text = dpo_progress(line);
    if (line.contains("gold")) text += ", " + progress_number("gold", line["gold"].get<double>());
    return text;
  };
  run_loop(run, options.steps, start, loop);
}

}  // namespace rlaif::train
