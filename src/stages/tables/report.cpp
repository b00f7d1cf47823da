#include "rlaif/stages/report.hpp"

#include <fmt/format.h>

#include <iostream>
#include <set>

#include "rlaif/core/files.hpp"
#include "rlaif/run/runner.hpp"
#include "tables.hpp"

namespace rlaif::stages {
namespace {

// Said before anything else: some judge is not what was asked for.
std::string below_text(const Json& results) {
  if (!results.contains("below_min_agreement")) return "";
  const Json& below = results["below_min_agreement"];
  std::string text = fmt::format("BELOW judge.min_agreement = {:.2f}: ", number(below, "least"));
  bool begun = false;
  for (const auto& [name, agreement] : below["judges"].items()) {
    text += fmt::format("{}judge {} agrees in {:.3f}", begun ? ", " : "", name, agreement.get<double>());
    begun = true;
  }
  return text + "; what follows was learned from it all the same\n\n";
}

// Of judges that stood below it, where the study went on.
void add_below(const Finished& finished, Json& results) {
  for (const auto& [stage, marker] : finished.by_stage) {
    if (!stage.starts_with("agreement") || !marker->contains("below")) continue;
    results["below_min_agreement"]["least"] = marker->at("least");
    results["below_min_agreement"]["judges"].update(marker->at("below"));
  }
}

Json make_results(const Finished& finished) {
  const bool has_arms = !finished.context.study.arms.empty();
  Json results = Json::object();
  add_below(finished, results);
  results.update(finished.by_stage.at(has_arms ? "evaluate" : "judges")->at("results"));
  for (const Table& table : tables()) {
    if (table.finish) table.finish(finished, results);
  }
  std::set<std::string> sets;
  for (const Json& marker : finished.markers) {
    for (const std::string& one : instruction_sets_of(marker)) sets.insert(one);
  }
  results["instruction_sets"] = sets;
  return results;
}

}  // namespace

void write_report(const Context& context, const std::vector<Json>& markers) {
  context.comm.on_root([&] {
    Finished finished{context, markers};
    for (const Json& marker : markers) finished.by_stage[marker["stage"].get<std::string>()] = &marker;
    const Json results = make_results(finished);
    write_file_atomic(context.directory.report("results.json"), results.dump(1) + "\n");
    Printed printed{results, {}};
    for (const Mark& mark : context.task.marks()) {
      if (mark.has_column) printed.columns.push_back(mark.name);
    }
    std::cout << below_text(results);
    for (const Table& table : tables()) {
      if (table.text) std::cout << table.text(printed);
    }
    std::cout << std::flush;
  });
}

}  // namespace rlaif::stages
