#include "manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <system_error>

#include "columns.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_reader.hpp"

namespace rlaif::preferences {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifestFormat = "rlaif-preferences-manifest";
constexpr const char* kChecksumKind = "xxh3-64";

bool is_checksum(const std::string& text) {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

ManifestEntry read_entry(const JsonReader& reader, std::uint64_t block) {
  ManifestEntry entry{reader.at("file").string(), reader.at("block").count(), reader.at("records").count(),
                      reader.at("checksum").string()};
  // The name follows from the block: a manifest cannot point out of its folder.
  if (entry.block != block || entry.file != shard_name(block)) {
    throw reader.error("expected block " + std::to_string(block) + " in " + shard_name(block) + ", got block " +
                       std::to_string(entry.block) + " in '" + entry.file + "'");
  }
  if (!is_checksum(entry.checksum)) throw reader.at("checksum").unexpected("16 hex digits");
  return entry;
}

}  // namespace

std::uint64_t Manifest::records() const {
  return std::accumulate(shards.begin(), shards.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const ManifestEntry& entry) { return sum + entry.records; });
}

std::string shard_name(std::uint64_t block) { return fmt::format("shard-{:06}.h5", block); }

fs::path shard_path(const fs::path& folder, std::uint64_t block) { return folder / shard_name(block); }

bool is_shard_name(const std::string& name) { return name.starts_with("shard-") && name.ends_with(".h5"); }

bool is_leftover_name(const std::string& name) {
  return (name.starts_with(".shard-") || name.starts_with(".manifest.json.")) && name.ends_with(".tmp");
}

std::vector<std::string> list_folder(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator item(folder, code), end; !code && item != end; item.increment(code)) {
    names.push_back(item->path().filename().string());
  }
  if (code) throw input_error(folder, "cannot be listed: " + code.message());
  std::sort(names.begin(), names.end());
  return names;
}

fs::path manifest_path(const fs::path& folder) { return folder / "manifest.json"; }

void write_manifest(const fs::path& folder, const Manifest& manifest) {
  Json shards = Json::array();
  for (const ManifestEntry& entry : manifest.shards) {
    shards.push_back(
        {{"file", entry.file}, {"block", entry.block}, {"records", entry.records}, {"checksum", entry.checksum}});
  }
  const Json json = {{"format", kManifestFormat},      {"version", kVersion},
                     {"judge", manifest.judge},        {"records", manifest.records()},
                     {"checksum_kind", kChecksumKind}, {"shards", std::move(shards)}};
  write_file_atomic(manifest_path(folder), json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::optional<Manifest> read_manifest(const fs::path& folder) {
  const fs::path file = manifest_path(folder);
  std::error_code code;
  if (!fs::exists(file, code)) return std::nullopt;
  const Json json = read_json_object(file);
  const JsonReader root(file, json);
  if (root.at("format").string() != kManifestFormat || root.at("version").count() != kVersion ||
      root.at("checksum_kind").string() != kChecksumKind) {
    throw root.error(std::string("expected the format ") + kManifestFormat + ", version " + std::to_string(kVersion) +
                     ", checksums " + kChecksumKind);
  }
  Manifest manifest;
  manifest.judge = root.at("judge").string();
  for (const JsonReader& shard : root.at("shards").items())
    manifest.shards.push_back(read_entry(shard, manifest.shards.size()));
  if (root.at("records").count() != manifest.records())
    throw root.at("records").unexpected("the sum over the shards, " + std::to_string(manifest.records()));
  return manifest;
}

Manifest require_manifest(const fs::path& folder) {
  std::optional<Manifest> manifest = read_manifest(folder);
  if (!manifest) throw input_error(folder, "has no manifest.json: no preference store, or one that is not finished");
  return std::move(*manifest);
}

Shard load_verified(const fs::path& folder, const ManifestEntry& entry) {
  const fs::path file = folder / entry.file;
  const std::string found = file_checksum(file);
  if (found != entry.checksum) {
    throw input_error(file, "is damaged: its checksum is " + found + ", the manifest has " + entry.checksum);
  }
  Shard shard = load_shard(folder, entry.block);
  if (shard.records.size() != entry.records) {
    throw input_error(file, "holds " + std::to_string(shard.records.size()) + " records, the manifest has " +
                                std::to_string(entry.records));
  }
  return shard;
}

}  // namespace rlaif::preferences
