#include "buckets.hpp"

#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <memory>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::train {

namespace {

// Called when a parameter's gradient has been added to its place.
struct AfterAccumulation : torch::autograd::PostAccumulateGradHook {
  explicit AfterAccumulation(std::function<void()> call) : call_(std::move(call)) {}
  void operator()(const torch::autograd::Variable&) override { call_(); }
  std::function<void()> call_;
};

}  // namespace

GradientBuckets::GradientBuckets(const FlatParameters& parameters, std::size_t bucket_floats,
                                 std::span<const std::size_t> cuts, Issue issue)
    : parameters_(parameters), issue_(std::move(issue)), complete_(parameters.places().size(), false) {
  for (std::size_t end = parameters.size(); end > 0;) {
    std::size_t begin = end > bucket_floats ? end - bucket_floats : 0;
    for (const std::size_t cut : cuts)
      if (cut < end) begin = std::max(begin, cut);
    buckets_.push_back({begin, end, 0, 0});
    end = begin;
  }
  for (std::size_t place = 0; place < complete_.size(); ++place) {
    const auto& [parameter, first, last] = parameters.places()[place];
    for (Bucket& bucket : buckets_) {
      const bool reaches = static_cast<std::size_t>(first)<bucket.end&& static_cast<std::size_t>(last)> bucket.begin;
      bucket.parameters += reaches ? 1 : 0;
    }
    torch::autograd::impl::set_post_acc_grad_hooks(
        parameter, std::make_unique<AfterAccumulation>([this, place] { complete(place); }));
  }
}

GradientBuckets::~GradientBuckets() {
  for (const auto& place : parameters_.places())
    torch::autograd::impl::set_post_acc_grad_hooks(place.parameter, nullptr);
}

void GradientBuckets::begin() {
  std::fill(complete_.begin(), complete_.end(), false);
  for (Bucket& bucket : buckets_) bucket.missing = bucket.parameters;
  next_ = 0;
  armed_ = false;
}

void GradientBuckets::last_backward() { armed_ = true; }

void GradientBuckets::complete(std::size_t place) {
  if (!armed_) return;
  RLAIF_CHECK(!complete_[place], "after last_backward() every gradient is accumulated once");
  complete_[place] = true;
  const auto& [parameter, first, last] = parameters_.places()[place];
  for (Bucket& bucket : buckets_)
    if (static_cast<std::size_t>(first) < bucket.end && static_cast<std::size_t>(last) > bucket.begin) --bucket.missing;
  issue_ready();
}

void GradientBuckets::issue_ready() {
  for (; next_ < buckets_.size() && buckets_[next_].missing == 0; ++next_)
    issue_(buckets_[next_].begin, buckets_[next_].end - buckets_[next_].begin);
}

void GradientBuckets::finish() {
  for (; next_ < buckets_.size(); ++next_) issue_(buckets_[next_].begin, buckets_[next_].end - buckets_[next_].begin);
  armed_ = false;
}

}  // namespace rlaif::train
