#include "rlaif/run/plan_file.hpp"

#include "rlaif/core/json_parse.hpp"

namespace rlaif::run {

void write_plan(const RunDirectory& directory, const std::vector<Stage>& stages, int ranks) {
  Json plan{{"ranks", ranks}, {"stages", Json::array()}};
  for (const Stage& stage : stages)
    plan["stages"].push_back({{"stage", stage.name}, {"kind", stage.kind}, {"of", stage.of}, {"size", stage.size}});
  write_sealed_json(directory.plan(), std::move(plan));
}

Json read_plan(const RunDirectory& directory) {
  if (!std::filesystem::exists(directory.plan())) return Json{{"stages", Json::array()}};
  return read_sealed_json(directory.plan());
}

}  // namespace rlaif::run
