// The table of functions through which the program speaks to the CUDA and NCCL plugin (librlaif_cuda.so). C types
// only, no exceptions across the border: the program is built and run on machines that have no CUDA at all.
//
// Calls that return int give 0, or something else with the reason in `error`. All calls come from one thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rlaif::comm {

inline constexpr std::uint32_t plugin_abi_version = 2;

struct PluginError {
  char text[512];
};

struct PluginDevice {
  char name[256];
  char identity[96];  // the same text for the same piece of hardware from whatever process; empty if unknown
  int capability_major;
  int capability_minor;
  std::uint64_t memory_bytes;
};

struct PluginVersions {
  int cuda_runtime;  // 1000 * major + 10 * minor
  int cuda_driver;
  int nccl;  // 10000 * major + 100 * minor + patch
};

enum class PluginState : int { busy = 0, ready = 1, failed = 2 };

struct PluginTable {
  std::uint32_t abi_version;
  std::uint32_t carries_torch;  // 1 where loading the plugin brought libtorch's CUDA backend
  std::size_t id_bytes;         // size of what make_id writes

  int (*device_count)(int* count, PluginError* error);
  int (*describe_device)(int device, PluginDevice* out, PluginError* error);
  int (*versions)(PluginVersions* out, PluginError* error);
  int (*select_device)(int device, PluginError* error);

  // Communicators. open only begins; it is over when launched() says ready.
  int (*make_id)(void* id, PluginError* error);
  int (*open)(void** communicator, const void* id, int rank, int ranks, int device, PluginError* error);
  // They work in place on `count` floats and begin once what is on `compute_stream` now has run.
  int (*all_reduce_sum)(void* communicator, void* floats, std::size_t count, void* compute_stream, PluginError* error);
  int (*reduce_sum)(void* communicator, void* floats, std::size_t count, int root, void* compute_stream,
                    PluginError* error);
  int (*broadcast)(void* communicator, void* floats, std::size_t count, int root, void* compute_stream,
                   PluginError* error);
  // `compute_stream` waits for all collectives issued so far.
  int (*join)(void* communicator, void* compute_stream, PluginError* error);
  // Whether the last call has been handed to the device; whether what was joined last has run. Neither blocks.
  PluginState (*launched)(void* communicator, PluginError* error);
  PluginState (*finished)(void* communicator, PluginError* error);
  // Begins an orderly end, over when launched() says ready; then release frees. abort ends at once, also when
  // other ranks hang, and frees.
  int (*close)(void* communicator, PluginError* error);
  void (*release)(void* communicator);
  void (*abort)(void* communicator);

  // Device memory, enough to test the collectives. Copies are complete on return.
  int (*allocate)(void** memory, std::size_t bytes, PluginError* error);
  void (*free)(void* memory);
  int (*copy_to_device)(void* to, const void* from, std::size_t bytes, PluginError* error);
  int (*copy_to_host)(void* to, const void* from, std::size_t bytes, PluginError* error);
};

// The one symbol of the plugin.
inline constexpr const char* plugin_entry_name = "rlaif_cuda_plugin";
using PluginEntry = const PluginTable* (*)();

}  // namespace rlaif::comm
