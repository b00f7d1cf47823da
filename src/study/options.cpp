#include "rlaif/study/options.hpp"

#include <sstream>

#include "rlaif/core/error.hpp"

namespace rlaif::study {

const JudgeOptions& StudyOptions::judge_named(const std::string& wanted) const {
  for (const auto* list : {&judges, &members}) {
    for (const JudgeOptions& options : *list) {
      if (options.name == wanted) return options;
    }
  }
  throw usage_error("no judge named '" + wanted + "': a section [judge." + wanted +
                    "] and its name in study.judges or study.members were expected");
}

std::string JudgeModel::stage() const { return name == "judge" ? "judge-model" : "judge-model-" + name; }

model::AdapterOptions StudyOptions::adapter(const LowRankOptions& of) const {
  model::AdapterOptions options;
  options.rank = of.rank;
  options.alpha = of.alpha;
  options.first_layer = lora.first_layer;
  if (lora.targets == "all") return options;
  options.targets.clear();
  std::istringstream words(lora.targets);
  for (std::string word; words >> word;) options.targets.push_back(word);
  return options;
}

}  // namespace rlaif::study
