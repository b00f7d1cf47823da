// Where labels by people are, and what both ways of a spot check know of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "rlaif/core/types.hpp"
#include "rlaif/run/layers.hpp"
#include "rlaif/run/run_directory.hpp"
#include "rlaif/study/study.hpp"

namespace rlaif::study {

inline const std::string people_prefix = "spotcheck-";
// Of the judge of such labels in the table of verdicts.
inline const std::string people_yardstick_prefix = "people-";

// Whether a store that a spot check names is of a study's policies: "comparisons/<judge>"; else it is preferences/<store>.
bool is_of_policies(const std::string& store);
std::filesystem::path people_store(const RunDirectory& directory, const std::string& name);
// The folder of a judge's finished store, of either kind. Throws Error(input) where there is none.
std::filesystem::path judge_store(const RunDirectory& directory, const std::string& store);
// Below preferences/, where the labels of reward.people are: of a spot check, or of the study's judge of that name.
std::string people_labels_store(const Study& study);
// Those that can be used, by pair: the first ones that the deck asks for. Throws Error(usage) where there are none yet.
std::map<std::uint64_t, Preference> read_people_labels(const Study& study, const RunDirectory& directory);
// Labels of a finished store by pair.
std::map<std::uint64_t, Preference> labels_by_pair(const std::filesystem::path& folder);
// Whether two comparisons are of the same texts.
bool same_texts(const Comparison& a, const Comparison& b);
// 16 hex digits over prompt, first and second response.
std::string texts_checksum(const Comparison& comparison);
bool is_plain_name(const std::string& name);                                // letters, digits, '-' and '_'
void require_plain_name(const std::string& what, const std::string& name);  // throws Error(usage)

}  // namespace rlaif::study
