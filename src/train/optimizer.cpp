#include "rlaif/train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "tensors.hpp"

namespace rlaif::train {

namespace {

constexpr std::int64_t kAlignmentElements = 16;  // 64 bytes of float32: one cache line, one AVX-512 register

std::int64_t aligned(std::int64_t count) {
  return (count + kAlignmentElements - 1) / kAlignmentElements * kAlignmentElements;
}

constexpr std::size_t kLanes = 8;

// Adds squares in double, element i to lane i mod 8, whatever the number of threads.
void add_squares(const torch::Tensor& flat, std::span<double> lanes) {
  const float* values = flat.data_ptr<float>();
  const std::int64_t count = flat.numel();
  RLAIF_CHECK(count % static_cast<std::int64_t>(kLanes) == 0, "groups and shards are whole cache lines");
  for (std::int64_t i = 0; i < count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = values[i + static_cast<std::int64_t>(lane)];
      lanes[lane] += value * value;
    }
  }
}

torch::Tensor part(const torch::Tensor& flat, const FlatParameters::Range& range, std::int64_t flat_begin = 0) {
  return flat.narrow(0, range.begin - flat_begin, range.end - range.begin);
}

}  // namespace

FlatParameters::FlatParameters(const std::vector<Group>& groups) {
  const torch::NoGradGuard no_gradients;
  std::int64_t total = 0;
  for (const Group& group : groups) {
    const std::int64_t begin = total;
    for (const auto& [name, parameter] : group.parameters) {
      RLAIF_CHECK(parameter.scalar_type() == torch::kFloat32, "float32 parameter: " + name);
      for (const Place& other : places_) RLAIF_CHECK(!parameter.is_same(other.parameter), "one place for " + name);
      places_.push_back({parameter, total, total + parameter.numel()});
      total += aligned(parameter.numel());
    }
    ranges_.push_back({begin, total, group.learning_rate_scale, group.name});
  }
  RLAIF_CHECK(!places_.empty(), "at least one parameter");
  values_ = torch::zeros({total}, places_.front().parameter.options().requires_grad(false));
  gradients_ = torch::zeros_like(values_);
  for (auto& [parameter, begin, end] : places_) {
    const auto place = values_.narrow(0, begin, end - begin).view(parameter.sizes());
    place.copy_(parameter);
    parameter.set_data(place);
    parameter.requires_grad_(true);
    // A defined gradient is accumulated into in place, so it stays a view of the flat buffer.
    parameter.mutable_grad() = gradients_.narrow(0, begin, end - begin).view(parameter.sizes());
  }
}

FlatParameters::~FlatParameters() {
  for (auto& [parameter, begin, end] : places_) {
    parameter.mutable_grad() = torch::Tensor();
    parameter.requires_grad_(false);
  }
}

void FlatParameters::zero_gradients() { gradients_.zero_(); }

double scheduled_rate(const ScheduleOptions& options, std::int64_t step, std::int64_t total_steps) {
  if (step < options.warmup_steps) {
    return options.learning_rate * static_cast<double>(step + 1) / options.warmup_steps;
  }
  const std::int64_t peak = std::max(options.warmup_steps - 1, 0);
  const std::int64_t decay_steps = std::max<std::int64_t>(total_steps - 1 - peak, 1);
  const double progress = std::min(1.0, static_cast<double>(step - peak) / static_cast<double>(decay_steps));
  return options.learning_rate * (1.0 - (1.0 - options.end_fraction) * progress);
}

AdamW::AdamW(FlatParameters& parameters, AdamWOptions options, StateShards shards)
    : parameters_(parameters),
      options_(options),
      shards_(shards),
      shard_(shards.comm ? comm::shard_of(parameters.size(), shards.comm->rank(), shards.comm->size())
                         : comm::Shard{0, parameters.size()}),
      first_moment_(torch::zeros({static_cast<std::int64_t>(shard_.size())}, parameters.values().options())),
      second_moment_(torch::zeros_like(first_moment_)) {
  for (std::size_t i = 0; i < parameters.ranges().size(); ++i) {
    steps_.push_back(torch::zeros({}, parameters.values().options()));
  }
}

FlatParameters::Range AdamW::own_part(std::size_t group) const {
  FlatParameters::Range range = parameters_.ranges()[group];
  range.begin = std::clamp(range.begin, static_cast<std::int64_t>(shard_.begin), static_cast<std::int64_t>(shard_.end));
  range.end = std::clamp(range.end, range.begin, static_cast<std::int64_t>(shard_.end));
  return range;
}

double AdamW::step(double learning_rate, double gradient_scale) {
  std::vector<std::size_t> all(parameters_.ranges().size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return update(learning_rate, gradient_scale, all);
}

double AdamW::step_groups(double learning_rate, double gradient_scale, const std::vector<std::string>& groups) {
  const auto& ranges = parameters_.ranges();
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (std::find(groups.begin(), groups.end(), ranges[i].name) != groups.end()) chosen.push_back(i);
  }
  RLAIF_CHECK(chosen.size() == groups.size(), "every named group exists once");
  return update(learning_rate, gradient_scale, chosen);
}

