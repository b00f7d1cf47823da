#include "rlaif/comm/device.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "plugin_loader.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/progress.hpp"

namespace rlaif::comm {
namespace {

Error resource_error(const std::string& message) { return Error(ErrorKind::resource, message); }

PluginDevice device_of(const PluginTable& plugin, int index) {
  PluginDevice device{};
  PluginError error{};
  if (plugin.describe_device(index, &device, &error) != 0) throw resource_error(error.text);
  return device;
}

// One text a rank; ranks with the same text share a GPU.
std::vector<std::string> gather_identities(const Communicator& comm, const PluginTable& plugin, int device) {
  std::string identity;
  comm.agree([&] { identity = device_of(plugin, device).identity; });
  return comm.all_gather(identity);
}

std::vector<int> sharers_of(const std::vector<std::string>& identities, int rank) {
  const std::string& mine = identities[static_cast<std::size_t>(rank)];
  std::vector<int> ranks;
  for (std::size_t r = 0; r < identities.size(); ++r)
    if (static_cast<int>(r) == rank || (!mine.empty() && identities[r] == mine)) ranks.push_back(static_cast<int>(r));
  return ranks;
}

DevicePlan plan_for_cpu(const std::string& why) { return {false, false, 0, "CPU: " + why}; }

DevicePlan plan_for_cuda(const Communicator& comm, const CudaProbe& probe) {
  DevicePlan plan;
  plan.cuda = true;
  plan.device_index = comm.local_rank() % probe.devices;
  const auto identities = gather_identities(comm, *probe.plugin, plan.device_index);
  bool any_shared = false;
  for (int r = 0; r < comm.size(); ++r) any_shared = any_shared || sharers_of(identities, r).size() > 1;
  plan.shared = any_shared;
  comm.agree([&] {
    PluginError error{};
    if (probe.plugin->select_device(plan.device_index, &error) != 0) throw resource_error(error.text);
    plan.description = "GPU " + std::to_string(plan.device_index) + " of " + std::to_string(probe.devices) + ": " +
                       device_line(device_of(*probe.plugin, plan.device_index)) + "; " + version_line(*probe.plugin);
    if (plan.shared) plan.description += "; ranks share GPUs, so their sums go through host memory";
  });
  return plan;
}

}  // namespace

DevicePlan choose_device(const Communicator& comm, DeviceChoice choice) {
  if (choice == DeviceChoice::cpu) return plan_for_cpu("asked for");
  const CudaProbe& probe = probe_cuda();
  if (choice == DeviceChoice::cuda) {
    comm.agree([&] {
      if (probe.plugin == nullptr) throw resource_error("a GPU was asked for, but " + probe.reason);
    });
    return plan_for_cuda(comm, probe);
  }
  const auto reasons = comm.all_gather(probe.reason);
  for (std::size_t r = 0; r < reasons.size(); ++r)
    if (!reasons[r].empty()) return plan_for_cpu((r > 0 ? "rank " + std::to_string(r) + ": " : "") + reasons[r]);
  return plan_for_cuda(comm, probe);
}

const PluginTable* loaded_plugin() { return probe_cuda().plugin; }

std::string describe_devices() {
  const CudaProbe& probe = probe_cuda();
  if (probe.plugin == nullptr) return "no GPU in use: " + probe.reason;
  std::string text = version_line(*probe.plugin);
  for (int i = 0; i < probe.devices; ++i) {
    PluginDevice device{};
    PluginError error{};
    const bool known = probe.plugin->describe_device(i, &device, &error) == 0;
    text += "\nGPU " + std::to_string(i) + ": " + (known ? device_line(device) : std::string(error.text));
  }
  return text;
}

struct DeviceCommunicator::State {
  using Poll = PluginState (*)(void*, PluginError*);

