#include "learning.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/study/people_labels.hpp"

namespace rlaif::stages {
namespace {

// A person's label takes the place of the judge's, also where the judge has none. Returns whether there is one.
bool relabel(const Context& context, const std::map<std::uint64_t, Preference>& people, Preference& record) {
  const auto found = people.find(record.comparison.id);
  if (found == people.end()) return false;
  if (!same_texts(found->second.comparison, record.comparison)) {
    throw input_error(context.directory.preferences(people_labels_store(context.study)),
                      "pair " + std::to_string(record.comparison.id) +
                          " has other texts than in the judge's store: labels of another run");
  }
  record.verdict = found->second.verdict;
  return true;
}

}  // namespace

LabelledPairs read_labelled_pairs(const Context& context, const Language& language, const ArmOptions& arm,
                                  const std::string& stage, std::int64_t max_positions) {
  LabelledPairs labelled;
  std::vector<train::TokenPair>& pairs = labelled.pairs;
  std::int64_t unusable = 0, too_long = 0, used = 0;
  const std::int64_t most =
      context.study.labels.first > 0 ? context.study.labels.first : std::numeric_limits<std::int64_t>::max();
  const PeopleOptions& by = context.study.labels.people;
  const bool asks_people = !by.name.empty() && arm.start == first_policy;  // spot checks are of the first pairs
  context.comm.agree([&] {
    std::map<std::uint64_t, Preference> people;
    if (asks_people) people = read_people_labels(context.study, context.directory);
    const auto folder = context.directory.preferences(labels_of(arm));
    for (Preference& record : preferences::read_store(folder)) {
      const bool is_persons = relabel(context, people, record);
      if (record.verdict.status != VerdictStatus::ok) {
        ++unusable;
        continue;
      }
      if (used++ == most) break;
      const Comparison& comparison = record.comparison;
      const std::vector<TokenId> prompt = language.chat.prompt(comparison.prompt);
      train::TokenPair pair{reward_tokens(language, prompt, comparison.first),
                            reward_tokens(language, prompt, comparison.second),
                            record.verdict.p_first,
                            comparison.prompt.id,
                            is_persons ? by.weight : 1.0,
                            static_cast<std::int64_t>(prompt.size())};
      if (static_cast<std::int64_t>(std::max(pair.first.size(), pair.second.size())) > max_positions) {
        ++too_long;
        continue;
      }
      pairs.push_back(std::move(pair));
      labelled.by_people += is_persons;
    }
    if (asks_people && labelled.by_people == 0) {
      throw input_error(context.directory.preferences(people_labels_store(context.study)),
                        "holds no label of a pair of " + folder.string() + " that can be used");
    }
    if (pairs.empty())
      throw input_error(folder, "holds no preference with a usable verdict; at least one was expected");
  });
  if (unusable) log::info(stage + ": " + std::to_string(unusable) + " records without a usable verdict were left out");
  if (too_long) log::info(stage + ": " + std::to_string(too_long) + " records longer than the context were left out");
  return labelled;
}

std::shared_ptr<model::Adapter> new_adapter(const Context& context, const model::Transformer& base,
                                            const LowRankOptions& options, AdapterKey key) {
  return std::make_shared<model::Adapter>(base.config(), context.study.lora.adapter(options),
                                          hash_words({context.study.run.seed, static_cast<std::uint64_t>(key)}),
                                          base.device());
}

model::Transformer policy_from(const Context& context, const model::Transformer& start, const LowRankOptions& adapter) {
  if (adapter.rank == 0) return start.clone();
  model::Transformer policy = start.share();
  policy.adapter = new_adapter(context, start, adapter, AdapterKey::policy);
  return policy;
}

void save_trained_policy(const Context& context, const ArmOptions& arm, const Language& language,
                         const model::Transformer& policy) {
  if (policy.adapter && arm.start != first_policy)
    save_run_model(context, arm.name, language, policy.merged());
  else
    save_run_model(context, arm.name, language, policy);
}

}  // namespace rlaif::stages
