// A stage of a run: all that is to be said about it in one place, and nothing about learning.
//   run::Stage{.name = "ppo-rlaif", .kind = "ppo", .of = "rlaif", .command = "ppo", .size = "80 steps of 128 responses",
//              .sections = {"ppo", "arm.rlaif"}, .reads = {"models/sft"}, .makes = {"models/rlaif"}, ...}
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/core/resolved_deck.hpp"
#include "rlaif/core/types.hpp"
#include "rlaif/run/here.hpp"

namespace rlaif::run {

// What needs are predicted for.
struct Assumed {
  int ranks = 1;
  double prompt_tokens = 64;  // of a prompt, with its template
};

// What a stage needs, predicted from sizes alone. Its parts are alive together.
struct Needs {
  struct Part {
    std::string name;
    double bytes = 0.0;  // on one rank
  };
  std::vector<Part> parts;
  double generated_tokens = 0.0;  // over all ranks
  double flops = 0.0;  // over all ranks: 2 a weight and token forward, 4 more backward (2 where weights are frozen)
  // Comparisons, or single responses, that judges are asked about.
  struct Asked {
    std::string judge;
    double count = 0.0;  // at most
    AsksAbout about = AsksAbout::pairs;
  };
  std::vector<Asked> asked = {};
  // Texts, at most, that a writer is asked for: about so many prompts, of which some have these conversations.
  struct Written {
    std::string writer;
    double prompts = 0.0;
    std::function<std::vector<std::vector<Message>>(std::span<const Prompt* const> prompts)> conversations;
  };
  std::vector<Written> written = {};
  double bytes() const;
};

struct Stage {
  std::string name;     // of its done marker, metrics and checkpoints: "ppo-rlaif"
  std::string kind;     // what reports group by: "ppo"
  std::string of;       // the arm, data set or judge model that it is for; empty: the study
  std::string command;  // of the command line, that runs it alone: "sft" runs tokenizer, sft and judge models
  std::string size;     // what it will do, for --dry-run
  // What decides it: sections of the deck ("ppo", "judge.ai") and single keys ("study.judges"). Where there are none it
  // is not shared between runs.
  std::vector<std::string> sections = {};
  // Files and folders below the run directory that earlier stages made, or folders by their whole path. A stage begins
  // again where one of the stages that made them came out otherwise.
  std::vector<std::string> reads = {};
  // Below the run directory: its done marker lists them by checksum, and it is run again where one is damaged or lost;
  // those in metrics/ are records: damage to them is said, and nothing is run again.
  std::vector<std::string> makes = {};
  // Earlier stages after which this one may not be wanted: it is left out where the facts of one of them hold "ends": true.
  std::vector<std::string> unless_ended_by = {};
  std::function<Needs(const Assumed&)> needs = {};  // empty: next to nothing
  std::function<Json(const Here&)> run = {};  // collective; returns the facts for the done marker (the root's count)
};

// Stages in their order. One name, one stage: who needs what a stage makes adds it, and it is made once.
class StagePlan {
 public:
  void add(Stage stage);
  bool has(const std::string& name) const;
  const std::vector<Stage>& stages() const { return stages_; }

 private:
  std::vector<Stage> stages_;
};

// Everything that decides the stage, as text: name and form, versions, device and instruction sets, its sections'
// texts, checksums of the input files they name and of what it reads.
std::string stage_identity(const Stage& stage, const ResolvedDeck& deck, const std::string& device,
                           const std::string& instruction_sets, const std::filesystem::path& root);

// What a model's folder holds for its readers alone: no stage makes or reads it, and no checksum lists it.
inline const char* const model_card = "README.md";

// Regular files under a file or folder of `root`, sorted, as paths relative to root; temporary files and model cards aside.
std::vector<std::string> files_under(const std::filesystem::path& root, const std::string& path);

// Whether a path below the run directory is `named` or lies in it.
bool lies_in(const std::string& path, const std::string& named);

}  // namespace rlaif::run
