#include "rlaif/train/loop.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"

namespace rlaif::train {

namespace {

// The rows of the own grains, one after another; collective: a failure on one rank is a failure on all.
std::vector<double> own_rows(const comm::Communicator& comm, comm::GrainRange own, std::size_t width,
                             const std::function<std::vector<double>(int grain)>& row) {
  std::vector<double> rows;
  comm.agree([&] {
    for (int grain = own.begin; grain < own.end; ++grain) {
      const auto values = row(grain);
      RLAIF_CHECK(values.size() == width, "a row of the announced width");
      rows.insert(rows.end(), values.begin(), values.end());
    }
  });
  return rows;
}

std::vector<double> sum_in_order(const comm::Communicator& comm, int grains, std::span<const double> own,
                                 std::size_t width) {
  const auto rows = comm::gather_grain_rows(comm, grains, own, width);
  std::vector<double> sums(width, 0.0);
  for (std::size_t i = 0; i < rows.size(); ++i) sums[i % width] += rows[i];
  return sums;
}

std::span<float> elements(const torch::Tensor& flat) {
  return {flat.data_ptr<float>(), static_cast<std::size_t>(flat.numel())};
}

}  // namespace

DataParallel::DataParallel(const comm::Communicator& comm, int grains, FlatParameters& parameters,
                           comm::DeviceCommunicator* device_comm)
    : comm_(comm),
      grains_(grains),
      parameters_(parameters),
      device_comm_(device_comm),
      sum_(comm, grains, parameters.size()) {}

std::vector<double> DataParallel::accumulate_on_device(
    std::size_t width, const std::function<std::vector<double>(int grain)>& backward) {
  constexpr std::size_t bucket_floats = 25'000'000 / sizeof(float);
  parameters_.zero_gradients();
  const auto rows = own_rows(comm_, own(), width, backward);
  const auto gradients = parameters_.gradients();
  float* const floats = gradients.data_ptr<float>();
  void* const compute_stream = nullptr;  // libtorch computes on the device's default stream
  const std::size_t count = parameters_.size();
  for (std::size_t begin = 0; begin < count; begin += bucket_floats) {
    device_comm_->all_reduce_sum(floats + begin, std::min(bucket_floats, count - begin), compute_stream);
  }
  device_comm_->join(compute_stream);
  return sum_in_order(comm_, grains_, rows, width);
}

std::vector<double> DataParallel::accumulate(std::size_t width,
                                             const std::function<std::vector<double>(int grain)>& backward) {
  if (device_comm_) return accumulate_on_device(width, backward);
  const auto gradients = parameters_.gradients();
  const auto rows = own_rows(comm_, own(), width, [&](int grain) {
    parameters_.zero_gradients();
    auto row = backward(grain);
    const auto host = gradients.to(torch::kCPU);
    sum_.add(grain, elements(host));
    return row;
  });
  const auto host = gradients.is_cpu() ? gradients : torch::empty(gradients.sizes(), torch::kFloat32);
  sum_.reduce(elements(host));
  if (!gradients.is_cpu()) gradients.copy_(host);
  return sum_in_order(comm_, grains_, rows, width);
}

std::vector<double> sum_grain_rows(const comm::Communicator& comm, int grains, std::size_t width,
                                   const std::function<std::vector<double>(int grain)>& row) {
  const auto own = comm::grains_of(comm.rank(), comm.size(), grains);
  return sum_in_order(comm, grains, own_rows(comm, own, width, row), width);
}

std::pair<std::int64_t, std::int64_t> grain_items(std::int64_t items, int grain, int grains) {
  return {items * grain / grains, items * (grain + 1) / grains};
}

MetricsFile::MetricsFile(const StageRun& run, std::uint64_t size)
    : active_(run.comm->is_root() && !run.metrics_file.empty()) {
  if (active_) file_ = AppendFile(run.metrics_file, size);
}

void MetricsFile::write(const Json& line) {
  if (active_) file_.append(line.dump() + "\n");
}

std::uint64_t MetricsFile::sync() {
  if (!active_) return 0;
  file_.sync();
  return file_.size();
}

void run_loop(const StageRun& run, std::int64_t total_steps, const Checkpoint& start, const LoopCallbacks& callbacks) {
  const comm::Communicator& comm = *run.comm;
  std::optional<MetricsFile> metrics;
  comm.on_root([&] { metrics.emplace(run, start.metrics_size); });
  Progress progress(run.name, static_cast<std::uint64_t>(total_steps), "step", comm.is_root());
  progress.start_at(static_cast<std::uint64_t>(start.step));
  if (start.step > 0) log::info(run.name + ": continuing after step " + std::to_string(start.step));

  std::int64_t saved = start.step;
  const auto save = [&](std::int64_t done) {
    if (saved == done) return;
    Checkpoint checkpoint = callbacks.save();
    checkpoint.step = done;
    comm.on_root([&] { checkpoint.metrics_size = metrics->sync(); });
    save_checkpoint(run, checkpoint);
    saved = done;
  };

  std::string detail;
  Stopwatch since_saved;
  for (std::int64_t step = start.step; step < total_steps; ++step) {
    const bool time_is_up = run.checkpoint_every_seconds > 0 && since_saved.seconds() >= run.checkpoint_every_seconds;
    // What any rank was asked, and what rank 0's clock says, holds for all.
    std::array<double, 2> wanted{run.stop_requested() ? 1.0 : 0.0, comm.is_root() && time_is_up ? 1.0 : 0.0};
    comm.all_reduce_max(wanted);
    if (wanted[1] > 0) {
      save(step);
      since_saved = Stopwatch();
    }
    if (wanted[0] > 0) {
      save(step);
      throw Error(ErrorKind::interrupted, run.name + ": stopped after step " + std::to_string(step) + " of " +
                                              std::to_string(total_steps) + "; run again to continue");
    }
    const Json line = callbacks.step(step);
    comm.on_root([&] { metrics->write(line); });
    const std::int64_t done = step + 1;
    if (comm.is_root() && callbacks.progress_text) detail = callbacks.progress_text(line);
    progress.update(static_cast<std::uint64_t>(done), detail);
    const bool due = run.checkpoint_every_steps > 0 && done % run.checkpoint_every_steps == 0;
    if (due && done < total_steps) save(done);
  }
  comm.on_root([&] { metrics->sync(); });
  progress.finish(detail);
}

}  // namespace rlaif::train
