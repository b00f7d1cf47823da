// The CUDA and NCCL plugin: a library loaded when a GPU is asked for and present. CPU ranks never load it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "rlaif/comm/communicator.hpp"

namespace rlaif::comm {

struct PluginTable;

enum class DeviceChoice { cpu, cuda, automatic };

struct DevicePlan {
  bool cuda = false;
  // The same on every rank: some GPU serves several ranks. NCCL refuses that, so sums go through host memory
  // (Communicator, GrainSum) and no DeviceCommunicator is made.
  bool shared = false;
  int device_index = 0;     // local rank modulo devices; choose_device made it the current device
  std::string description;  // one line for the log: what was chosen and why
};

// Collective. cuda without a usable GPU or plugin throws Error(resource) that says which is missing;
// automatic falls back to the CPU, on all ranks if one has no GPU, and says why in the description.
DevicePlan choose_device(const Communicator& comm, DeviceChoice choice);

// Sum over ranks of device buffers by NCCL: one rank a GPU, id by MPI_Bcast, non-blocking communicator, a
// watchdog that aborts with the collective's name after `timeout_seconds`. Move-only; `comm` outlives it.
// The order of NCCL's additions depends on the number of ranks; GrainSum's does not.
// A failed or late collective throws Error(resource), after which the object is only fit to be destroyed.
class DeviceCommunicator {
 public:
  // Collective. Requires plan.cuda. Throws Error(resource) where two ranks would share one GPU.
  DeviceCommunicator(const Communicator& comm, const DevicePlan& plan, double timeout_seconds = 600.0);
  // Over another implementation of the plugin's table (plugin_abi.hpp), which outlives this; tests use it.
  DeviceCommunicator(const Communicator& comm, const DevicePlan& plan, double timeout_seconds,
                     const PluginTable& plugin);
  DeviceCommunicator(DeviceCommunicator&&) noexcept;
  DeviceCommunicator& operator=(DeviceCommunicator&&) noexcept;
  ~DeviceCommunicator();

  // In place, float32, on the communicator's own stream after an event on `compute_stream` (a cudaStream_t).
  void all_reduce_sum(void* device_floats, std::size_t count, void* compute_stream);
  // The sum arrives at `root` alone; what the other ranks' buffers hold afterwards is undefined.
  void reduce_sum(void* device_floats, std::size_t count, int root, void* compute_stream);
  void broadcast(void* device_floats, std::size_t count, int root, void* compute_stream);
  // Makes `compute_stream` wait for every collective issued so far, and returns when they are over: the host polls
  // for errors and lets MPI move, it never blocks in CUDA.
  void join(void* compute_stream);

 private:
  void connect(const Communicator& comm, const DevicePlan& plan, double timeout_seconds, const PluginTable& plugin);

  struct State;
  std::unique_ptr<State> state_;
};

// The plugin's table where a GPU can be used on this process, else null. Looks, and loads, once.
const PluginTable* loaded_plugin();

// Versions of CUDA, NCCL and the devices seen, or one line that says why there are none. For `rlaif info`.
std::string describe_devices();

}  // namespace rlaif::comm
