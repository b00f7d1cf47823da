#include "scored_draws.hpp"

#include <algorithm>
#include <cmath>

#include "../planning.hpp"
#include "../rewards/rewards.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/evaluate/best_of_n.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/check_options.hpp"
#include "rlaif/study/prompt_room.hpp"
#include "rlaif/study/sampling_keys.hpp"

namespace rlaif::stages {
namespace {

// The reward is that of an arm that starts from sft and learns from the judge's labels.
ArmOptions as_arm(const std::string& name, const ScoredDrawsOptions& options) {
  ArmOptions arm;
  arm.name = name;
  arm.judge = options.judge;
  return arm;
}

const RewardEntry& reward_of(const ScoredDrawsOptions& options) { return reward_named("reward", options.reward); }

run::Needs needs_of(const Study& study, const ScoredDrawsOptions& options, const run::Assumed& assumed) {
  const Sizes sizes(study, assumed);
  const double length = sizes.prompt_length + options.max_new_tokens;
  run::Needs needs;
  add_part(needs, "policy: weights", sizes.weight_bytes(sizes.weights));
  if (reward_of(options).from_model) add_part(needs, "reward model: weights", sizes.weight_bytes(sizes.weights));
  add_part(needs, "cache", sizes.cache_bytes(options.slots, length));
  add_part(needs, "logits", sizes.logits_bytes(options.slots));
  const double responses = static_cast<double>(options.prompts) * options.responses;
  needs.generated_tokens = responses * options.max_new_tokens;
  needs.flops = 2.0 * sizes.weights * (needs.generated_tokens + responses * length);
  if (reward_of(options).asks_judge) {
    const RewardEntry& reward = reward_of(options);
    needs.asked.push_back({options.judge, comparisons_asked(reward, responses, options.responses), reward.asks_about});
    sizes.add_reward_judges(needs, options.judge, responses, length);
  }
  return needs;
}

}  // namespace

void bind_scored_draws(OptionTable& table, DataOptions& data, ScoredDrawsOptions& o) {
  const std::string section = data.section();
  table.add(section + ".policy", &data.policy, "",
            "policy whose responses are scored: sft or an arm before those that learn from them");
  table.add_choice<std::string>(
      section + ".reward", &o.reward, names_of(stages::rewards()),
      "what scores the responses: the reward model that learned from the judge's labels of "
      "the first pairs, the judge itself, the score that it gives each, or its file of rules");
  table.add(section + ".prompts", &o.prompts, "prompts", "prompts to draw responses for")
      .at_least(1)
      .at_most(most_items);
  table.add(section + ".responses", &o.responses, "responses", "responses drawn for each prompt")
      .at_least(2)
      .at_most(1e4);
  table.add(section + ".block", &o.block, "prompts", "size of a block of work").at_least(1).at_most(most_items);
  table.add(section + ".missing_end_penalty", &o.missing_end_penalty, "",
            "added to the score of a response without end token");
  table.add(section + ".temperature", &o.temperature, "", "temperature of sampling").above(0);
  study::bind_truncation(table, section, o.top_k, o.top_p);
  table.add(section + ".max_new_tokens", &o.max_new_tokens, "tokens", "longest response").at_least(1);
  table.add(section + ".slots", &o.slots, "sequences", "sequences decoded together").at_least(1);
}

void check_scored_draws(const Study& study, const std::string& section, const ScoredDrawsOptions& options) {
  const auto known = std::find_if(study.judges.labelling.begin(), study.judges.labelling.end(),
                                  [&](const JudgeOptions& judge) { return judge.name == options.judge; });
  if (known == study.judges.labelling.end()) {
    std::vector<std::string> names;
    for (const JudgeOptions& judge : study.judges.labelling) names.push_back(judge.name);
    throw usage_error(section + ".judge: " + unknown_name_message("judge", options.judge, names) +
                      "; one of study.judges was expected");
  }
  check_response_length(study.policy, section + ".max_new_tokens", options.max_new_tokens);
  check_reward(section + ".reward", reward_named(section + ".reward", options.reward), options.responses, study,
               as_arm(section, options));
}

void plan_scored_draws(StudyPlan& plan, const Study& study, const ScoredDrawsOptions& options) {
  if (reward_of(options).from_model) plan_reward_model(plan, study, as_arm("", options));
}

void add_scored_draws(const Study& study, const DataSet& data, const ScoredDrawsOptions& options, run::Stage& stage) {
  stage.reads.insert(stage.reads.end(), {tokenizer_file, "models/" + data.policy});
  add_reward_reads(study, as_arm(data.name, options), reward_of(options), stage);
  add_untouched_policy(study, stage.sections);
  stage.needs = [&study, options](const run::Assumed& assumed) { return needs_of(study, options, assumed); };
}

std::vector<std::size_t> ScoredPrompt::best_first() const {
  std::vector<double> sorted = scores;
  std::size_t scored = 0;
  for (double& score : sorted) {
    scored += !std::isnan(score);
    if (std::isnan(score)) score = -HUGE_VAL;
  }
  std::vector<std::size_t> places = evaluate::best_first(sorted);
  places.resize(scored);
  return places;
}

ScoredDraws::ScoredDraws(const Context& context, const Language& language, const DataSet& data,
                         const ScoredDrawsOptions& options)
    : context_(context),
      language_(language),
      data_(data),
      options_(options),
      policy_(load_run_model(context, data.policy, language)),
      engine_(policy_, {options.slots, 1024}) {
  require_a_prompt_that_fits(context, language, policy_, data.stage("data"), "data." + data.name + ".max_new_tokens",
                             options.max_new_tokens, options.prompts, [&](std::int64_t item) {
                               return context.task.draw(Task::Purpose::annotate, Split::train, data.seed, item);
                             });
  const ArmOptions arm = as_arm(data.name, options);
  const model::Transformer base = load_run_model(context, first_policy, language);
  if (reward_of(options).from_model) reward_model_ = load_run_reward(context, "reward-" + options.judge, base);
  reward_ =
      reward_of(options).make(context, arm, {language, policy_, reward_model_ ? &*reward_model_ : nullptr, false});
}

std::vector<ScoredPrompt> ScoredDraws::of(std::int64_t begin, std::int64_t end) {
  std::vector<ScoredPrompt> prompts;
  std::vector<generate::GenerationRequest> requests;
  for (std::int64_t item = begin; item < end; ++item) {
    ScoredPrompt one;
    one.prompt = context_.task.draw(Task::Purpose::annotate, Split::train, data_.seed, item);
    std::vector<TokenId> tokens = language_.chat.prompt(one.prompt);
    if (static_cast<std::int64_t>(tokens.size()) > longest_prompt(policy_, options_.max_new_tokens)) continue;
    requests.push_back({std::move(tokens), one.prompt.id, {}});
    for (int k = 0; k < options_.responses; ++k) requests.back().samples.push_back(static_cast<std::uint32_t>(k));
    prompts.push_back(std::move(one));
  }
  if (requests.empty()) return prompts;
  auto generated = engine_.generate(requests, {options_.temperature, options_.top_k, options_.top_p,
                                               options_.max_new_tokens, policy_.config().end_tokens.ids(), data_.seed});
  std::vector<train::Drawn> drawn;
  for (std::size_t r = 0; r < requests.size(); ++r) {
    for (generate::Generated& one : generated[r]) {
      drawn.push_back({prompts[r].prompt,
                       requests[r].prompt_tokens,
                       {one.sample, "", std::move(one.tokens), std::move(one.log_probs), one.ended, one.end_token},
                       {}});
    }
  }
  const std::vector<double> scores = reward_->score(drawn);
  std::size_t next = 0;
  for (ScoredPrompt& one : prompts) {
    for (int k = 0; k < options_.responses; ++k, ++next) {
      one.responses.push_back(with_text(language_, drawn[next]));
      one.scores.push_back(scores[next] + (one.responses.back().ended ? 0.0 : options_.missing_end_penalty));
    }
  }
  return prompts;
}

Json label_facts(const Context& context, const std::string& judge) {
  std::int64_t labels = 0;
  double cost_usd = 0.0;
  for (const Preference& record : preferences::read_store(context.directory.preferences(judge))) {
    labels += record.verdict.status == VerdictStatus::ok;
    cost_usd += record.verdict.usage.cost_usd;
  }
  return {{"labels", labels}, {"cost_usd", std::round(cost_usd * 1e6) / 1e6}};
}

}  // namespace rlaif::stages
