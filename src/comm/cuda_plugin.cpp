// The CUDA and NCCL side of plugin_abi.hpp, built into librlaif_cuda.so. It holds no policy: deadlines, polling
// and messages to the user are the program's (device.cpp).
#include <cuda_runtime_api.h>
#include <nccl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "rlaif/comm/plugin_abi.hpp"

namespace rlaif::comm {
namespace {

int report(PluginError* error, const char* call, const char* words, const char* detail = "") {
  std::snprintf(error->text, sizeof error->text, "%s: %s%s%s", call, words, *detail != '\0' ? ": " : "", detail);
  return 1;
}

// The calls of both libraries go through these two; they name the call that failed.
#define RLAIF_CUDA(call)                                                                        \
  do {                                                                                          \
    const cudaError_t rlaif_code = (call);                                                      \
    if (rlaif_code != cudaSuccess) return report(error, #call, cudaGetErrorString(rlaif_code)); \
  } while (false)

// A call on a non-blocking communicator may still be under way when it returns; launched() tells when it is over.
#define RLAIF_NCCL(call, communicator)                                                             \
  do {                                                                                             \
    const ncclResult_t rlaif_code = (call);                                                        \
    if (rlaif_code != ncclSuccess && rlaif_code != ncclInProgress)                                 \
      return report(error, #call, ncclGetErrorString(rlaif_code), ncclGetLastError(communicator)); \
  } while (false)

struct Channel {
  ncclComm_t comm = nullptr;
  int device = 0;
  cudaStream_t stream = nullptr;    // the collectives' own
  cudaEvent_t produced = nullptr;   // the compute stream has written the buffer
  cudaEvent_t collected = nullptr;  // the collectives joined last have run

  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() {
    if (produced != nullptr) cudaEventDestroy(produced);
    if (collected != nullptr) cudaEventDestroy(collected);
    if (stream != nullptr) cudaStreamDestroy(stream);
  }
};

Channel& channel(void* communicator) { return *static_cast<Channel*>(communicator); }

int device_count(int* count, PluginError* error) {
  *count = 0;
  RLAIF_CUDA(cudaGetDeviceCount(count));
  return 0;
}

int describe_device(int device, PluginDevice* out, PluginError* error) {
  cudaDeviceProp properties{};
  RLAIF_CUDA(cudaGetDeviceProperties(&properties, device));
  *out = PluginDevice{};
  std::snprintf(out->name, sizeof out->name, "%s", properties.name);
  // The UUID is the same from every container and process. Where a driver hides it, it is left to NCCL to find
  // two ranks on one GPU.
  const auto* bytes = reinterpret_cast<const unsigned char*>(properties.uuid.bytes);
  bool known = false;
  for (std::size_t i = 0; i < sizeof properties.uuid.bytes; ++i) {
    known = known || bytes[i] != 0;
    std::snprintf(out->identity + 2 * i, 3, "%02x", bytes[i]);
  }
  if (!known) out->identity[0] = '\0';
  out->capability_major = properties.major;
  out->capability_minor = properties.minor;
  out->memory_bytes = properties.totalGlobalMem;
  return 0;
}

int versions(PluginVersions* out, PluginError* error) {
  *out = PluginVersions{};
  RLAIF_CUDA(cudaRuntimeGetVersion(&out->cuda_runtime));
  RLAIF_CUDA(cudaDriverGetVersion(&out->cuda_driver));
  RLAIF_NCCL(ncclGetVersion(&out->nccl), nullptr);
  return 0;
}

int select_device(int device, PluginError* error) {
  RLAIF_CUDA(cudaSetDevice(device));
  return 0;
}

int make_id(void* id, PluginError* error) {
  ncclUniqueId unique;
  RLAIF_NCCL(ncclGetUniqueId(&unique), nullptr);
  std::memcpy(id, &unique, sizeof unique);
  return 0;
}

int open_channel(Channel& c, const void* id, int rank, int ranks, PluginError* error) {
  RLAIF_CUDA(cudaSetDevice(c.device));
  RLAIF_CUDA(cudaStreamCreateWithFlags(&c.stream, cudaStreamNonBlocking));
  RLAIF_CUDA(cudaEventCreateWithFlags(&c.produced, cudaEventDisableTiming));
  RLAIF_CUDA(cudaEventCreateWithFlags(&c.collected, cudaEventDisableTiming));
  ncclUniqueId unique;
  std::memcpy(&unique, id, sizeof unique);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  RLAIF_NCCL(ncclCommInitRankConfig(&c.comm, ranks, unique, rank, &config), c.comm);
  return 0;
}

int open(void** communicator, const void* id, int rank, int ranks, int device, PluginError* error) {
  // In-switch reduction adds in an order that varies from call to call; a user may still ask for it.
  setenv("NCCL_NVLS_ENABLE", "0", 0);
  auto c = std::make_unique<Channel>();
  c->device = device;
  if (open_channel(*c, id, rank, ranks, error) != 0) {
    if (c->comm != nullptr) ncclCommAbort(c->comm);
    return 1;
  }
  *communicator = c.release();
  return 0;
}

// The collectives' stream goes on from where the compute stream is now.
int follow(Channel& c, void* compute_stream, PluginError* error) {
  RLAIF_CUDA(cudaSetDevice(c.device));
  RLAIF_CUDA(cudaEventRecord(c.produced, static_cast<cudaStream_t>(compute_stream)));
  RLAIF_CUDA(cudaStreamWaitEvent(c.stream, c.produced, 0));
  return 0;
}

int all_reduce_sum(void* communicator, void* floats, std::size_t count, void* compute_stream, PluginError* error) {
  Channel& c = channel(communicator);
  if (follow(c, compute_stream, error) != 0) return 1;
  RLAIF_NCCL(ncclAllReduce(floats, floats, count, ncclFloat32, ncclSum, c.comm, c.stream), c.comm);
  return 0;
}

int reduce_sum(void* communicator, void* floats, std::size_t count, int root, void* compute_stream,
               PluginError* error) {
  Channel& c = channel(communicator);
  if (follow(c, compute_stream, error) != 0) return 1;
  RLAIF_NCCL(ncclReduce(floats, floats, count, ncclFloat32, ncclSum, root, c.comm, c.stream), c.comm);
  return 0;
}

int broadcast(void* communicator, void* floats, std::size_t count, int root, void* compute_stream, PluginError* error) {
  Channel& c = channel(communicator);
  if (follow(c, compute_stream, error) != 0) return 1;
  RLAIF_NCCL(ncclBroadcast(floats, floats, count, ncclFloat32, root, c.comm, c.stream), c.comm);
  return 0;
}

int join(void* communicator, void* compute_stream, PluginError* error) {
  Channel& c = channel(communicator);
  RLAIF_CUDA(cudaSetDevice(c.device));
  RLAIF_CUDA(cudaEventRecord(c.collected, c.stream));
  RLAIF_CUDA(cudaStreamWaitEvent(static_cast<cudaStream_t>(compute_stream), c.collected, 0));
  return 0;
}

PluginState launched(void* communicator, PluginError* error) {
  const Channel& c = channel(communicator);
  ncclResult_t state = ncclSuccess;
  const ncclResult_t asked = ncclCommGetAsyncError(c.comm, &state);
  if (asked != ncclSuccess) state = asked;
  if (state == ncclSuccess) return PluginState::ready;
  if (state == ncclInProgress) return PluginState::busy;
  report(error, "asynchronous error", ncclGetErrorString(state), ncclGetLastError(c.comm));
  return PluginState::failed;
}

PluginState finished(void* communicator, PluginError* error) {
  // An error of the network shows in NCCL only: the event would never come.
  if (const PluginState state = launched(communicator, error); state != PluginState::ready) return state;
  const cudaError_t code = cudaEventQuery(channel(communicator).collected);
  if (code == cudaSuccess) return PluginState::ready;
  if (code == cudaErrorNotReady) return PluginState::busy;
  report(error, "cudaEventQuery", cudaGetErrorString(code));
  return PluginState::failed;
}

int close(void* communicator, PluginError* error) {
  Channel& c = channel(communicator);
  RLAIF_NCCL(ncclCommFinalize(c.comm), c.comm);
  return 0;
}

void release(void* communicator) {
  const std::unique_ptr<Channel> c(&channel(communicator));
  ncclCommDestroy(c->comm);
}

void abort_channel(void* communicator) {
  const std::unique_ptr<Channel> c(&channel(communicator));
  ncclCommAbort(c->comm);
}

int allocate(void** memory, std::size_t bytes, PluginError* error) {
  RLAIF_CUDA(cudaMalloc(memory, bytes));
  return 0;
}

void free_memory(void* memory) { cudaFree(memory); }

int copy_to_device(void* to, const void* from, std::size_t bytes, PluginError* error) {
  RLAIF_CUDA(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice));
  return 0;
}

int copy_to_host(void* to, const void* from, std::size_t bytes, PluginError* error) {
  RLAIF_CUDA(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost));
  return 0;
}

constexpr PluginTable table{
    .abi_version = plugin_abi_version,
    .carries_torch = RLAIF_PLUGIN_CARRIES_TORCH,
    .id_bytes = sizeof(ncclUniqueId),
    .device_count = device_count,
    .describe_device = describe_device,
    .versions = versions,
    .select_device = select_device,
    .make_id = make_id,
    .open = open,
    .all_reduce_sum = all_reduce_sum,
    .reduce_sum = reduce_sum,
    .broadcast = broadcast,
    .join = join,
    .launched = launched,
    .finished = finished,
    .close = close,
    .release = release,
    .abort = abort_channel,
    .allocate = allocate,
    .free = free_memory,
    .copy_to_device = copy_to_device,
    .copy_to_host = copy_to_host,
};

}  // namespace
}  // namespace rlaif::comm

extern "C" __attribute__((visibility("default"))) const rlaif::comm::PluginTable* rlaif_cuda_plugin() {
  return &rlaif::comm::table;
}
