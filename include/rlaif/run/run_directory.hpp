// A run directory: where things stand, who holds it, which stages are done.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/core/file_lock.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/core/resolved_deck.hpp"

namespace rlaif::run {

class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path model(const std::string& name) const { return root_ / "models" / name; }
  std::filesystem::path tokenizer() const { return root_ / "models" / "tokenizer.json"; }
  std::filesystem::path preferences(const std::string& name) const { return root_ / "preferences" / name; }
  // Verdicts on the study's policies, by judge.
  std::filesystem::path comparisons(const std::string& judge) const { return root_ / "comparisons" / judge; }
  // Labels by people of what was compared, by who they are.
  std::filesystem::path people(const std::string& name) const { return root_ / "people" / name; }
  std::filesystem::path metrics(const std::string& stage) const { return root_ / "metrics" / (stage + ".jsonl"); }
  std::filesystem::path checkpoints(const std::string& stage) const { return root_ / "checkpoints" / stage; }
  std::filesystem::path verdicts(const std::string& judge) const { return root_ / "verdicts" / judge; }
  std::filesystem::path written(const std::string& writer) const { return root_ / "written" / writer; }
  // Where the answers of those who are asked lie, by role: a folder for each judge or writer.
  std::map<std::string, std::filesystem::path> answers() const {
    return {{"judge", root_ / "verdicts"}, {"writer", root_ / "written"}};
  }
  std::filesystem::path evaluation(const std::string& name) const { return root_ / "evaluation" / (name + ".jsonl"); }
  std::filesystem::path report(const std::string& file) const { return root_ / "report" / file; }
  std::filesystem::path plan() const { return root_ / "plan.json"; }
  // How far the stage under way is, as its process noted last (core/progress.hpp).
  std::filesystem::path progress() const { return root_ / "progress.json"; }
  std::filesystem::path stage_marker(const std::string& stage) const { return root_ / "stages" / (stage + ".json"); }

  // What a stage under way started from.
  std::filesystem::path begun_file(const std::string& stage) const { return root_ / "begun" / (stage + ".json"); }
  std::filesystem::path lock() const { return root_ / "run.lock"; }

  // Creates the folder and run.json, or checks run.json: a directory of another deck is an Error(input) that names
  // the keys that differ. A damaged run.json is written again where a done stage says whose run this is, else it is an
  // Error(input). Removes what killed writers left. Root rank only, with the lock held.
  // `instruction_sets`: what this start computes with.
  void open(const ResolvedDeck& deck, const std::string& name, std::uint64_t seed, int ranks,
            const std::string& instruction_sets) const;

  // What a stage that is not done yet began with: digests of what the stages before it made (an empty object: nobody knows),
  // and the instruction sets of all starts that worked on it.
  struct Begun {
    Json inputs = Json::object();
    std::vector<std::string> instruction_sets;
  };
  void begin_stage(const std::string& stage, const Begun& begun) const;
  Begun begun_with(const std::string& stage) const;
  // Removes what the stage made so far, paid answers apart.
  void forget_stage(const std::string& stage, const std::vector<std::string>& makes) const;

  // Done markers, with a checksum of themselves. A marker of another deck or a damaged one counts as absent. finish_stage
  // is the last thing a stage does; it removes the stage's checkpoints.
  std::optional<Json> finished_stage(const std::string& stage, const std::string& deck_hash) const;
  void finish_stage(const std::string& stage, const std::string& deck_hash, Json facts) const;

 private:
  bool has_stage_of(const std::string& deck_hash) const;

  std::filesystem::path root_;
};

// Who holds the run directory now, as the lock names them; nullopt: nobody.
std::optional<std::string> run_holder(const std::filesystem::path& root);
// The same by its name in the lock's file alone, for who only looks and takes no lock: one that was killed on another machine
// still stands there.
std::optional<std::string> noted_holder(const std::filesystem::path& root);

// One job at a time: an advisory lock on run.lock, which names its holder. Released when the process ends, however. Where the
// file system has no locks a warning says so, and the run goes on without.
class RunLock {
 public:
  RunLock() = default;
  explicit RunLock(const std::filesystem::path& root);  // throws Error(resource) naming the holder
  RunLock(RunLock&&) noexcept = default;
  RunLock& operator=(RunLock&&) noexcept = default;
  ~RunLock();

 private:
  FileLock lock_;
};

}  // namespace rlaif::run
