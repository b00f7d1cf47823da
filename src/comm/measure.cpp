#include "rlaif/comm/measure.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "mpi_handle.hpp"
#include "rlaif/comm/grains.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/progress.hpp"

namespace rlaif::comm {
namespace {

constexpr int ping_tag = 21, pong_tag = 22;
constexpr int least_turns = 5, most_turns = 20000;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Runs `turn`, which gives its seconds, as often as the time allows; rank 0's clock decides. The first two are not counted.
double median_turn(const Communicator& comm, double seconds_each, const std::function<double()>& turn) {
  turn();
  std::vector<double> plan{turn()};
  comm.all_reduce_max(plan);
  const int turns = std::clamp(static_cast<int>(seconds_each / std::max(plan[0], 1e-9)), least_turns, most_turns);
  std::vector<double> seconds;
  for (int i = 0; i < turns; ++i) seconds.push_back(turn());
  std::vector<double> slowest{median(std::move(seconds))};
  comm.all_reduce_max(slowest);
  return slowest[0];
}

void send(const Communicator& comm, std::vector<float>& values, int to, int tag) {
  RLAIF_MPI(MPI_Send(values.data(), static_cast<int>(values.size()), MPI_FLOAT, to, tag, comm.handle().comm));
}

void receive(const Communicator& comm, std::vector<float>& values, int from, int tag) {
  RLAIF_MPI(MPI_Recv(values.data(), static_cast<int>(values.size()), MPI_FLOAT, from, tag, comm.handle().comm,
                     MPI_STATUS_IGNORE));
}

}  // namespace

std::vector<MessageTime> time_messages(const Communicator& comm, int other, std::span<const std::size_t> bytes,
                                       double seconds_each) {
  RLAIF_CHECK(other > 0 && other < comm.size(), "a message goes from rank 0 to another rank");
  std::vector<MessageTime> times;
  for (const std::size_t size : bytes) {
    std::vector<float> values(size / sizeof(float), 1.0F);
    const double round_trip = median_turn(comm, seconds_each, [&] {
      const Stopwatch watch;
      if (comm.rank() == 0) {
        send(comm, values, other, ping_tag);
        receive(comm, values, other, pong_tag);
      } else if (comm.rank() == other) {
        receive(comm, values, 0, ping_tag);
        send(comm, values, 0, pong_tag);
      } else {
        return 0.0;
      }
      return watch.seconds();
    });
    times.push_back({values.size() * sizeof(float), round_trip / 2.0});
  }
  return times;
}

std::vector<MessageTime> time_gradient_sums(const Communicator& comm, std::span<const std::size_t> bytes,
                                            double seconds_each) {
  std::vector<MessageTime> times;
  for (const std::size_t size : bytes) {
    std::vector<float> values(size / sizeof(float), 1.0F);
    GrainSum sum(comm, comm.size(), values.size());
    const double seconds = median_turn(comm, seconds_each, [&] {
      sum.add(comm.rank(), values);
      comm.barrier();
      const Stopwatch watch;
      sum.reduce(values);
      return watch.seconds();
    });
    times.push_back({values.size() * sizeof(float), seconds});
  }
  return times;
}

Link fitted_link(std::span<const MessageTime> times) {
  double ones = 0.0, bytes = 0.0, squares = 0.0, right_one = 0.0,
         right_bytes = 0.0;  // normal equations of rows (1 / t, n / t) -> 1
  double least = 0.0, fastest = 0.0;
  for (const MessageTime& one : times) {
    if (!(one.seconds > 0.0)) continue;
    const double a = 1.0 / one.seconds, b = static_cast<double>(one.bytes) / one.seconds;
    ones += a * a;
    bytes += a * b;
    squares += b * b;
    right_one += a;
    right_bytes += b;
    least = least == 0.0 ? one.seconds : std::min(least, one.seconds);
    fastest = std::max(fastest, b);
  }
  if (least == 0.0) return {};
  const double determinant = ones * squares - bytes * bytes;
  if (!(determinant > 1e-12 * ones * squares)) return {least, fastest};
  const double latency = (right_one * squares - right_bytes * bytes) / determinant;
  const double per_byte = (right_bytes * ones - right_one * bytes) / determinant;
  // Times that are no line: the quickest message and the fastest one bound them.
  return {latency > 0.0 ? latency : least, per_byte > 0.0 ? 1.0 / per_byte : fastest};
}

}  // namespace rlaif::comm
