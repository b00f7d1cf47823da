// People in the loop: pairs of a run as a page for a browser, and its labels back into the run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "rlaif/core/types.hpp"
#include "rlaif/evaluate/spotcheck.hpp"
#include "rlaif/evaluate/statistics.hpp"

namespace rlaif::tools {

struct SpotcheckExport {
  std::filesystem::path run;
  // preferences/<store>: a judge, or <judge>-heldout; or "comparisons/<judge>": what a judge of evaluate.by said of the
  // study's policies, of which those pairs are shown where an arm meets sft.
  std::string store;
  std::filesystem::path page, page_template;
  std::size_t count = 100;
  std::uint64_t seed = 0;
  std::string name = "person";  // who labels
};
struct SpotcheckExported {
  std::map<evaluate::Pick, std::size_t> picked;
  std::vector<std::string> other_judges;  // those whose disagreement counted
  std::size_t labelled = 0;               // pairs left out because <name> has labelled them
};
// Writes a page that works offline: pairs picked by evaluate::pick_pairs, in drawn orders, without the judge and its verdicts.
// Throws Error(usage) for a name or count that is none, Error(input) for a run, store or template that does not fit.
SpotcheckExported export_spotcheck(const SpotcheckExport& options);

// A line of the page: {"pair_id": text of digits, "texts": checksum of the pair's texts, "store": text, "labeler": text,
// "pick": "control" | "disagreement" | "uncertain", "order": "ab" | "ba", "label": "a" | "b" | "tie", "seconds": number}.
// "label" is in the pair's own frame, "ab" is first shown first, as in recorded verdicts.
struct SpotcheckAgreement {
  std::string pick;                     // of which pairs; "all"
  std::size_t labels = 0, decided = 0;  // decided: the person named a side, and the judge has a verdict
  evaluate::Interval agreement;  // share of the decided on which the judge names the same side, its own ties half
  double kappa = 0.0;
};
struct SpotcheckImported {
  std::string store;  // what was written: spotcheck-<name>, or of policies people-<name>
  std::string judge;  // the store that the labels are about
  std::size_t added = 0, changed = 0, same = 0, labels = 0, ties = 0;
  std::vector<SpotcheckAgreement> agreement;
  std::vector<std::string> stale_stages;  // reward stages that were trained with other labels of <name>
};
// Merges labels into preferences/spotcheck-<name>, or those of a study's policies into people/<name>, a preference store with each pair once, sorted by id: a later label
// takes the place of an earlier one. All or nothing, with the run's lock held. A label's price is `label_usd`, its pick the
// record's rationale. `name` empty: the lines'. Throws Error(input) naming file and line for a wrong field, a pair that the
// store does not hold or that has other texts there, a second label of a pair, lines of several stores or labelers.
SpotcheckImported import_spotcheck(const std::filesystem::path& labels, const std::filesystem::path& run,
                                   const std::string& name, double label_usd);

}  // namespace rlaif::tools
