#include "rlaif/run/options.hpp"

#include <string>
#include <utility>
#include <vector>

#include "rlaif/core/option_table.hpp"

namespace rlaif::run {

void bind_run(OptionTable& table, RunOptions& o) {
  table.add_place("run.directory", &o.directory, "where everything of the run is kept");
  table.add_place(
      "run.shared", &o.shared,
      "folder of stages that several runs agree on: each is made by one of them and taken by the others; empty: none");
  table
      .add("run.lease_seconds", &o.lease_seconds, "seconds",
           "time without a sign of life after which the maker of a shared stage counts as dead")
      .above(0)
      .no_result();
  table.add("run.seed", &o.seed, "", "keys every random draw");
  table.add_choice<comm::DeviceChoice>(
      "run.device", &o.device,
      {{"cpu", comm::DeviceChoice::cpu}, {"cuda", comm::DeviceChoice::cuda}, {"auto", comm::DeviceChoice::automatic}},
      "where models live");
  table.add("run.threads", &o.threads, "threads", "CPU threads a rank").at_least(1);
  std::vector<std::pair<std::string, std::optional<InstructionSet>>> sets{{"auto", std::nullopt}};
  for (const InstructionSet set : {InstructionSet::base, InstructionSet::avx2, InstructionSet::avx512})
    sets.emplace_back(to_string(set), set);
  table
      .add_choice<std::optional<InstructionSet>>(
          "run.instruction_set", &o.instruction_set, sets,
          "instruction set of the processors, for libtorch, MKL, oneDNN and the program's own "
          "loops; auto: the best that every rank has. "
          "Another one gives other last bits; "
          "run.json says which was taken, a run may go on under another (and "
          "says so), and shared stages are taken from "
          "runs of the same alone")
      .no_result();
  // What was taken decides results, not what was asked for: it is kept apart, with the stages.
  table
      .add("run.watchdog_minutes", &o.watchdog_minutes, "minutes",
           "longest wait of a rank in one collective: past it the run ends with exit code 4 and says who is missing; "
           "more than the longest work of a block; 0: no limit")
      .at_least(0)
      .no_result();
  table
      .add("run.grains", &o.grains, "",
           "pieces a global batch is cut into; results are the same bytes on any number of ranks; ranks beyond it idle "
           "in training")
      .at_least(1);
  table
      .add("run.checkpoint_every_steps", &o.checkpoint_every_steps, "steps",
           "steps between checkpoints of a training stage; 0: by time alone")
      .at_least(0)
      .no_result();
  table
      .add("run.checkpoint_every_seconds", &o.checkpoint_every_seconds, "seconds",
           "seconds between checkpoints; 0: by steps alone")
      .at_least(0)
      .no_result();
  table.add("run.shard_optimizer", &o.shard_optimizer, "", "each rank keeps its part of the optimizer's state (ZeRO-1)")
      .no_result();
  table
      .add("run.checkpoint_activations", &o.checkpoint_activations, "",
           "training computes layers again instead of keeping what they made")
      .no_result();
  table
      .add("run.micro_batch_tokens", &o.micro_batch_tokens, "tokens",
           "a piece of a batch is worked on in parts of at most so many; 0: at once")
      .at_least(0);
}

}  // namespace rlaif::run
