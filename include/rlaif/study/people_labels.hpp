// Where labels by people are, and what both ways of a spot check know of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "rlaif/core/types.hpp"
#include "rlaif/run/layers.hpp"
#include "rlaif/run/run_directory.hpp"

namespace rlaif::study {

inline const std::string people_prefix = "spotcheck-";

std::filesystem::path people_store(const RunDirectory& directory, const std::string& name);
// The folder of a judge's finished store. Throws Error(input) where there is none.
std::filesystem::path judge_store(const RunDirectory& directory, const std::string& store);
// Labels of preferences/spotcheck-<name> by pair. Throws Error(usage) where there are none yet.
std::map<std::uint64_t, Preference> read_people_labels(const RunDirectory& directory, const std::string& name);
// Whether two comparisons are of the same texts.
bool same_texts(const Comparison& a, const Comparison& b);
// 16 hex digits over prompt, first and second response.
std::string texts_checksum(const Comparison& comparison);
bool is_plain_name(const std::string& name);                                // letters, digits, '-' and '_'
void require_plain_name(const std::string& what, const std::string& name);  // throws Error(usage)

}  // namespace rlaif::study
