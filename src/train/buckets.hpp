// Gradients leave for other ranks in buckets while the backward pass still runs.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "rlaif/train/optimizer.hpp"

namespace rlaif::train {

// Cuts the flat gradient from its end, whose gradients are the first to be complete, into buckets of at most
// `bucket_floats`, also at every cut. Buckets are issued in one order on every rank, whatever the order in which their
// gradients complete: a complete bucket waits for those before it.
class GradientBuckets {
 public:
  using Issue = std::function<void(std::size_t begin, std::size_t count)>;
  GradientBuckets(const FlatParameters& parameters, std::size_t bucket_floats, std::span<const std::size_t> cuts,
                  Issue issue);
  ~GradientBuckets();
  GradientBuckets(const GradientBuckets&) = delete;
  GradientBuckets& operator=(const GradientBuckets&) = delete;

  void begin();          // a new sum: nothing is complete
  void last_backward();  // what the next backward pass accumulates is each parameter's last
  void finish();         // issues what is left, parameters without a gradient among it

 private:
  struct Bucket {
    std::size_t begin, end;
    std::int64_t parameters, missing;  // that reach into it; of those without their last gradient
  };
  void complete(std::size_t place);
  void issue_ready();

  const FlatParameters& parameters_;
  Issue issue_;
  std::vector<Bucket> buckets_;  // in the order of issue
  std::vector<bool> complete_;   // by place
  std::size_t next_ = 0;
  bool armed_ = false;
};

}  // namespace rlaif::train
