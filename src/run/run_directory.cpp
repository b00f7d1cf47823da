#include "rlaif/run/run_directory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <thread>

#include "rlaif/core/error.hpp"
#include "rlaif/core/file_lock.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/version.hpp"

namespace rlaif::run {
namespace {

namespace fs = std::filesystem;

// The keys whose texts differ between two decks, at most five, as "key (there: a, here: b)".
std::string differing_keys(const Json& there, const Json& here) {
  std::string text;
  int shown = 0, differing = 0;
  for (const auto& [key, value] : here.items()) {
    const std::string was = there.contains(key) && there[key].is_string() ? there[key].get<std::string>() : "(not set)";
    if (was == value.get<std::string>()) continue;
    if (++differing > 5) continue;
    text += (shown++ ? ", " : "") + key + " (there: " + was + ", here: " + value.get<std::string>() + ")";
  }
  for (const auto& [key, value] : there.items()) {
    if (here.contains(key)) continue;
    if (++differing > 5) continue;
    text += (shown++ ? ", " : "") + key + " (there: " + value.dump() + ", here: not set)";
  }
  if (differing > 5) text += " and " + std::to_string(differing - 5) + " more";
  return text;
}

// A killed writer leaves its temporary file behind; with the lock held nobody writes here now.
void remove_leftovers(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> leftovers;
  for (const auto& item : std::filesystem::recursive_directory_iterator(root)) {
    const std::string name = item.path().filename().string();
    if (item.is_regular_file() && name.starts_with('.') && name.ends_with(".tmp")) leftovers.push_back(item.path());
  }
  for (const auto& file : leftovers) std::filesystem::remove(file);
}

Json deck_as_json(const ResolvedDeck& deck) {
  Json keys = Json::object();
  for (const auto& entry : deck.entries) {
    if (entry.results) keys[entry.key] = entry.text;
  }
  for (const auto& [key, sum] : deck.inputs) keys["checksum of " + key] = sum;
  return keys;
}

}  // namespace

namespace {

// Whether run.json is whole. Throws Error(input) where it is another deck's.
bool check_run_file(const std::filesystem::path& file, const ResolvedDeck& deck, const Json& keys) {
  Json run;
  try {
    run = read_sealed_json(file);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    return false;
  }
  if (run.value("deck_hash", std::string()) == deck.hash()) return true;
  throw input_error(file.parent_path(), "is the run directory of another deck; choose another run.directory or undo: " +
                                            differing_keys(run.value("deck", Json::object()), keys));
}

}  // namespace

bool RunDirectory::has_stage_of(const std::string& deck_hash) const {
  const std::filesystem::path folder = root_ / "stages";
  if (!std::filesystem::exists(folder)) return false;
  for (const auto& item : std::filesystem::directory_iterator(folder)) {
    if (item.path().extension() == ".json" && finished_stage(item.path().stem().string(), deck_hash)) return true;
  }
  return false;
}

void RunDirectory::open(const ResolvedDeck& deck, const std::string& name, std::uint64_t seed, int ranks,
                        const std::string& instruction_sets) const {
  const std::filesystem::path file = root_ / "run.json";
  const Json keys = deck_as_json(deck);
  if (std::filesystem::exists(root_)) remove_leftovers(root_);
  if (std::filesystem::exists(file)) {
    if (check_run_file(file, deck, keys)) return;
    if (!has_stage_of(deck.hash())) {
      throw input_error(
          file,
          "is damaged, and no stage is done that would say which deck's run this is; another run.directory was "
          "expected, or this one removed");
    }
    log::warning(file.string() + ": is damaged; the done stages are this deck's, and it is written again");
    std::filesystem::remove(file);
  } else if (std::filesystem::exists(root_ / "stages")) {
    throw input_error(root_, "holds stages of a run but no run.json; a run directory or a new folder was expected");
  }
  Json run;
  run["program"] = "rlaif";
  run["version"] = version();
  run["name"] = name;
  run["seed"] = seed;
  run["ranks_at_start"] = ranks;
  run["instruction_set"] = instruction_sets;
  run["deck_hash"] = deck.hash();
  run["deck"] = keys;
  Json others = Json::object();
  for (const auto& entry : deck.entries) {
    if (!entry.results) others[entry.key] = entry.text;
  }
  run["other_settings"] = others;
  write_sealed_json(file, std::move(run));
}

std::optional<Json> RunDirectory::finished_stage(const std::string& stage, const std::string& deck_hash) const {
  const std::filesystem::path file = stage_marker(stage);
  if (!std::filesystem::exists(file)) return std::nullopt;
  try {
    Json marker = read_sealed_json(file);
    if (marker.value("deck_hash", std::string()) == deck_hash) return marker;
  } catch (const Error& error) {
    log::warning(std::string(error.what()) + "; the stage is run again");
  }
  return std::nullopt;
}

void RunDirectory::finish_stage(const std::string& stage, const std::string& deck_hash, Json facts) const {
  Json marker;
  marker["stage"] = stage;
  marker["deck_hash"] = deck_hash;
  for (auto& [key, value] : facts.items()) marker[key] = value;
  write_sealed_json(stage_marker(stage), std::move(marker));
  // Nothing starts from the checkpoints of a stage that is done.
  std::error_code ignored;
  std::filesystem::remove_all(checkpoints(stage), ignored);
  std::filesystem::remove(begun_file(stage), ignored);
}

void RunDirectory::begin_stage(const std::string& stage, const Begun& begun) const {
  write_sealed_json(begun_file(stage), {{"inputs", begun.inputs}, {"instruction_sets", begun.instruction_sets}});
}

RunDirectory::Begun RunDirectory::begun_with(const std::string& stage) const {
  const std::filesystem::path file = begun_file(stage);
  if (!std::filesystem::exists(file)) return {};
  const std::vector<std::string> not_noted{"instruction sets that were not noted"};
  try {
    const Json json = read_sealed_json(file);
    return {json.value("inputs", Json::object()), json.value("instruction_sets", not_noted)};
  } catch (const Error& error) {
    log::warning(std::string(error.what()) + "; what the stage has done is held against its own files alone");
    return {Json::object(), not_noted};
  }
}

void RunDirectory::forget_stage(const std::string& stage, const std::vector<std::string>& makes) const {
  std::filesystem::remove(stage_marker(stage));
  std::filesystem::remove_all(checkpoints(stage));
  for (const std::string& made : makes) std::filesystem::remove_all(root_ / made);
  std::filesystem::remove(begun_file(stage));  // last: a start that is cut off here begins again from here
}

namespace {

fs::path lock_file(const fs::path& root) { return RunDirectory(root).lock(); }

std::string first_line(const fs::path& file) {
  const std::string text = read_file(file);
  return text.substr(0, text.find('\n'));
}

// Who holds the lock, as its file says. Between taking it and writing its name a holder is nobody, or the file still has the
// name of one before it: asked again for a moment. nullopt: nobody who could hold it is named.
std::optional<Holder> named_holder(const fs::path& file) {
  for (int look = 0; look < 20; ++look) {
    const auto holder = Holder::parse(first_line(file));
    if (holder && !holder->is_gone()) return holder;
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  return std::nullopt;
}

std::string held_text(const fs::path& root) {
  const auto holder = named_holder(lock_file(root));
  if (!holder) {
    return "another process holds this run directory: " + lock_file(root).string() +
           " is locked, and no process that is there is named in it";
  }
  const std::string job = Holder::here().job;
  const bool own = !job.empty() && holder->job == job;
  return (own ? "another process of this job holds this run directory: " : "another job holds this run directory: ") +
         holder->text();
}

}  // namespace

std::optional<std::string> run_holder(const fs::path& root) {
  const fs::path file = lock_file(root);
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  FileLock::Result result = FileLock::Result::unavailable;
  try {
    result = try_lock(descriptor, file, FileLock::Mode::shared);
  } catch (const Error&) {  // as good as none: this only looks
  }
  ::close(descriptor);
  if (result == FileLock::Result::taken) return std::nullopt;
  const auto holder = named_holder(file);
  if (result == FileLock::Result::held) return holder ? holder->text() : "a process that has not named itself";
  // Without locks a name is all there is; its owner clears it, unless it was killed.
  return holder ? std::optional(holder->text() + ", if it was not killed: there are no file locks here") : std::nullopt;
}

std::optional<std::string> noted_holder(const fs::path& root) {
  const fs::path file = lock_file(root);
  if (!fs::exists(file)) return std::nullopt;
  const auto holder = Holder::parse(first_line(file));
  return holder && !holder->is_gone() ? std::optional(holder->text()) : std::nullopt;
}

RunLock::RunLock(const fs::path& root) {
  make_folders(root);
  const fs::path file = lock_file(root);
  const FileLock::Result result = lock_.take(file);
  if (result == FileLock::Result::held) throw Error(ErrorKind::resource, root.string() + ": " + held_text(root));
  if (result == FileLock::Result::unavailable) {
    log::warning(root.string() + ": " + lock_.reason() +
                 ": nothing keeps another job out of this run directory; see to it that there is none");
  }
  const std::string holder = Holder::here().text() + "\n";
  if (::ftruncate(lock_.descriptor(), 0) != 0 ||
      ::write(lock_.descriptor(), holder.data(), holder.size()) != static_cast<ssize_t>(holder.size())) {
    throw io_error(file, "cannot be written");
  }
}

RunLock::~RunLock() {
  // The name goes with its owner, so that nobody later is taken for it.
  if (lock_.is_open() && ::ftruncate(lock_.descriptor(), 0) != 0) return;
}

}  // namespace rlaif::run
