#include "rlaif/train/loop.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <c10/core/AutogradState.h>

#include "boundary.hpp"
#include "buckets.hpp"
#include "rlaif/comm/watchdog.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/model/torch.hpp"
#include "tensors.hpp"

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

}  // namespace

DataParallel::DataParallel(const comm::Communicator& comm, int grains, FlatParameters& parameters,
                           comm::DeviceCommunicator* device_comm, Result result)
    : comm_(comm),
      grains_(grains),
      parameters_(parameters),
      device_comm_(device_comm),
      result_(result),
      sum_(comm, grains, parameters.size()) {
  if (!device_comm) return;
  constexpr std::size_t bucket_floats = 25'000'000 / sizeof(float);
  std::vector<std::size_t> cuts;
  for (int r = 0; r < comm.size() && result == Result::own_shard; ++r)
    cuts.push_back(comm::shard_of(parameters.size(), r, comm.size()).begin);
  buckets_ =
      std::make_unique<GradientBuckets>(parameters, bucket_floats, cuts, [this](std::size_t begin, std::size_t count) {
        float* const floats = parameters_.gradients().data_ptr<float>() + begin;
        void* const compute_stream = nullptr;  // libtorch computes on the device's default stream
        if (result_ == Result::whole) return device_comm_->all_reduce_sum(floats, count, compute_stream);
        int owner = 0;
        while (comm::shard_of(parameters_.size(), owner, comm_.size()).end <= begin) ++owner;
        device_comm_->reduce_sum(floats, count, owner, compute_stream);
      });
}

DataParallel::~DataParallel() = default;

void DataParallel::last_backward() {
  if (buckets_ && grain_ + 1 == own().end) buckets_->last_backward();
}

namespace {

// Backward passes run on the calling thread: the hooks that issue collectives are called there, and MPI allows no other.
class BackwardOnThisThread {
 public:
  BackwardOnThisThread() : before_(state().get_multithreading_enabled()) { state().set_multithreading_enabled(false); }
  ~BackwardOnThisThread() { state().set_multithreading_enabled(before_); }
  BackwardOnThisThread(const BackwardOnThisThread&) = delete;
  BackwardOnThisThread& operator=(const BackwardOnThisThread&) = delete;

 private:
  static c10::AutogradState& state() { return c10::AutogradState::get_tls_state(); }
  bool before_;
};

}  // namespace

std::vector<double> DataParallel::accumulate_on_device(std::size_t width,
                                                       const std::function<std::vector<double>(int grain)>& backward) {
  parameters_.zero_gradients();
  buckets_->begin();
  const BackwardOnThisThread on_this_thread;
  const auto rows = own_rows(comm_, own(), width, [&](int grain) {
    grain_ = grain;
    return backward(grain);
  });
  buckets_->finish();
  device_comm_->join(nullptr);
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
  if (result_ == Result::whole) {
    sum_.reduce(elements(host));
  } else {
    sum_.reduce_scatter(elements(host));
  }
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
  if (!active_) return;
  file_ = AppendFile(run.metrics_file, size);
  sum_.add_file(run.metrics_file, size);
}

void MetricsFile::write(const Json& line) {
  if (!active_) return;
  const std::string text = line.dump() + "\n";
  file_.append(text);
  sum_.add(text);
}

std::uint64_t MetricsFile::sync() {
  if (!active_) return 0;
  file_.sync();
  return file_.size();
}

std::string MetricsFile::checksum() const { return active_ ? sum_.value() : ""; }

namespace {

// Over the steps of this run: rates of the first steps count no more than others.
std::string throughput(const LoopCallbacks::Work& work, double seconds, int ranks) {
  if (!(seconds > 0.0)) return "";
  std::string text = ", " + format_count(work.tokens / seconds) + " tokens/s";
  if (work.flops > 0.0) text += ", " + format_count(work.flops / seconds / ranks) + "FLOP/s a rank";
  return text;
}

}  // namespace

Boundary agreed_boundary(const StageRun& run, const Stopwatch& since_saved) {
  const bool time_is_up = run.checkpoint_every_seconds > 0 && since_saved.seconds() >= run.checkpoint_every_seconds;
  std::array<double, 2> wanted{run.stop_requested() ? 1.0 : 0.0, run.comm->is_root() && time_is_up ? 1.0 : 0.0};
  run.comm->all_reduce_max(wanted);
  return {wanted[0] > 0 || wanted[1] > 0, wanted[0] > 0};
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
    comm.on_root([&] {
      checkpoint.metrics_size = metrics->sync();
      checkpoint.metrics_checksum = metrics->checksum();
    });
    save_checkpoint(run, checkpoint);
    saved = done;
  };

  std::string detail;
  Stopwatch since_saved;
  LoopCallbacks::Work work;
  double step_seconds = 0.0;
  for (std::int64_t step = start.step; step < total_steps; ++step) {
    const Boundary boundary = agreed_boundary(run, since_saved);
    if (boundary.save) {
      save(step);
      since_saved = Stopwatch();
    }
    if (boundary.stop) {
      throw Error(ErrorKind::interrupted, run.name + ": stopped after step " + std::to_string(step) + " of " +
                                              std::to_string(total_steps) + "; run again to continue");
    }
    comm::note_place(run.name + ", step " + std::to_string(step + 1));
    const Stopwatch of_step;
    const Json line = callbacks.step(step);
    step_seconds += of_step.seconds();
    comm.on_root([&] { metrics->write(line); });
    const std::int64_t done = step + 1;
    if (comm.is_root() && callbacks.progress_text) detail = callbacks.progress_text(line);
    if (callbacks.work) {
      const LoopCallbacks::Work added = callbacks.work();
      work.tokens += added.tokens;
      work.flops += added.flops;
      if (comm.is_root()) detail += throughput(work, step_seconds, comm.size());
    }
    progress.update(static_cast<std::uint64_t>(done), detail);
    const bool due = run.checkpoint_every_steps > 0 && done % run.checkpoint_every_steps == 0;
    if (due && done < total_steps) save(done);
  }
  comm.on_root([&] { metrics->sync(); });
  progress.finish(detail);
}

}  // namespace rlaif::train
