// The choices of a deck for a policy gradient without a value model: bound to keys, held against a preset, and put into
// options.
//   GivenChoices given;
//   given.bind(table, "grpo", kind);
//   apply(given.resolve(kind, "arm.a"), options);
#pragma once

#include <map>
#include <optional>
#include <string>

#include "critic_free.hpp"

namespace rlaif::stages {

class GivenChoices {
 public:
  // preset, advantage, ratio, sum, clip, clip_high, dual_clip, kl, silent_groups, whiten_advantages, overlong_share.
  void bind(OptionTable& table, const std::string& section, const CriticFreeKind& kind);
  // All choices made, clip_high apart, which may stay that of clip. Throws Error(usage) naming `where` and the key that
  // contradicts the preset.
  Choices resolve(const CriticFreeKind& kind, const std::string& where) const;

 private:
  std::string preset_ = "none";
  Choices given_;
  std::map<std::string, std::optional<double>> numbers_;  // by key
};

void apply(const Choices& choices, train::PolicyGradientOptions& options);

}  // namespace rlaif::stages
