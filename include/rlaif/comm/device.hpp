// The CUDA and NCCL plugin: a library loaded when a GPU is asked for and present. CPU ranks never load it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "rlaif/comm/communicator.hpp"

namespace rlaif::comm {

enum class DeviceChoice { cpu, cuda, automatic };

struct DevicePlan {
  bool cuda = false;
  int device_index = 0;     // local rank modulo devices
  std::string description;  // one line for the log: what was chosen and why
};

// Collective. cuda without a usable GPU or plugin throws Error(resource) that says which is missing;
// automatic falls back to the CPU and says so in the description.
DevicePlan choose_device(const Communicator& comm, DeviceChoice choice);

// Sum over ranks of device buffers by NCCL: one rank a GPU, id by MPI_Bcast, non-blocking communicator, a
// watchdog that aborts with the collective's name after `timeout_seconds`. Move-only.
class DeviceCommunicator {
 public:
  // Collective. Requires plan.cuda. Throws Error(resource) where two ranks would share one GPU.
  DeviceCommunicator(const Communicator& comm, const DevicePlan& plan, double timeout_seconds = 600.0);
  DeviceCommunicator(DeviceCommunicator&&) noexcept;
  DeviceCommunicator& operator=(DeviceCommunicator&&) noexcept;
  ~DeviceCommunicator();

  // In place, float32, on the communicator's own stream after an event on `compute_stream` (a cudaStream_t).
  void all_reduce_sum(void* device_floats, std::size_t count, void* compute_stream);
  void broadcast(void* device_floats, std::size_t count, int root, void* compute_stream);
  // Makes `compute_stream` wait for every collective issued so far; the host polls for errors, never blocks MPI.
  void join(void* compute_stream);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Versions of CUDA, NCCL and the devices seen, or one line that says why there are none. For `rlaif info`.
std::string describe_devices();

}  // namespace rlaif::comm
