// The preference store: a folder of immutable HDF5 shards, one a block, and a manifest with checksums.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rlaif/core/types.hpp"

namespace rlaif::preferences {

// Shard layout (format "rlaif-preferences", version 1). Text columns are flat bytes and offsets:
//   /<column>/bytes uint8[total], /<column>/offsets uint64[n + 1]   for prompt, first, second, family, rationale
//   /id, /prompt_id uint64[n]; /first_sample, /second_sample uint32[n]; /first_ended, /second_ended uint8[n]
//   /p_first float64[n]; /p_first_by_order float64[n, 2] (NaN: not asked); /status uint8[n]
//   /input_tokens, /cached_input_tokens, /output_tokens int64[n]; /cost_usd float64[n]
// File attributes: format, version, judge, block, records, description; every dataset has a "description"
// attribute, /status also "values" that names each code. Pinned library version bounds; no timestamps: the same
// records give the same bytes. fletcher32 on the byte columns.

// What a folder holds. Written last by finish_store; its presence says that the store is complete.
struct ManifestEntry {
  std::string file;       // "shard-000012.h5"
  std::uint64_t block = 0;
  std::uint64_t records = 0;
  std::string checksum;   // XXH3 of the file, 16 hex digits
};
struct Manifest {
  std::string judge;
  std::vector<ManifestEntry> shards;  // by block
  std::uint64_t records() const;
};

std::filesystem::path shard_path(const std::filesystem::path& folder, std::uint64_t block);

// Writes one shard: temporary name, close, sync, rename. Throws Error(resource) naming file and cause (disk full).
void write_shard(const std::filesystem::path& folder, std::uint64_t block, const std::string& judge,
                 std::span<const Preference> records);
// Reads one shard with all checks on structure, lengths, offsets, UTF-8-agnostic. Throws Error(input) naming the
// file and the dataset or record: a damaged shard, a p_first outside [0, 1] or not a number where status is ok.
std::vector<Preference> read_shard(const std::filesystem::path& file);

// Blocks whose shard is there and reads back whole (damaged ones are removed and said): what a resumed run skips.
std::vector<bool> finished_blocks(const std::filesystem::path& folder, std::uint64_t blocks);
// Checks that every block is there, computes checksums, writes manifest.json.
Manifest finish_store(const std::filesystem::path& folder, std::uint64_t blocks, const std::string& judge);

std::optional<Manifest> read_manifest(const std::filesystem::path& folder);  // nullopt: no manifest
// All records in order of blocks; every shard's checksum is compared first. Throws Error(input) naming the shard.
std::vector<Preference> read_store(const std::filesystem::path& folder);
// One line for each thing that is wrong; empty: the store is whole.
std::vector<std::string> validate_store(const std::filesystem::path& folder);

// JSON Lines. `trl`: {"prompt","chosen","rejected"} for verdicts that are ok and not 0.5.
// `full`: every record with all fields, soft labels included; reads back to the same shards.
enum class ExportForm { trl, full };
void export_jsonl(const std::filesystem::path& folder, const std::filesystem::path& file, ExportForm form);
// Reads either form (by its keys), cut into shards of `block_size` records. A trl record becomes p_first = 1.
Manifest import_jsonl(const std::filesystem::path& file, const std::filesystem::path& folder,
                      const std::string& judge, std::uint64_t block_size);

}  // namespace rlaif::preferences
