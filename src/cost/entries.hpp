// Lists of named entries in JSON files: what price tables and assumptions have in common.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "rlaif/core/json.hpp"

namespace rlaif::cost {

// The list under `key`, the file's only one. Throws Error(input) naming the file.
Json read_entries(const std::filesystem::path& file, const char* key);
// Throws Error(input) for what is no object or has a key that is not known, naming the nearest one.
void check_keys(const std::filesystem::path& file, const Json& object, const std::string& where,
                const std::vector<std::string>& known);
// Text that is not empty.
std::string text_of(const std::filesystem::path& file, const Json& entry, const std::string& where, const char* key);
// Text of the form 2025-01-31.
std::string date_of(const std::filesystem::path& file, const Json& entry, const std::string& where, const char* key);
// A finite number of at least 0; `what` says of what. Where the key is absent: `otherwise`.
double amount_of(const std::filesystem::path& file, const Json& entry, const std::string& where, const char* key,
                 const std::string& what, double otherwise);

}  // namespace rlaif::cost
