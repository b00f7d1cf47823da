// What every training stage shares: grains, checkpoints, metrics, stopping.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/comm/device.hpp"
#include "rlaif/comm/grains.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/train/optimizer.hpp"

namespace rlaif::train {

// Where a stage runs and what it reports to. Built by the study.
struct StageRun {
  const comm::Communicator* comm = nullptr;
  comm::DeviceCommunicator* device_comm = nullptr;  // models on GPUs, one rank a GPU: gradients are summed by NCCL
  std::string name;                                 // "sft", "reward-ai", ... : progress and file names
  std::filesystem::path checkpoint_folder;          // checkpoints/<name>; empty: no checkpoints
  std::filesystem::path metrics_file;     // metrics/<name>.jsonl: one object a step, no timings in it; empty: none
  int checkpoint_every_steps = 100;       // 0: only where a stop is asked for
  double checkpoint_every_seconds = 0.0;  // by rank 0's clock; 0: off. Results do not depend on when state is saved
  int grains = 4;
  bool shard_optimizer = false;         // every rank keeps the optimizer state of its share of the parameters alone
  std::int64_t micro_batch_tokens = 0;  // tokens of a grain that are processed at once; 0: all. See micro_batches
  StateShards state_shards() const { return shard_optimizer ? StateShards{comm, device_comm} : StateShards{}; }
  std::function<bool()> stop_requested = [] { return false; };  // this rank's flag; ranks agree at step boundaries
};

class GradientBuckets;

// Gradients over grains. For each own grain: gradients zeroed, backward(grain) runs forward and backward of the SUM
// of its losses and returns a row of `width` sums; gradients go into the tree sum. Afterwards the flat gradient holds
// the global sum on every rank, and the rows are summed in the order of grains. `backward` makes no collective calls;
// where it throws on one rank, all ranks throw.
// With Result::own_shard the sum is left in this rank's comm::shard_of the gradient alone, for an AdamW over shards.
// With a device communicator the own grains add up in the gradient itself and NCCL sums over ranks, in buckets: the sum
// stays on the device, and its last bits depend on the number of ranks.
class DataParallel {
 public:
  enum class Result { whole, own_shard };
  DataParallel(const comm::Communicator& comm, int grains, FlatParameters& parameters,
               comm::DeviceCommunicator* device_comm = nullptr, Result result = Result::whole);
  DataParallel(const StageRun& run, FlatParameters& parameters)
      : DataParallel(*run.comm, run.grains, parameters, run.device_comm,
                     run.shard_optimizer ? Result::own_shard : Result::whole) {}
  ~DataParallel();
  std::vector<double> accumulate(std::size_t width, const std::function<std::vector<double>(int grain)>& backward);
  // Within `backward`, before the last backward pass of a grain: buckets may leave while it runs. Not saying so is correct
  // and slower.
  void last_backward();
  comm::GrainRange own() const { return sum_.own(); }
  int grains() const { return grains_; }
  const comm::Communicator& communicator() const { return comm_; }

 private:
  const comm::Communicator& comm_;
  int grains_;
  FlatParameters& parameters_;
  comm::DeviceCommunicator* device_comm_;
  Result result_;
  comm::GrainSum sum_;
  std::unique_ptr<GradientBuckets> buckets_;  // with a device communicator
  int grain_ = -1;                            // the one that backward() is called for

  std::vector<double> accumulate_on_device(std::size_t width,
                                           const std::function<std::vector<double>(int grain)>& backward);
};

// The part of accumulate that concerns rows: f(grain) for each own grain, then the rows of all grains summed in their
// order, on every rank. For statistics that need no gradient.
std::vector<double> sum_grain_rows(const comm::Communicator& comm, int grains, std::size_t width,
                                   const std::function<std::vector<double>(int grain)>& row);

// Items [begin, end) of a batch of `items` that fall to a grain: contiguous, sizes differ by at most one; empty where
// there are fewer items than grains.
std::pair<std::int64_t, std::int64_t> grain_items(std::int64_t items, int grain, int grains);

// Metrics of a stage: rank 0 appends a line a step; on resume the file is cut back to what the checkpoint knew.
class MetricsFile {
 public:
  // On ranks other than 0 it does nothing. Throws Error(input) where the file is shorter than `size`.
  MetricsFile(const StageRun& run, std::uint64_t size);
  void write(const Json& line);
  std::uint64_t sync();          // returns the size now
  std::string checksum() const;  // of the file so far; empty where there is none

 private:
  AppendFile file_;
  RunningChecksum sum_;
  bool active_;
};

// Checkpoints: step-XXXXXXXX.safetensors, whole or absent, with a checksum of their tensors in the metadata; the
// last two are kept. Written by rank 0, read by all.
struct Checkpoint {
  std::int64_t step = 0;  // steps done
  std::uint64_t metrics_size = 0;
  Json extra;  // small state of the stage (KL coefficient, running sums)
  std::vector<model::NamedTensor> tensors;
  std::string metrics_checksum{};  // of the metrics' first metrics_size bytes; empty: not known
};
void save_checkpoint(const StageRun& run, const Checkpoint& checkpoint);
// The newest checkpoint that reads back whole, and whose metrics are still what they were (another one is said and passed
// over); step 0 where there is none.
Checkpoint load_checkpoint(const StageRun& run);
// The same, with parameters and optimizer set to what it holds; they stay as they are where there is none. Its tensors, three
// times the parameters, are let go.
Checkpoint resume(const StageRun& run, const std::vector<model::NamedTensor>& parameters, AdamW& optimizer);

// Runs steps [checkpoint.step, total): step(s) does the work and returns its metrics line; save() gives the state to
// checkpoint. Throws Error(interrupted) after saving when a stop was asked for. Prints progress with rate and ETA.
// The result does not depend on how often checkpoints are written or how often the stage was stopped.
struct LoopCallbacks {
  std::function<Json(std::int64_t step)> step;
  std::function<Checkpoint()> save;                       // tensors and extra; loop fills the rest
  std::function<std::string(const Json&)> progress_text;  // short detail for the progress line
  // Optional: what the last step processed. The progress line then shows tokens a second over all ranks and the
  // operations a second of one rank (training_flops_per_token); neither goes to the metrics.
  struct Work {
    double tokens = 0.0, flops = 0.0;  // of all ranks
  };
  std::function<Work()> work;
};
void run_loop(const StageRun& run, std::int64_t total_steps, const Checkpoint& start, const LoopCallbacks& callbacks);

}  // namespace rlaif::train
