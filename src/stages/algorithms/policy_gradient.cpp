#include "policy_gradient.hpp"

#include <cmath>

#include "../rewards/rewards.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/ids.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/study/sampling_keys.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::stages {

void bind_steps(OptionTable& table, const std::string& section, train::PolicyGradientOptions& options,
                const std::string& responses) {
  table.add(section + ".steps", &options.steps, "steps", "steps of rolling out and updating")
      .at_least(1)
      .at_most(most_items);
  table.add(section + ".prompts_per_step", &options.rollout.prompts_per_step, "prompts", responses)
      .at_least(1)
      .at_most(most_items);
  table.add(section + ".epochs", &options.epochs, "epochs", "passes over a step's responses")
      .at_least(1)
      .at_most(most_epochs);
  table.add(section + ".minibatch", &options.minibatch, "responses", "responses of an update, over all ranks")
      .at_least(1)
      .at_most(most_items);
}

void bind_sampling(OptionTable& table, const std::string& section, train::RolloutOptions& options) {
  table.add(section + ".temperature", &options.temperature, "", "temperature of rollout and update alike").above(0);
  study::bind_truncation(table, section, options.top_k, options.top_p);
  table.add(section + ".max_new_tokens", &options.max_new_tokens, "tokens", "longest response").at_least(1);
  table.add(section + ".slots", &options.slots, "sequences", "sequences decoded together").at_least(1);
}

train::PolicyGradientCallbacks policy_gradient_callbacks(const Context& context, const Language& language,
                                                         const std::string& stage, const std::string& section,
                                                         const train::PolicyGradientOptions& options,
                                                         std::int64_t max_positions, Reward& scorer) {
  train::PolicyGradientCallbacks callbacks;
  callbacks.prompt = [&context, &language, &stage, section, &options, max_positions](std::int64_t i) {
    const int longest_response = options.rollout.max_new_tokens;
    // A prompt that does not fit the context gives way to the next draw for its place.
    for (std::int64_t attempt = 0; attempt < 100; ++attempt) {
      Prompt prompt = context.task.draw(Task::Purpose::ppo, Split::train, options.seed, redrawn_item(i, attempt));
      prompt.id = prompt_id(static_cast<std::uint64_t>(Task::Purpose::ppo), 0, static_cast<std::uint64_t>(i));
      std::vector<TokenId> tokens = language.chat.prompt(prompt);
      if (static_cast<std::int64_t>(tokens.size()) <= max_positions - longest_response)
        return std::make_pair(std::move(prompt), std::move(tokens));
    }
    throw input_error(stage + ": 100 prompts drawn one after the other are too long: the model's context of " +
                      std::to_string(max_positions) + " tokens less " + section +
                      ".max_new_tokens = " + std::to_string(longest_response) + " leaves too few for them");
  };
  callbacks.reward = [&scorer](std::span<const train::Drawn> drawn) { return scorer.score(drawn); };
  if (scorer.asks_judge()) callbacks.asked = [&scorer] { return scorer.asked(); };
  callbacks.monitor = [&context, &language](std::span<const train::Drawn> drawn) {
    std::vector<double> scores;
    for (const train::Drawn& one : drawn) {
      const auto grade = context.task.grade(one.prompt, with_text(language, one));
      scores.push_back(grade ? grade->score : 0.0);
    }
    return scores;
  };
  return callbacks;
}

void add_policy_parts(run::Needs& needs, const Sizes& sizes, const LowRankOptions& adapter, double rollout_tokens) {
  add_part(needs, "base, also reference: weights", sizes.weight_bytes(sizes.weights));
  if (adapter.rank == 0) return add_part(needs, "policy: weights", sizes.weight_bytes(sizes.weights));
  const Sizes::Adapter added = sizes.adapter(adapter);
  add_part(needs, "policy: adapter", sizes.weight_bytes(added.parameters));
  add_part(needs, "policy: merged weights", sizes.weight_bytes(added.touched_weights));
  if (sizes.study.lora.first_layer > 0)
    add_part(needs, "shared lower layers' states",
             sizes.weight_bytes(rollout_tokens * static_cast<double>(sizes.policy.hidden_size)));
}

void add_reward_model_part(run::Needs& needs, const Sizes& sizes) {
  const Sizes::Adapter adapter = sizes.adapter(sizes.study.reward.adapter);
  const bool whole = adapter.parameters == 0.0;
  add_part(needs, whole ? "reward model: weights" : "reward model: adapter",
           sizes.weight_bytes(whole ? sizes.weights : adapter.parameters));
}

Json policy_gradient_facts(const Context& context, const std::string& stage, std::int64_t steps, const Reward& scorer) {
  Json facts;
  facts["steps"] = steps;
  if (const Json reward_facts = scorer.facts(); !reward_facts.empty()) facts["reward"] = reward_facts;
  if (!scorer.asks_judge()) return facts;
  // By the metrics, which count earlier starts too.
  context.comm.on_root([&] {
    double labels = 0.0, cost_usd = 0.0;
    text::for_each_json_line(context.stage_run(stage).metrics_file, [&](const text::JsonRecord& line) {
      labels += line.number("labels");
      cost_usd += line.number("cost_usd");
    });
    facts["labels"] = labels;
    facts["cost_usd"] = std::round(cost_usd * 1e6) / 1e6;
  });
  return facts;
}

run::Stage stage_on_rollouts(const Study& study, const ArmOptions& arm, const std::string& algorithm,
                             const RewardEntry& reward) {
  const std::string name = algorithm + "-" + arm.name;
  run::Stage stage;
  stage.name = name;
  stage.kind = algorithm;
  stage.of = arm.name;
  stage.command = algorithm;
  stage.sections = sections_with({algorithm, "lora", arm.section()});
  stage.reads = {tokenizer_file, "models/sft", "models/" + arm.start};
  stage.makes = {"models/" + arm.name, "metrics/" + name + ".jsonl"};
  add_untouched_policy(study, stage.sections);
  add_reward_reads(study, arm, reward, stage);
  return stage;
}

}  // namespace rlaif::stages
