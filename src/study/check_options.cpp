#include "rlaif/study/check_options.hpp"

#include "rlaif/core/error.hpp"

namespace rlaif::study {
namespace {

std::string number(std::int64_t value) { return std::to_string(value); }

void expect(bool holds, const std::string& key, const std::string& message) {
  if (!holds) throw usage_error(key + ": " + message);
}

}  // namespace

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

void check_response_length(const PolicyOptions& policy, const std::string& key, int max_new_tokens) {
  if (!policy.network.folder.empty()) return;
  expect(max_new_tokens < policy.network.max_positions, key,
         "less than model.max_positions (" + number(policy.network.max_positions) + ") was expected, found " +
             number(max_new_tokens) + ": no prompt fits before such a response");
}

void check_study(const Study& study) {
  check_network("model", study.policy.network);
  if (study.reward.start == RewardStart::network) check_network("reward_network", study.reward.network);
  check_response_length(study.policy, "annotate.max_new_tokens", study.annotate.max_new_tokens);
}

}  // namespace rlaif::study
