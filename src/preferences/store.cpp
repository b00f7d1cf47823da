// The folder as a whole: which blocks are done, the manifest that ends a store, and what may be wrong with one.
#include "rlaif/preferences/store.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <system_error>

#include "manifest.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/log.hpp"

namespace rlaif::preferences {
namespace {

namespace fs = std::filesystem;

void remove_damaged(const fs::path& file, const std::string& reason) {
  log::warning("removed a damaged shard, its block will be done again: " + reason);
  std::error_code code;
  fs::remove(file, code);
  if (code) throw Error(ErrorKind::resource, file.string() + ": cannot be removed: " + code.message());
}

// Shards past the last block would silently be no part of the store: an earlier run had other blocks.
void refuse_extra_shards(const fs::path& folder, std::uint64_t blocks) {
  std::set<std::string> expected;
  for (std::uint64_t block = 0; block < blocks; ++block) expected.insert(shard_name(block));
  for (const std::string& name : list_folder(folder)) {
    if (is_shard_name(name) && !expected.contains(name)) {
      throw input_error(folder / name, "is none of the store's " + std::to_string(blocks) +
                                           " blocks: the folder holds shards of another run");
    }
  }
}

void remove_leftovers(const fs::path& folder) {
  for (const std::string& name : list_folder(folder)) {
    std::error_code ignored;  // a leftover that stays harms nobody
    if (is_leftover_name(name)) fs::remove(folder / name, ignored);
  }
}

}  // namespace

std::vector<bool> finished_blocks(const fs::path& folder, std::uint64_t blocks) {
  std::vector<bool> finished(blocks, false);
  for (std::uint64_t block = 0; block < blocks; ++block) {
    const fs::path file = shard_path(folder, block);
    std::error_code code;
    if (!fs::exists(file, code)) continue;
    try {
      const Shard shard = load_shard(folder, block);
      // HDF5's own checksums leave gaps; the same records are the same bytes.
      if (shard_bytes(file, shard) != read_file(file))
        throw input_error(file, "has other bytes than its records are written as");
      finished[block] = true;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      remove_damaged(file, error.what());
    }
  }
  return finished;
}

Manifest finish_store(const fs::path& folder, std::uint64_t blocks, const std::string& judge) {
  refuse_extra_shards(folder, blocks);
  Manifest manifest;
  manifest.judge = judge;
  for (std::uint64_t block = 0; block < blocks; ++block) {
    const fs::path file = shard_path(folder, block);
    // Reads all of it: a manifest must not bless a damaged shard with a checksum.
    const std::string checksum = file_checksum(file);
    const Shard shard = load_shard(folder, block);
    if (shard.judge != judge) {
      throw input_error(file, "expected the judge '" + judge + "', its attribute says '" + shard.judge + "'");
    }
    manifest.shards.push_back({file.filename().string(), block, shard.records.size(), checksum});
  }
  remove_leftovers(folder);
  write_manifest(folder, manifest);
  return manifest;
}

std::vector<Preference> read_store(const fs::path& folder) {
  const Manifest manifest = require_manifest(folder);
  std::vector<Preference> all;
  for (const ManifestEntry& entry : manifest.shards) {
    Shard shard = load_verified(folder, entry);
    std::move(shard.records.begin(), shard.records.end(), std::back_inserter(all));
  }
  return all;
}

std::vector<std::string> validate_store(const fs::path& folder) {
  std::vector<std::string> problems;
  const auto report = [&](auto&& check) {
    try {
      check();
    } catch (const Error& error) {
      problems.push_back(error.what());
    }
  };
  std::optional<Manifest> manifest;
  report([&] { manifest = require_manifest(folder); });
  if (!manifest) return problems;
  std::set<std::string> expected = {manifest_path("").string()};
  for (const ManifestEntry& entry : manifest->shards) {
    expected.insert(entry.file);
    std::error_code code;
    if (!fs::exists(folder / entry.file, code)) {
      problems.push_back((folder / entry.file).string() + ": is missing");
      continue;
    }
    report([&] { load_verified(folder, entry); });
  }
  report([&] {
    for (const std::string& name : list_folder(folder)) {
      if (expected.contains(name)) continue;
      problems.push_back((folder / name).string() + ": " +
                         (is_leftover_name(name) ? "was left by a writer that was killed" : "does not belong here"));
    }
  });
  return problems;
}

}  // namespace rlaif::preferences
