#include "rlaif/train/optimizer.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "rlaif/core/error.hpp"
#include "tensors.hpp"

namespace rlaif::train {

namespace {

constexpr std::int64_t kAlignmentElements = 16;  // 64 bytes of float32: one cache line, one AVX-512 register

std::int64_t aligned(std::int64_t count) {
  return (count + kAlignmentElements - 1) / kAlignmentElements * kAlignmentElements;
}

// Sum of squares in double with a fixed order of additions, whatever the number of threads.
double sum_of_squares(const torch::Tensor& flat) {
  if (!flat.is_cpu()) return flat.to(torch::kFloat64).square().sum().item<double>();
  const float* values = flat.data_ptr<float>();
  const std::int64_t count = flat.numel();
  std::array<double, 8> lanes{};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (std::int64_t lane = 0; lane < 8; ++lane) {
      const double value = values[i + lane];
      lanes[static_cast<std::size_t>(lane)] += value * value;
    }
  }
  double sum = 0.0;
  for (; i < count; ++i) sum += static_cast<double>(values[i]) * values[i];
  for (const double lane : lanes) sum += lane;
  return sum;
}

}  // namespace

FlatParameters::FlatParameters(const std::vector<Group>& groups) {
  const torch::NoGradGuard no_gradients;
  std::int64_t total = 0;
  for (const Group& group : groups) {
    const std::int64_t begin = total;
    for (const auto& [name, parameter] : group.parameters) {
      RLAIF_CHECK(parameter.scalar_type() == torch::kFloat32, "float32 parameter: " + name);
      for (const torch::Tensor& other : parameters_) RLAIF_CHECK(!parameter.is_same(other), "one place for " + name);
      parameters_.push_back(parameter);
      total += aligned(parameter.numel());
    }
    ranges_.push_back({begin, total, group.learning_rate_scale, group.name});
  }
  RLAIF_CHECK(!parameters_.empty(), "at least one parameter");
  values_ = torch::zeros({total}, parameters_.front().options().requires_grad(false));
  gradients_ = torch::zeros_like(values_);
  std::int64_t offset = 0;
  for (torch::Tensor& parameter : parameters_) {
    const auto place = values_.narrow(0, offset, parameter.numel()).view(parameter.sizes());
    place.copy_(parameter);
    parameter.set_data(place);
    parameter.requires_grad_(true);
    // A defined gradient is accumulated into in place, so it stays a view of the flat buffer.
    parameter.mutable_grad() = gradients_.narrow(0, offset, parameter.numel()).view(parameter.sizes());
    offset += aligned(parameter.numel());
  }
}

FlatParameters::~FlatParameters() {
  for (torch::Tensor& parameter : parameters_) {
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

AdamW::AdamW(FlatParameters& parameters, AdamWOptions options)
    : parameters_(parameters),
      options_(options),
      first_moment_(torch::zeros_like(parameters.values())),
      second_moment_(torch::zeros_like(parameters.values())) {
  for (std::size_t i = 0; i < parameters.ranges().size(); ++i) {
    steps_.push_back(torch::zeros({}, parameters.values().options()));
  }
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

double AdamW::update(double learning_rate, double gradient_scale, const std::vector<std::size_t>& groups) {
  const torch::NoGradGuard no_gradients;
  const auto part = [&](const torch::Tensor& flat, std::size_t group) {
    const auto& range = parameters_.ranges()[group];
    return flat.narrow(0, range.begin, range.end - range.begin);
  };
  double squares = 0.0;
  for (const std::size_t group : groups) squares += sum_of_squares(part(parameters_.gradients(), group));
  const double norm = std::sqrt(squares) * std::abs(gradient_scale);
  if (!std::isfinite(norm)) {
    throw Error(ErrorKind::internal, "the norm of the gradient is not finite; the parameters were left as they were");
  }
  double factor = gradient_scale;
  if (options_.clip_norm > 0.0 && norm > options_.clip_norm) factor *= options_.clip_norm / norm;
  for (const std::size_t group : groups) {
    const auto gradients = part(parameters_.gradients(), group).mul_(factor);
    steps_[group].add_(1.0);
    at::_fused_adamw_({part(parameters_.values(), group)}, {gradients}, {part(first_moment_, group)},
                      {part(second_moment_, group)}, {}, {steps_[group]},
                      learning_rate * parameters_.ranges()[group].learning_rate_scale, options_.beta1, options_.beta2,
                      options_.weight_decay, options_.eps, /*amsgrad=*/false, /*maximize=*/false);
  }
  return norm;
}

std::vector<model::NamedTensor> AdamW::state() const {
  return {{"adam.m", first_moment_}, {"adam.v", second_moment_}, {"adam.steps", torch::stack(steps_)}};
}

void AdamW::load_state(const std::vector<model::NamedTensor>& state) {
  const torch::NoGradGuard no_gradients;
  auto steps = torch::stack(steps_);
  copy_tensors({{"adam.m", first_moment_}, {"adam.v", second_moment_}, {"adam.steps", steps}}, state);
  for (std::size_t i = 0; i < steps_.size(); ++i) steps_[i].copy_(steps[static_cast<std::int64_t>(i)]);
}

}  // namespace rlaif::train
