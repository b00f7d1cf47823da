// A shard with what its attributes say. Private to this module.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "rlaif/core/types.hpp"

namespace rlaif::preferences {

struct Shard {
  std::string judge;
  std::uint64_t block = 0;
  std::vector<Preference> records;
};

// All checks of read_shard.
Shard load_shard(const std::filesystem::path& file);
// The same, and Error(input) where the shard is not the one of `block`.
Shard load_shard(const std::filesystem::path& folder, std::uint64_t block);

// The bytes of the file that write_shard makes of it.
std::string shard_bytes(const std::filesystem::path& file, const Shard& shard);

}  // namespace rlaif::preferences
