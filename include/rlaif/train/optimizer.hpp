// Parameters as one flat buffer, AdamW over it, learning-rate schedules.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/comm/device.hpp"
#include "rlaif/comm/grains.hpp"
#include "rlaif/model/tensor.hpp"
#include "rlaif/train/options.hpp"

namespace rlaif::train {

// Moves parameters into one flat float32 tensor (each becomes a view of it) and gives them gradients that are views
// of a second one: reduction, clipping, the optimizer and checkpoints work on whole buffers. Every parameter starts
// at a multiple of 64 bytes; the gaps hold zeros. While the object lives the parameters require gradients; after it
// they keep their values and require none.
class FlatParameters {
 public:
  struct Group {
    std::string name;
    std::vector<model::NamedTensor> parameters;
    double learning_rate_scale = 1.0;
  };
  explicit FlatParameters(const std::vector<Group>& groups);
  ~FlatParameters();
  FlatParameters(const FlatParameters&) = delete;
  FlatParameters& operator=(const FlatParameters&) = delete;

  torch::Tensor values() const { return values_; }        // [P]
  torch::Tensor gradients() const { return gradients_; }  // [P]
  void zero_gradients();
  std::size_t size() const { return static_cast<std::size_t>(values_.numel()); }
  // The elements [begin, end) of a group in the flat buffers.
  struct Range {
    std::int64_t begin, end;
    double learning_rate_scale;
    std::string name;
  };
  const std::vector<Range>& ranges() const { return ranges_; }
  // Where each parameter stands, in the order of the buffers.
  struct Place {
    torch::Tensor parameter;
    std::int64_t begin, end;
  };
  const std::vector<Place>& places() const { return places_; }

 private:
  torch::Tensor values_, gradients_;
  std::vector<Place> places_;
  std::vector<Range> ranges_;
};

// The rate of step `step` in [0, total_steps).
double scheduled_rate(const ScheduleOptions& options, std::int64_t step, std::int64_t total_steps);

// Ranks among which the optimizer's state is shared out (ZeRO stage 1, Rajbhandari et al. 1910.02054): each holds the
// moments of its shard of the flat buffers (comm::shard_of) and updates those values; then all get all values.
struct StateShards {
  const comm::Communicator* comm = nullptr;    // null: every rank holds all state
  comm::DeviceCommunicator* device = nullptr;  // values on GPUs are shared by NCCL
};

// With StateShards all but the constructor is collective, and gradients need hold the sum in the own shard only. Values
// are then bit for bit those of one rank without shards; on GPUs up to the order of additions in the norm.
class AdamW {
 public:
  AdamW(FlatParameters& parameters, AdamWOptions options, StateShards shards = {});
  // Gradients times `gradient_scale`, clipped, then one AdamW step (Loshchilov & Hutter 1711.05101) with
  // `learning_rate` times each group's scale. Returns the norm before clipping; leaves the scaled and clipped
  // gradients in the buffer (in the own shard). Throws Error(internal) where the norm is not finite, and changes
  // nothing then.
  double step(double learning_rate, double gradient_scale);
  // Restricts norm, clipping and update to some groups by name.
  double step_groups(double learning_rate, double gradient_scale, const std::vector<std::string>& groups);

  // "adam.m", "adam.v", "adam.steps" [groups]: the same whether sharded or not. With shards the moments are gathered on
  // the root; elsewhere they are left out.
  std::vector<model::NamedTensor> state() const;
  // The state of any number of ranks. Throws Error(input) naming the tensor that is missing or has another shape.
  void load_state(const std::vector<model::NamedTensor>& state);

 private:
  double update(double learning_rate, double gradient_scale, const std::vector<std::size_t>& groups);
  double sum_of_squares(const std::vector<std::size_t>& groups) const;
  void share_values();
  // The own elements of a group: [begin, end) of the flat buffers, empty where they are all in other shards.
  FlatParameters::Range own_part(std::size_t group) const;

  FlatParameters& parameters_;
  AdamWOptions options_;
  StateShards shards_;
  comm::Shard shard_;
  torch::Tensor first_moment_, second_moment_;  // of the shard
  std::vector<torch::Tensor> steps_;            // one scalar a group, float32: what the fused kernel takes
};

}  // namespace rlaif::train