  State(const Communicator& mpi, const PluginTable& table, double seconds)
      : comm(mpi), plugin(table), timeout_seconds(seconds), exceptions_at_birth(std::uncaught_exceptions()) {}
  ~State() {
    if (handle == nullptr) return;
    // The orderly end waits for the other ranks: not while this one unwinds.
    if (std::uncaught_exceptions() > exceptions_at_birth)
      plugin.abort(handle);
    else
      close_in_order();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // Aborts the communicator, which also frees GPUs that wait in a collective, and throws.
  [[noreturn]] void fail(const std::string& what, const std::string& why) {
    if (handle != nullptr) plugin.abort(std::exchange(handle, nullptr));
    throw resource_error("NCCL " + what + ": " + why);
  }

  // Asks without blocking until `poll` is ready, and lets MPI move meanwhile: other ranks may need it to get here.
  void wait(Poll poll, const std::string& what) {
    constexpr int eager_polls = 2000;
    const Stopwatch watch;
    for (int polls = 0;; ++polls) {
      PluginError error{};
      const PluginState state = poll(handle, &error);
      if (state == PluginState::ready) return;
      if (state == PluginState::failed) fail(what, error.text);
      if (watch.seconds() > timeout_seconds)
        fail(what, "not over after " + format_duration(timeout_seconds) + ": another rank hangs or never came here");
      comm.progress();
      if (polls < eager_polls)
        std::this_thread::yield();
      else
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }

  void close_in_order() noexcept {
    constexpr double patience_seconds = 10.0;
    timeout_seconds = std::min(timeout_seconds, patience_seconds);
    try {
      PluginError error{};
      if (plugin.close(handle, &error) != 0) fail("close", error.text);
      wait(plugin.launched, "close");
      plugin.release(handle);
    } catch (const std::exception& error) {
      log::warning(error.what());
    }
  }

  std::string next_name(const char* collective, std::size_t count) {
    RLAIF_CHECK(handle != nullptr, "a DeviceCommunicator is of no use after a failure");
    last = std::string(collective) + " number " + std::to_string(++issued) + " (" + std::to_string(count) + " floats)";
    return last;
  }

  const Communicator& comm;
  const PluginTable& plugin;
  void* handle = nullptr;
  double timeout_seconds;
  int exceptions_at_birth;
  std::uint64_t issued = 0;
  std::string last = "join";
};

DeviceCommunicator::DeviceCommunicator(const Communicator& comm, const DevicePlan& plan, double timeout_seconds) {
  RLAIF_CHECK(plan.cuda && loaded_plugin() != nullptr, "a DeviceCommunicator needs a plan with a GPU");
  connect(comm, plan, timeout_seconds, *loaded_plugin());
}

DeviceCommunicator::DeviceCommunicator(const Communicator& comm, const DevicePlan& plan, double timeout_seconds,
                                       const PluginTable& plugin) {
  connect(comm, plan, timeout_seconds, plugin);
}

DeviceCommunicator::DeviceCommunicator(DeviceCommunicator&&) noexcept = default;
DeviceCommunicator& DeviceCommunicator::operator=(DeviceCommunicator&&) noexcept = default;
DeviceCommunicator::~DeviceCommunicator() = default;

void DeviceCommunicator::connect(const Communicator& comm, const DevicePlan& plan, double timeout_seconds,
                                 const PluginTable& plugin) {
  state_ = std::make_unique<State>(comm, plugin, timeout_seconds);
  // NCCL would refuse it with words of its own on every rank, after some seconds.
  const auto identities = gather_identities(comm, plugin, plan.device_index);
  comm.agree([&] {
    const auto sharers = sharers_of(identities, comm.rank());
    if (sharers.size() < 2) return;
    throw resource_error("ranks " + std::to_string(sharers[0]) + " and " + std::to_string(sharers[1]) + " share GPU " +
                         std::to_string(plan.device_index) + ", and NCCL takes one rank a GPU: start one rank per GPU");
  });

  std::string id(plugin.id_bytes, '\0');
  PluginError error{};
  comm.on_root([&] {
    if (plugin.make_id(id.data(), &error) != 0) throw resource_error(error.text);
  });
  comm.broadcast(id);
  comm.agree([&] {
    if (plugin.open(&state_->handle, id.data(), comm.rank(), comm.size(), plan.device_index, &error) != 0)
      throw resource_error(error.text);
    state_->wait(plugin.launched, "start of the communicator");
  });
}

void DeviceCommunicator::all_reduce_sum(void* device_floats, std::size_t count, void* compute_stream) {
  State& s = *state_;
  const std::string what = s.next_name("all_reduce_sum", count);
  PluginError error{};
  if (s.plugin.all_reduce_sum(s.handle, device_floats, count, compute_stream, &error) != 0) s.fail(what, error.text);
  s.wait(s.plugin.launched, what);
}

void DeviceCommunicator::reduce_sum(void* device_floats, std::size_t count, int root, void* compute_stream) {
  State& s = *state_;
  const std::string what = s.next_name("reduce_sum", count);
  PluginError error{};
  if (s.plugin.reduce_sum(s.handle, device_floats, count, root, compute_stream, &error) != 0) s.fail(what, error.text);
  s.wait(s.plugin.launched, what);
}

void DeviceCommunicator::broadcast(void* device_floats, std::size_t count, int root, void* compute_stream) {
  State& s = *state_;
  const std::string what = s.next_name("broadcast", count);
  PluginError error{};
  if (s.plugin.broadcast(s.handle, device_floats, count, root, compute_stream, &error) != 0) s.fail(what, error.text);
  s.wait(s.plugin.launched, what);
}

void DeviceCommunicator::join(void* compute_stream) {
  State& s = *state_;
  RLAIF_CHECK(s.handle != nullptr, "a DeviceCommunicator is of no use after a failure");
  PluginError error{};
  if (s.plugin.join(s.handle, compute_stream, &error) != 0) s.fail(s.last, error.text);
  s.wait(s.plugin.finished, s.last);
}

}  // namespace rlaif::comm
