// A plugin in host memory, for tests of what runs over a DeviceCommunicator on machines without a GPU.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/comm/device.hpp"
#include "rlaif/comm/plugin_abi.hpp"

namespace rlaif::comm {

// A plugin in host memory, MPI in the place of NCCL. What it is told to do stands in `script`; its functions are
// plain C, so the script is one variable of this file.
struct Script {
  const Communicator* comm = nullptr;
  std::string identity;       // of this rank's device
  int busy_polls = 3;         // launched() says busy so often after each call
  bool hangs = false;         // launched() and finished() never say ready
  std::string async_failure;  // what launched() fails with
  std::string id_seen;
  std::vector<std::function<void()>> enqueued;  // as on a device's stream: done, in order, when somebody waits for them
  std::vector<std::pair<const float*, std::size_t>> issued;  // sums, in the order in which they were asked for
  int polls = 0, closed = 0, released = 0, aborted = 0;
};
inline Script script;

inline void begin(std::function<void()> work) {
  if (work) script.enqueued.push_back(std::move(work));
  script.polls = 0;
}

inline PluginState fake_launched(void*, PluginError* error) {
  if (!script.async_failure.empty()) {
    std::strncpy(error->text, script.async_failure.c_str(), sizeof error->text - 1);
    return PluginState::failed;
  }
  if (script.hangs || script.polls++ < script.busy_polls) return PluginState::busy;
  return PluginState::ready;
}

inline PluginState fake_finished(void* communicator, PluginError* error) {
  const PluginState state = fake_launched(communicator, error);
  if (state == PluginState::ready)
    for (const auto& work : std::exchange(script.enqueued, {})) work();
  return state;
}

inline PluginTable fake_table() {
  PluginTable t{};
  t.abi_version = plugin_abi_version;
  t.id_bytes = 8;
  t.describe_device = [](int, PluginDevice* out, PluginError*) {
    *out = PluginDevice{};
    std::strncpy(out->identity, script.identity.c_str(), sizeof out->identity - 1);
    return 0;
  };
  t.make_id = [](void* id, PluginError*) {
    std::memcpy(id, "id-of-r0", 8);
    return 0;
  };
  t.open = [](void** communicator, const void* id, int, int, int, PluginError*) {
    script.id_seen.assign(static_cast<const char*>(id), 8);
    *communicator = &script;
    begin(nullptr);
    return 0;
  };
  t.all_reduce_sum = [](void*, void* floats, std::size_t count, void*, PluginError*) {
    script.issued.emplace_back(static_cast<const float*>(floats), count);
    begin([=] { script.comm->all_reduce_sum(std::span<float>(static_cast<float*>(floats), count)); });
    return 0;
  };
  t.reduce_sum = [](void*, void* floats, std::size_t count, int root, void*, PluginError*) {
    script.issued.emplace_back(static_cast<const float*>(floats), count);
    begin([=] {
      std::vector<float> sum(static_cast<float*>(floats), static_cast<float*>(floats) + count);
      script.comm->all_reduce_sum(std::span<float>(sum));
      // Elsewhere than at the root the buffer is anybody's.
      if (script.comm->rank() != root) std::fill(sum.begin(), sum.end(), -1e30F);
      std::copy(sum.begin(), sum.end(), static_cast<float*>(floats));
    });
    return 0;
  };
  t.broadcast = [](void*, void* floats, std::size_t count, int root, void*, PluginError*) {
    begin([=] {
      script.comm->broadcast(std::as_writable_bytes(std::span<float>(static_cast<float*>(floats), count)), root);
    });
    return 0;
  };
  t.join = [](void*, void*, PluginError*) { return 0; };
  t.launched = fake_launched;
  t.finished = fake_finished;
  t.close = [](void*, PluginError*) {
    ++script.closed;
    begin(nullptr);
    return 0;
  };
  t.release = [](void*) { ++script.released; };
  t.abort = [](void*) { ++script.aborted; };
  return t;
}

}  // namespace rlaif::comm
