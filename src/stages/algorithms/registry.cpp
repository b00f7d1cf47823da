// The table of algorithms: a line each.
#include "algorithms.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"

namespace rlaif::stages {

const char* to_string(DataKind kind) {
  switch (kind) {
    case DataKind::preferences: return "preferences";
    case DataKind::demonstrations: return "demonstrations";
    case DataKind::prompts: return "prompts";
  }
  return "";
}

const std::vector<AlgorithmEntry>& algorithms() {
  static const std::vector<AlgorithmEntry> entries{
      {"dpo", "direct preference optimisation on labelled pairs", make_dpo},
      {"ppo", "proximal policy optimisation against a reward", make_ppo},
  };
  return entries;
}

const AlgorithmEntry& algorithm_named(const std::string& key, const std::string& name) {
  std::vector<std::string> known;
  for (const AlgorithmEntry& entry : algorithms()) {
    if (entry.name == name) return entry;
    known.emplace_back(entry.name);
  }
  throw usage_error(key + ": " + unknown_name_message("algorithm", name, known));
}

const Algorithm& algorithm_of(const ArmOptions& arm) {
  RLAIF_CHECK(arm.how != nullptr, "an arm must be bound to its algorithm: " + arm.name);
  return *arm.how;
}

}  // namespace rlaif::stages
