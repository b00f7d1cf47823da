#include "rlaif/study/check_options.hpp"

#include "rlaif/core/error.hpp"

namespace rlaif::study {
namespace {

std::string number(std::int64_t value) { return std::to_string(value); }

void expect(bool holds, const std::string& key, const std::string& message) {
  if (!holds) throw usage_error(key + ": " + message);
}

// Of random weights; a folder brings its own sizes, which its reader checks.
void check_network(const std::string& section, const ModelOptions& o) {
  if (!o.folder.empty()) return;
  const std::int64_t head = o.hidden_size / o.num_heads;
  expect(head > 0 && head % 2 == 0, section + ".num_heads",
         "such a number was expected that " + section + ".hidden_size / num_heads is even, found " +
             number(o.hidden_size) + " / " + number(o.num_heads));
  expect(o.num_heads % o.num_kv_heads == 0, section + ".num_kv_heads",
         "a divisor of " + section + ".num_heads (" + number(o.num_heads) + ") was expected, found " +
             number(o.num_kv_heads));
}

}  // namespace

void check_response_length(const StudyOptions& options, const std::string& key, int max_new_tokens) {
  if (!options.model.folder.empty()) return;
  expect(max_new_tokens < options.model.max_positions, key,
         "less than model.max_positions (" + number(options.model.max_positions) + ") was expected, found " +
             number(max_new_tokens) + ": no prompt fits before such a response");
}

void check_options(const StudyOptions& options) {
  check_network("model", options.model);
  if (options.reward.start == RewardStart::network) check_network("reward_network", options.reward.network);
  for (const JudgeModel& model : options.judge_models) {
    const std::string suffix = model.name == "judge" ? "" : "." + model.name;
    check_network("judge_network" + suffix, model.network);
    expect(model.training.verdict_weight + model.training.context_weight > 0.0,
           "judge_model" + suffix + ".verdict_weight", "a weight above 0 was expected, or one of context_weight");
  }
  check_response_length(options, "annotate.max_new_tokens", options.annotate.max_new_tokens);
  if (!options.arms.empty()) {
    check_response_length(options, "evaluate.max_new_tokens", options.evaluate.max_new_tokens);
  }
  expect(options.calibrate.folds != 1, "calibrate.folds", "0 or at least 2 was expected, found 1");
}

}  // namespace rlaif::study
