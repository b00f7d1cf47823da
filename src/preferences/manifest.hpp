// Names and manifest of a store's folder. Private to this module.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "rlaif/preferences/store.hpp"
#include "shard_read.hpp"

namespace rlaif::preferences {

std::filesystem::path manifest_path(const std::filesystem::path& folder);
void write_manifest(const std::filesystem::path& folder, const Manifest& manifest);
// Throws Error(input) where there is none: the store is unfinished, or no store.
Manifest require_manifest(const std::filesystem::path& folder);

// "shard-000012.h5"
std::string shard_name(std::uint64_t block);
bool is_shard_name(const std::string& name);
// What a killed writer leaves: a shard's or the manifest's temporary name.
bool is_leftover_name(const std::string& name);
// Names of all that is in the folder, sorted. Throws Error(input) where it cannot be read.
std::vector<std::string> list_folder(const std::filesystem::path& folder);

// The shard of an entry, its checksum and its number of records compared. Throws Error(input) naming the shard.
Shard load_verified(const std::filesystem::path& folder, const ManifestEntry& entry);

}  // namespace rlaif::preferences