double AdamW::sum_of_squares(const std::vector<std::size_t>& groups) const {
  double sum = 0.0;
  if (!parameters_.gradients().is_cpu()) {
    for (const std::size_t group : groups) {
      sum += part(parameters_.gradients(), own_part(group)).to(torch::kFloat64).square().sum().item<double>();
    }
    if (shards_.comm) shards_.comm->all_reduce_sum(std::span(&sum, 1));
    return sum;
  }
  std::vector<double> lanes(groups.size() * kLanes, 0.0);
  const auto add = [&] {
    for (std::size_t i = 0; i < groups.size(); ++i) {
      add_squares(part(parameters_.gradients(), own_part(groups[i])), std::span(lanes).subspan(i * kLanes, kLanes));
    }
  };
  // A lane goes on from rank to rank: one pass over memory in all, and the bits of a single rank.
  if (shards_.comm) {
    comm::in_rank_order(*shards_.comm, lanes, add);
  } else {
    add();
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    double of_group = 0.0;
    for (const double lane : std::span(lanes).subspan(i * kLanes, kLanes)) of_group += lane;
    sum += of_group;
  }
  return sum;
}

double AdamW::update(double learning_rate, double gradient_scale, const std::vector<std::size_t>& groups) {
  const torch::NoGradGuard no_gradients;
  const double norm = std::sqrt(sum_of_squares(groups)) * std::abs(gradient_scale);
  if (!std::isfinite(norm)) {
    throw Error(ErrorKind::internal, "the norm of the gradient is not finite; the parameters were left as they were");
  }
  double factor = gradient_scale;
  if (options_.clip_norm > 0.0 && norm > options_.clip_norm) factor *= options_.clip_norm / norm;
  const auto shard_begin = static_cast<std::int64_t>(shard_.begin);
  for (const std::size_t group : groups) {
    steps_[group].add_(1.0);
    const auto own = own_part(group);
    if (own.begin == own.end) continue;
    const auto gradients = part(parameters_.gradients(), own).mul_(factor);
    at::_fused_adamw_({part(parameters_.values(), own)}, {gradients}, {part(first_moment_, own, shard_begin)},
                      {part(second_moment_, own, shard_begin)}, {}, {steps_[group]},
                      learning_rate * own.learning_rate_scale, options_.beta1, options_.beta2, options_.weight_decay,
                      options_.eps, /*amsgrad=*/false, /*maximize=*/false);
  }
  if (shards_.comm) share_values();
  return norm;
}

void AdamW::share_values() {
  const auto values = parameters_.values();
  if (shards_.device) {
    void* const compute_stream = nullptr;  // libtorch computes on the device's default stream
    for (int r = 0; r < shards_.comm->size(); ++r) {
      const comm::Shard shard = comm::shard_of(parameters_.size(), r, shards_.comm->size());
      if (shard.size() > 0) {
        shards_.device->broadcast(values.data_ptr<float>() + shard.begin, shard.size(), r, compute_stream);
      }
    }
    return shards_.device->join(compute_stream);
  }
  const auto host = values.to(torch::kCPU);
  comm::share_shards(*shards_.comm, elements(host));
  if (!values.is_cpu()) parameters_.values().copy_(host);
}

std::vector<model::NamedTensor> AdamW::state() const {
  const auto steps = torch::stack(steps_);
  if (!shards_.comm) return {{"adam.m", first_moment_}, {"adam.v", second_moment_}, {"adam.steps", steps}};
  std::vector<model::NamedTensor> all;
  for (const auto& [name, moment] : {std::pair{"adam.m", first_moment_}, std::pair{"adam.v", second_moment_}}) {
    const auto whole = torch::empty({shards_.comm->is_root() ? parameters_.values().numel() : 0}, torch::kFloat32);
    const auto mine = moment.to(torch::kCPU);
    comm::collect_shards(*shards_.comm, elements(mine), elements(whole));
    if (shards_.comm->is_root()) all.emplace_back(name, whole);
  }
  all.emplace_back("adam.steps", steps);
  return all;
}

void AdamW::load_state(const std::vector<model::NamedTensor>& state) {
  const torch::NoGradGuard no_gradients;
  const auto own = [&](const std::string& name) {
    return checked_tensor(state, name, parameters_.values())
        .narrow(0, static_cast<std::int64_t>(shard_.begin), static_cast<std::int64_t>(shard_.size()));
  };
  const auto steps = checked_tensor(state, "adam.steps", torch::stack(steps_));
  const auto first = own("adam.m"), second = own("adam.v");
  first_moment_.copy_(first);
  second_moment_.copy_(second);
  for (std::size_t i = 0; i < steps_.size(); ++i) steps_[i].copy_(steps[static_cast<std::int64_t>(i)]);
}

}  // namespace rlaif::train
