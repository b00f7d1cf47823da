// What messages cost, found by sending some.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "rlaif/comm/communicator.hpp"

namespace rlaif::comm {

struct MessageTime {
  std::size_t bytes = 0;
  double seconds = 0.0;
};

// Median times on every rank, `seconds_each` or a little longer for each size; sizes are rounded down to whole floats. Collective.
// A message one way between rank 0 and `other`, as half a round trip.
std::vector<MessageTime> time_messages(const Communicator& comm, int other, std::span<const std::size_t> bytes,
                                       double seconds_each);
// GrainSum::reduce of a vector of so many bytes to which every rank has one grain to add: what a training step waits for. The
// slowest rank's time.
std::vector<MessageTime> time_gradient_sums(const Communicator& comm, std::span<const std::size_t> bytes,
                                            double seconds_each);

// seconds = latency + bytes / speed, with the least sum of squared relative errors. Both are above 0; of no message, both are 0.
struct Link {
  double latency_seconds = 0.0;
  double bytes_per_second = 0.0;
};
Link fitted_link(std::span<const MessageTime> times);

}  // namespace rlaif::comm
