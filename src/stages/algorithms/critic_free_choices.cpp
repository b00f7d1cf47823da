#include "critic_free_choices.hpp"

#include <fmt/format.h>

#include "rlaif/core/error.hpp"

namespace rlaif::stages {
namespace {

template <class E>
using Names = std::vector<std::pair<std::string, E>>;

const Names<train::RatioLevel> ratio_names{{"token", train::RatioLevel::token},
                                           {"sequence", train::RatioLevel::sequence}};
const Names<train::LossSum> sum_names{
    {"token", train::LossSum::token}, {"response", train::LossSum::response}, {"constant", train::LossSum::constant}};
const Names<KlTerm> kl_names{{"k1_in_reward", {train::KlPlace::reward, train::KlEstimator::k1}},
                             {"k2_in_loss", {train::KlPlace::loss, train::KlEstimator::k2}},
                             {"k3_in_loss", {train::KlPlace::loss, train::KlEstimator::k3}},
                             {"none", {train::KlPlace::none, train::KlEstimator::k1}}};
const Names<SilentGroups> silent_names{{"keep", SilentGroups::keep}, {"redraw", SilentGroups::redraw}};
const Names<bool> bool_names{{"false", false}, {"true", true}};

struct NumberChoice {
  const char* key;
  std::optional<double> Choices::* field;
};
const NumberChoice number_choices[] = {{"clip", &Choices::clip},
                                       {"clip_high", &Choices::clip_high},
                                       {"dual_clip", &Choices::dual_clip},
                                       {"overlong_share", &Choices::overlong_share}};

std::string text_of(double value) { return fmt::format("{:g}", value); }

template <class E>
std::string name_of(const Names<E>& names, const E& value) {
  for (const auto& [name, known] : names)
    if (known == value) return name;
  RLAIF_CHECK(false, "a choice with a name");
}

// "default" beside the names: the word of the preset or, without one, of the algorithm.
template <class E>
void add(OptionTable& table, const std::string& key, std::optional<E>* field, const Names<E>& names,
         const std::string& meaning) {
  Names<std::optional<E>> choices{{"default", std::nullopt}};
  for (const auto& [name, value] : names) choices.emplace_back(name, value);
  table.add_choice<std::optional<E>>(key, field, choices, meaning);
}

// The deck's word, the preset's or the algorithm's.
class Resolution {
 public:
  Resolution(const Choices& given, const Preset* preset, const Choices& own, std::string where)
      : given_(given), preset_(preset), own_(own), where_(std::move(where)) {}

  template <class T, class Text>
  std::optional<T> of(std::optional<T> Choices::* field, const char* key, const Text& text) const {
    const std::optional<T>& given = given_.*field;
    if (!preset_ || !(preset_->choices.*field)) return given ? given : own_.*field;
    const T& preset = *(preset_->choices.*field);
    if (given && !(*given == preset)) {
      throw usage_error(where_ + ": " + key + " = " + text(*given) + " contradicts preset = " + preset_->name +
                        ", which has " + text(preset) + "; leave out one of the two");
    }
    return preset;
  }
  template <class E>
  std::optional<E> of(std::optional<E> Choices::* field, const char* key, const Names<E>& names) const {
    return of(field, key, [&](const E& value) { return name_of(names, value); });
  }

 private:
  const Choices& given_;
  const Preset* preset_;
  const Choices& own_;
  std::string where_;
};

}  // namespace

void GivenChoices::bind(OptionTable& table, const std::string& section, const CriticFreeKind& kind) {
  const auto number = [&](const char* key, const std::string& meaning) -> OptionTable::Entry& {
    return table.add(section + "." + key, &numbers_[key], "", meaning);
  };
  if (!kind.presets.empty()) {
    Names<std::string> names{{"none", "none"}};
    std::string about = "what a paper's name stands for:";
    for (const Preset& preset : kind.presets) {
      names.emplace_back(preset.name, preset.name);
      about += " " + preset.name + " is " + preset.about + ";";
    }
    about += " keys that contradict it are refused";
    table.add_choice<std::string>(section + ".preset", &preset_, names, about);
  }
  if (kind.advantages.size() > 1)
    add(table, section + ".advantage", &given_.advantage, kind.advantages, "what a reward is held against");
  add(table, section + ".ratio", &given_.ratio, ratio_names,
      "ratio of new to old probabilities: of each token, or of a response's mean log-probability");
  add(table, section + ".sum", &given_.sum, sum_names,
      "sum of losses: by token of the minibatch, by response, or by a constant (max_new_tokens a response)");
  number("clip", "the ratio is not below 1 less this; empty: the preset's, else " + text_of(*kind.choices.clip))
      .above(0);
  number("clip_high", "the ratio is not above 1 and this; empty: the preset's, else clip").above(0);
  number("dual_clip",
         "bound of the loss of responses below their baseline, in ratios; empty: the preset's, else 0: off")
      .at_least(0);
  add(table, section + ".kl", &given_.kl, kl_names,
      "where the distance to the reference counts, and by which estimator; the gradient of k3 in the loss is that of "
      "another "
      "distance");
  if (kind.least_responses > 1)
    add(table, section + ".silent_groups", &given_.silent_groups, silent_names,
        "prompts all of whose responses are worth the same: they stay, or give way to others");
  add(table, section + ".whiten_advantages", &given_.whiten_advantages, bool_names,
      "whiten advantages over the tokens of a step");
  number("overlong_share",
         "share of max_new_tokens at whose end length is penalised more and more; empty: the preset's, else 0: not "
         "at all")
      .at_least(0)
      .at_most(1);
}

Choices GivenChoices::resolve(const CriticFreeKind& kind, const std::string& where) const {
  Choices given = given_;
  for (const auto& [key, field] : number_choices) {
    const auto found = numbers_.find(key);
    if (found != numbers_.end() && found->second) given.*field = *found->second;
  }
  const Preset* preset = nullptr;
  for (const Preset& one : kind.presets)
    if (one.name == preset_) preset = &one;
  const Resolution resolution(given, preset, kind.choices, where);
  Choices choices;
  choices.advantage = resolution.of(&Choices::advantage, "advantage", kind.advantages);
  choices.ratio = resolution.of(&Choices::ratio, "ratio", ratio_names);
  choices.sum = resolution.of(&Choices::sum, "sum", sum_names);
  choices.kl = resolution.of(&Choices::kl, "kl", kl_names);
  choices.silent_groups = resolution.of(&Choices::silent_groups, "silent_groups", silent_names);
  choices.whiten_advantages = resolution.of(&Choices::whiten_advantages, "whiten_advantages", bool_names);
  for (const auto& [key, field] : number_choices) choices.*field = resolution.of(field, key, text_of);
  return choices;
}

void apply(const Choices& choices, train::PolicyGradientOptions& options) {
  options.advantage = *choices.advantage;
  options.loss.ratio = *choices.ratio;
  options.loss.sum = *choices.sum;
  options.kl.place = choices.kl->place;
  options.kl.estimator = choices.kl->estimator;
  options.whiten_advantages = *choices.whiten_advantages;
  options.loss.clip_low = *choices.clip;
  options.loss.clip_high = choices.clip_high.value_or(*choices.clip);
  options.loss.dual_clip = *choices.dual_clip;
  options.rollout.overlong_share = *choices.overlong_share;
  if (*choices.silent_groups == SilentGroups::keep) options.rollout.redraws = 0;
}

}  // namespace rlaif::stages
