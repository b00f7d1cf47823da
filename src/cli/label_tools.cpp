#include "rlaif/cli/label_tools.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <optional>

#include "rlaif/cli/file_tools.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/cost/prices.hpp"
#include "rlaif/stages/run_costs.hpp"
#include "rlaif/tools/spotcheck.hpp"

namespace rlaif::cli {
namespace {

void export_pairs(const CommandLine& line) {
  tools::SpotcheckExport options;
  options.run = word(line, 1, "a run directory");
  options.store = word(line, 2, "the name of a judge of the run");
  options.page = word(line, 3, "a page to write (.html)");
  no_more_words(line, 4);
  options.page_template = inputs_folder() / "spotcheck.html";
  options.count = static_cast<std::size_t>(whole_number(line, "count", 100, 1));
  options.seed = static_cast<std::uint64_t>(whole_number(line, "seed", 0, 0));
  options.name = line.flag_or("name", options.name);
  const tools::SpotcheckExported exported = tools::export_spotcheck(options);
  std::size_t all = 0;
  for (const auto& [pick, count] : exported.picked) all += count;
  std::cout << options.page.string() << ": " << all << " pairs of " << options.store << "\n";
  for (const auto& [pick, count] : exported.picked) {
    std::cout << fmt::format("  {:<14} {:6}   {:>5.1f} %\n", evaluate::to_string(pick), count,
                             100.0 * static_cast<double>(count) / static_cast<double>(all));
  }
  std::string others;
  for (const std::string& name : exported.other_judges) others += (others.empty() ? "" : ", ") + name;
  std::cout << (others.empty() ? "no other judge of the run has these pairs: none are picked for disagreement\n"
                               : "disagreement is with: " + others + "\n");
  if (exported.labelled > 0)
    std::cout << exported.labelled << " pairs that " << options.name << " has labelled are left out\n";
}

void import_labels(const CommandLine& line) {
  const std::string& file = word(line, 1, "a file of labels");
  const std::string& run = word(line, 2, "a run directory");
  no_more_words(line, 3);
  const auto resolved = resolve({}, line);
  const double price = cost::PriceTable::load(resolved->study.judges.costs.prices)
                           .at(line.flag_or("price", "human-label"))
                           .per_label_usd;
  const tools::SpotcheckImported imported = tools::import_spotcheck(file, run, line.flag_or("name", ""), price);
  std::cout << imported.store << ": " << imported.labels << " labels (" << imported.added << " new, "
            << imported.changed << " changed, " << imported.same << " as before), of which " << imported.ties
            << " ties\nagreement of " << imported.judge << " with these people, 95 % intervals by prompt\n";
  for (const tools::SpotcheckAgreement& row : imported.agreement) {
    if (row.decided == 0) {
      std::cout << fmt::format("  {:<14} {:6} labels, none with a side\n", row.pick, row.labels);
    } else {
      std::cout << fmt::format(
          "  {:<14} {:6} labels  {:>5.1f} % ({:.1f} - {:.1f}) of {}  kappa {}\n", row.pick, row.labels,
          100 * row.agreement.value, 100 * row.agreement.low, 100 * row.agreement.high, row.decided,
          std::isnan(row.kappa) ? "-" : std::to_string(row.kappa).substr(0, row.kappa < 0 ? 6 : 5));
    }
  }
  std::cout
      << "the control was drawn from all pairs: its agreement is the judge's; the others were picked for being hard\n";
  for (const std::string& stage : imported.stale_stages) {
    std::cout << "stage " << stage << " was trained before these labels: remove " << run << "/stages/" << stage
              << ".json to train it again\n";
  }
}

}  // namespace

void run_cost_command(const CommandLine& line) {
  no_more_words(line, 1);
  const auto resolved = resolve({}, line);
  const cost::Assumptions assumptions = cost::Assumptions::load(resolved->study.judges.costs.assumptions);
  const double comparisons = whole_number(line, "comparisons", assumptions.at("comparisons"), 1);
  std::optional<stages::RunCosts> run;
  if (!line.words.empty()) {
    run = stages::measure_run(line.words[0]);
    if (line.keys.contains("plan.usd_per_rank_hour")) run->usd_per_rank_hour = resolved->plan.usd_per_rank_hour;
  }
  const stages::RunCosts* measured = run ? &*run : nullptr;
  std::cout << stages::cost_text(assumptions, comparisons, measured) << std::flush;
  if (const std::string file = line.flag_or("output", ""); !file.empty()) {
    write_file_atomic(
        file,
        stages::cost_json(assumptions, comparisons, measured).dump(1, ' ', false, Json::error_handler_t::replace) +
            "\n");
  }
}

void run_spotcheck_command(const CommandLine& line) {
  const std::string& action = word(line, 0, "export or import");
  if (action == "export") {
    export_pairs(line);
  } else if (action == "import") {
    import_labels(line);
  } else {
    throw usage_error(unknown_name_message("action", action, {"export", "import"}));
  }
}

}  // namespace rlaif::cli
