// Where labels by people are, and what both ways of a spot check know of them.
#pragma once

#include <filesystem>
#include <string>

#include "rlaif/pipeline/spotcheck.hpp"

namespace rlaif::pipeline {

inline const std::string people_prefix = "spotcheck-";

std::filesystem::path people_store(const RunDirectory& directory, const std::string& name);
// The folder of a judge's finished store. Throws Error(input) where there is none.
std::filesystem::path judge_store(const RunDirectory& directory, const std::string& store);
// 16 hex digits over prompt, first and second response.
std::string texts_checksum(const Comparison& comparison);
bool is_plain_name(const std::string& name);                                // letters, digits, '-' and '_'
void require_plain_name(const std::string& what, const std::string& name);  // throws Error(usage)

}  // namespace rlaif::pipeline
