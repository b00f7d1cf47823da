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

// Shard layout (format "rlaif-preferences", version 1; 2 where prompts are conversations). Text columns are flat bytes and offsets:
//   /<column>/bytes uint8[total], /<column>/offsets uint64[n + 1]   for prompt, first, second, family, rationale
//   /id, /prompt_id uint64[n]; /first_sample, /second_sample uint32[n]; /first_ended, /second_ended uint8[n]
//   /p_first float64[n]; /p_first_by_order float64[n, 2] (NaN: not asked); /status uint8[n]
//   /input_tokens, /cached_input_tokens, /output_tokens int64[n]; /cost_usd float64[n]
// and, where the judge is made of judges, what its members said, those of record i in rows offsets[i] to offsets[i + 1]:
//   /members/offsets uint64[n + 1]; /members/name (text), /members/status uint8[m], /members/p_first, /members/cost_usd float64[m]
// and, where prompts are conversations, their turns in the same way: /turns/offsets, /turns/role, /turns/content (text); /prompt
// then is their transcript.
// File attributes: format, version, judge, block, records, description; every dataset has a "description"
// attribute, /status also "values" that names code 0, 1, ... Pinned library version bounds (v110: metadata is
// checksummed); no timestamps: the same records give the same bytes. fletcher32 on all data. The judge's name is the
// file's and comes back in each record. Completions' tokens and log-probabilities are not kept.

// What a folder holds. Written last by finish_store; its presence says that the store is complete.
struct ManifestEntry {
  std::string file;  // "shard-000012.h5"
  std::uint64_t block = 0;
  std::uint64_t records = 0;
  std::string checksum;  // XXH3 of the file, 16 hex digits
};
struct Manifest {
  std::string judge;
  std::vector<ManifestEntry> shards;  // by block
  std::uint64_t records() const;
};

std::filesystem::path shard_path(const std::filesystem::path& folder, std::uint64_t block);

// Writes one shard, built in memory: temporary name, sync, rename. Throws Error(resource) naming file and cause (disk
// full), Error(input) naming the record for one that read_shard would refuse. Numbers that are not finite become NaN.
void write_shard(const std::filesystem::path& folder, std::uint64_t block, const std::string& judge,
                 std::span<const Preference> records);
// Reads one shard with all checks on structure, types, lengths and offsets before memory is taken; texts may be any
// bytes. Throws Error(input) naming the file and the dataset or record: a damaged shard, an unknown code, a p_first
// outside [0, 1] or not a number where status is ok, a negative count or price.
std::vector<Preference> read_shard(const std::filesystem::path& file);

// Blocks whose shard is there and reads back whole (damaged ones are removed and said): what a resumed run skips.
std::vector<bool> finished_blocks(const std::filesystem::path& folder, std::uint64_t blocks);
// Checks that every block is there, whole and by `judge` and no other shard is, computes checksums, removes what killed
// writers left, writes manifest.json. One caller, once all blocks are written. Throws Error(input) naming the shard.
Manifest finish_store(const std::filesystem::path& folder, std::uint64_t blocks, const std::string& judge);

std::optional<Manifest> read_manifest(const std::filesystem::path& folder);  // nullopt: no manifest
// All records in order of blocks; every shard's checksum is compared first. Throws Error(input) naming the shard.
std::vector<Preference> read_store(const std::filesystem::path& folder);
// One line for each thing that is wrong; empty: the store is whole.
std::vector<std::string> validate_store(const std::filesystem::path& folder);

// JSON Lines. `trl`: {"prompt","chosen","rejected"} for verdicts that are ok and not 0.5, all three turns where the prompt is.
// `full`: every record with all fields under the names of their columns, "judge", and "members" where there are; soft labels included, null for
// not a number; reads back to the same shards. Text that is not UTF-8 is written with U+FFFD and said in a warning.
enum class ExportForm { trl, full };
void export_jsonl(const std::filesystem::path& folder, const std::filesystem::path& file, ExportForm form);
// Reads the full form or pairs in any form of others (records/records.hpp; the first line's keys say which), cut into shards of
// `block_size` records, into a folder that holds no store. A label becomes p_first (chosen: 1; several people's: the share of
// votes), a record's id is its place in the file, and equal prompts share an id.
// judge: empty takes the name from the lines, which must agree. Throws Error(input) naming file, line and key; then
// no shard stays behind.
Manifest import_jsonl(const std::filesystem::path& file, const std::filesystem::path& folder, const std::string& judge,
                      std::uint64_t block_size);

// Version of the HDF5 library in use, "1.10.8".
std::string library_version();

}  // namespace rlaif::preferences
