#include "rlaif/run/shared_stages.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/lease.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/run/instruction_sets.hpp"
#include "rlaif/run/starts.hpp"

namespace rlaif::run {
namespace {

namespace fs = std::filesystem;

constexpr auto between_looks = std::chrono::milliseconds(500);

// Files that are only ever replaced as a whole may have two names; others are copied.
bool may_be_linked(const fs::path& file) { return file.extension() == ".safetensors" || file.extension() == ".h5"; }

void place_file(const fs::path& from, const fs::path& to) {
  make_folders(to.parent_path());
  const fs::path temporary = temporary_name(to);
  std::error_code code;
  fs::remove(temporary, code);
  if (may_be_linked(from)) fs::create_hard_link(from, temporary, code);
  if (!may_be_linked(from) || code) {
    code.clear();
    fs::copy_file(from, temporary, fs::copy_options::overwrite_existing, code);
    if (code)
      throw Error(ErrorKind::resource,
                  to.string() + ": cannot be copied from " + from.string() + ": " + code.message());
  }
  commit_file(temporary, to);
}

std::string draft_begin(const fs::path& folder) {
  std::string begin = ".";
  begin += folder.filename().string();
  return begin += '.';
}

// A name of its own on every machine that writes there.
fs::path draft_of(const fs::path& folder) {
  std::random_device random;
  std::string name = draft_begin(folder);
  name += hex((static_cast<std::uint64_t>(random()) << 32) | random());
  name += ".tmp";
  return folder.parent_path() / name;
}

// Of an entry that is there: drafts of it are those of killed writers, or come too late.
void remove_drafts(const fs::path& folder) {
  const std::string begin = draft_begin(folder);
  std::vector<fs::path> drafts;
  std::error_code ignored;
  for (const auto& item : fs::directory_iterator(folder.parent_path(), ignored)) {
    if (item.path().filename().string().starts_with(begin)) drafts.push_back(item.path());
  }
  for (const fs::path& draft : drafts) fs::remove_all(draft, ignored);
}

// Whether a path that a file names is one that the stage makes.
bool belongs(const std::string& path, const Stage& stage) {
  const fs::path plain = fs::path(path).lexically_normal();
  if (plain.is_absolute() || plain.string() != path) return false;
  return std::any_of(stage.makes.begin(), stage.makes.end(),
                     [&](const std::string& made) { return lies_in(path, made); });
}

}  // namespace

struct SharedStages::Entry {
  const Stage& stage;
  std::string identity;
  fs::path folder, lease;
};

SharedStages::SharedStages(const Here& here, const ResolvedDeck& deck) : here_(here), deck_(deck) {}

bool SharedStages::shares(const Stage& stage) const {
  return !here_.settings.shared.empty() && !stage.sections.empty() && !stage.makes.empty();
}

SharedStages::Entry SharedStages::entry_of(const Stage& stage) const {
  const std::string device = here_.device.cuda ? "cuda" : "cpu";
  Entry entry{stage, stage_identity(stage, deck_, device, taken_instruction_sets(), here_.directory.root()), {}, {}};
  std::string name = stage.name + "-";
  name += hex(checksum(entry.identity));
  entry.folder = here_.settings.shared / name;
  entry.lease = here_.settings.shared / (name + ".lease");
  return entry;
}

// Puts the entry's files in their place and marks the stage done. nullopt: there is none, or it is damaged and was put aside.
std::optional<Json> SharedStages::take(const Entry& entry, const Json& inputs) const {
  const fs::path index = entry.folder / "shared.json";
  if (!fs::exists(index)) return std::nullopt;
  const fs::path& root = here_.directory.root();
  try {
    const Json json = Json::parse(read_file(index), nullptr, false);
    if (!json.is_object() || !json.contains("files") || !json["files"].is_object() || !json.contains("facts") ||
        !json["facts"].is_object() || json.value("identity", std::string()) != entry.identity) {
      throw input_error(index, "does not describe stage " + entry.stage.name + " of this deck");
    }
    std::error_code ignored;  // what a start that was cut off has left
    for (const std::string& made : entry.stage.makes) fs::remove_all(root / made, ignored);
    for (const auto& [path, sum] : json["files"].items()) {
      if (!belongs(path, entry.stage)) throw input_error(index, "names '" + path + "', which is no file of this stage");
      place_file(entry.folder / "files" / path, root / path);
      const std::string found = file_checksum(root / path);
      if (!sum.is_string() || found != sum.get<std::string>()) {
        fs::remove(root / path, ignored);
        throw input_error(entry.folder / "files" / path, "has checksum " + found + ", " + sum.dump() + " was expected");
      }
    }
    Json facts = json["facts"];
    facts["inputs"] = inputs;
    facts["shared"] = entry.folder.string();
    facts["made_in"] = json.value("made_in", std::string());
    here_.directory.finish_stage(entry.stage.name, here_.deck_hash, facts);
    facts["stage"] = entry.stage.name;
    return facts;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    std::error_code code;
    fs::path aside = entry.folder;
    aside += ".damaged-" + std::to_string(::getpid());
    fs::rename(entry.folder, aside, code);
    log::warning(std::string(error.what()) + "; it is put aside as " + aside.filename().string() +
                 " and the stage made again");
    return std::nullopt;
  }
}

void SharedStages::publish(const Entry& entry, const Json& marker) const {
  if (fs::exists(entry.folder)) return;
  // The entry's identity names the instruction sets of this start: what others computed, all or in part, is no such stage.
  if (marker.value("instruction_sets", std::vector<std::string>()) != std::vector{taken_instruction_sets()}) {
    log::info(entry.stage.name + ": was not computed with " + taken_instruction_sets() +
              " alone, as this start computes, and is not shared");
    return;
  }
  const fs::path& root = here_.directory.root();
  const fs::path draft = draft_of(entry.folder);
  std::error_code ignored;
  try {
    Json json;
    json["stage"] = entry.stage.name;
    json["made_in"] = root.string();
    json["identity"] = entry.identity;
    json["facts"] = Json::object();
    for (const auto& [key, value] : marker.items()) {
      if (key != "stage" && key != "deck_hash" && key != "inputs") json["facts"][key] = value;
    }
    json["files"] = Json::object();
    for (const std::string& made : entry.stage.makes) {
      for (const std::string& file : files_under(root, made)) {
        json["files"][file] = file_checksum(root / file);
        place_file(root / file, draft / "files" / file);
      }
    }
    write_file_atomic(draft / "shared.json", json.dump(1) + "\n");
    std::error_code code;
    fs::rename(draft, entry.folder, code);  // onto one that is there it fails: that one stays
    if (code && !fs::exists(entry.folder))
      throw Error(ErrorKind::resource, entry.folder.string() + ": cannot be renamed into place: " + code.message());
    sync_folder(entry.folder.parent_path());
    remove_drafts(entry.folder);
  } catch (const std::exception& error) {
    log::warning(entry.stage.name + ": is made, and not shared: " + error.what());
  }
  fs::remove_all(draft, ignored);
}

Json SharedStages::run(const Stage& stage, const Json& inputs, const std::function<Json()>& make) const {
  if (!shares(stage)) return make();
  const RunOptions& run = here_.settings;
  const std::string owner = fs::absolute(here_.directory.root()).lexically_normal().string();
  std::optional<Entry> entry;
  std::optional<LeaseWatch> watch;
  std::unique_ptr<Lease> lease;
  std::string waiting_for;
  std::string taken;
  // The root alone looks; all ranks wait together, so that a stop is seen by all.
  const auto look = [&] {
    if (!entry) {
      entry.emplace(entry_of(stage));
      watch.emplace(entry->lease, owner, run.lease_seconds);
    }
    if (const auto marker = take(*entry, inputs)) {
      taken = marker->dump();
      return;
    }
    lease = Lease::take(entry->lease, owner, run.lease_seconds / 6.0);
    if (lease) {
      if (const auto marker = take(*entry, inputs)) {  // its maker ended between the two looks
        taken = marker->dump();
        lease.reset();
      }
      return;
    }
    const LeaseWatch::State state = watch->look();
    if (state == LeaseWatch::State::dead && watch->remove_dead())
      log::info(stage.name + ": " + watch->holder().text() + " was to make it and is gone");
    if (state != LeaseWatch::State::held || watch->holder().text() == waiting_for) return;
    waiting_for = watch->holder().text();
    log::info(stage.name + ": is being made by " + waiting_for + "; waiting for it");
  };
  for (;;) {
    here_.comm.on_root(look);
    here_.comm.broadcast(taken);
    if (!taken.empty()) {
      Json marker = Json::parse(taken);
      log::info(stage.name + ": taken from " + marker["shared"].get<std::string>());
      return marker;
    }
    if (here_.comm.any(lease != nullptr)) break;
    if (here_.comm.any(here_.stop_requested())) {
      here_.comm.on_root([&] { record_waiting(here_.directory); });
      throw Error(ErrorKind::interrupted,
                  stage.name + ": stopped by a signal while another job makes it; run again to continue");
    }
    std::this_thread::sleep_for(between_looks);
  }
  Json marker = make();
  here_.comm.on_root([&] { publish(*entry, marker); });
  return marker;
}

void SharedStages::offer(const Stage& stage, const Json& marker) const {
  if (!shares(stage) || marker.contains("shared")) return;
  here_.comm.on_root([&] { publish(entry_of(stage), marker); });
}

}  // namespace rlaif::run
