// Finds a GPU and loads the plugin for it. Internal to src/comm.
#pragma once

#include <string>

#include "rlaif/comm/plugin_abi.hpp"

namespace rlaif::comm {

struct CudaProbe {
  const PluginTable* plugin = nullptr;  // null where CUDA cannot be used
  int devices = 0;
  std::string reason;  // one line: what is missing; empty where nothing is
};

// Looks once a process, cheapest question first: a machine without a GPU loads nothing heavy.
const CudaProbe& probe_cuda();

// "CUDA 13.0, driver for CUDA 13.0, NCCL 2.28.9"
std::string version_line(const PluginTable& plugin);
// "NVIDIA H200, compute capability 9.0, 139.8 GiB"
std::string device_line(const PluginDevice& device);

}  // namespace rlaif::comm
