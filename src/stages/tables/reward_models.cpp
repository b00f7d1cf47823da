// Reward models on held-out pairs.
#include <fmt/format.h>

#include "tables.hpp"

namespace rlaif::stages {

Json reward_models_rows(const Evaluated& evaluated) {
  return {{"reward_model", evaluated.judged.value("reward_model", Json::object())}};
}

std::string reward_models_text(const Printed& printed) {
  std::string text;
  if (!printed.results.contains("reward_model")) return text;
  for (const auto& [name, model] : printed.results["reward_model"].items()) {
    text +=
        fmt::format("reward model of {}: agrees with gold {}, with its labels {}, with people {}\n", name,
                    rate(model, "gold_accuracy"), rate(model, "label_accuracy"), share_text(model, "people_accuracy"));
  }
  return text;
}

}  // namespace rlaif::stages
