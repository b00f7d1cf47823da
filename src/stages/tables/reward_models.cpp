// Reward models on held-out pairs.
#include "rlaif/core/text_format.hpp"
#include "tables.hpp"

namespace rlaif::stages {

Json reward_models_rows(const Evaluated& evaluated) {
  return {{"reward_model", evaluated.judged.value("reward_model", Json::object())}};
}

std::string reward_models_text(const Printed& printed) {
  std::string text;
  if (!printed.results.contains("reward_model")) return text;
  for (const auto& [name, model] : printed.results["reward_model"].items()) {
    text += text_format("reward model of %s: agrees with gold %s, with its labels %s, with people %s\n", name.c_str(),
                        rate(model, "gold_accuracy").c_str(), rate(model, "label_accuracy").c_str(),
                        share_text(model, "people_accuracy").c_str());
  }
  return text;
}

}  // namespace rlaif::stages
