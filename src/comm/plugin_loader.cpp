#include "plugin_loader.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

namespace rlaif::comm {
namespace {

constexpr const char* plugin_file = "librlaif_cuda.so";

template <class Function>
Function symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

std::string last_loader_error() {
  const char* text = dlerror();
  return text != nullptr ? text : "unknown error of the dynamic loader";
}

// Asks the driver itself, without the CUDA runtime. Returns what is missing, or nothing.
std::string missing_device() {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (driver == nullptr) return "no CUDA driver on this machine (libcuda.so.1 was not found)";
  const auto init = symbol<int (*)(unsigned)>(driver, "cuInit");
  const auto count_devices = symbol<int (*)(int*)>(driver, "cuDeviceGetCount");
  const auto error_name = symbol<int (*)(int, const char**)>(driver, "cuGetErrorName");
  if (init == nullptr || count_devices == nullptr) return "libcuda.so.1 is not a CUDA driver";
  const auto failed = [&](const char* call, int code) {
    const char* name = nullptr;
    if (error_name != nullptr) error_name(code, &name);
    return std::string("no usable GPU: ") + call + " says " + (name != nullptr ? name : std::to_string(code));
  };
  if (const int code = init(0); code != 0) return failed("cuInit", code);
  int count = 0;
  if (const int code = count_devices(&count); code != 0) return failed("cuDeviceGetCount", code);
  if (count == 0) return "the CUDA driver shows no GPU to this process (is CUDA_VISIBLE_DEVICES empty?)";
  return "";
}

// Where the plugin may lie: RLAIF_PLUGIN_DIR alone if it is set; else around the executable, as it is built
// (test binaries lie one folder deeper) or installed.
std::vector<std::filesystem::path> plugin_folders() {
  if (const char* folder = std::getenv("RLAIF_PLUGIN_DIR"); folder != nullptr && *folder != '\0') return {folder};
  std::error_code error;
  const auto executable = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return {"."};
  const auto folder = executable.parent_path();
  return {folder, folder.parent_path(), folder.parent_path() / "lib"};
}

// The loaded plugin, or null with the reason.
const PluginTable* load_plugin(std::string& reason) {
  std::filesystem::path file;
  for (const auto& folder : plugin_folders()) {
    std::error_code error;
    if (file.empty() && std::filesystem::exists(folder / plugin_file, error)) file = folder / plugin_file;
  }
  if (file.empty()) {
    reason = std::string(plugin_file) + " was not found in " + plugin_folders().front().string() +
             ": build with RLAIF_CUDA=on, or set RLAIF_PLUGIN_DIR to its folder";
    return nullptr;
  }
  // Global, so that libtorch's CUDA backend registers itself with the libtorch that is already here.
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    reason = "the plugin does not load: " + last_loader_error() +
             " (libtorch's CUDA libraries come with 'pip install torch' and its dependencies)";
    return nullptr;
  }
  const auto entry = symbol<PluginEntry>(library, plugin_entry_name);
  const PluginTable* table = entry != nullptr ? entry() : nullptr;
  if (table == nullptr || table->abi_version != plugin_abi_version) {
    reason = file.string() + " belongs to another version of rlaif: build both together";
    return nullptr;
  }
  if (table->carries_torch == 0) {
    reason = file.string() + " was built without libtorch_cuda, so the model cannot run on a GPU";
    return nullptr;
  }
  return table;
}

CudaProbe probe() {
  CudaProbe result;
  result.reason = missing_device();
  if (!result.reason.empty()) return result;
  const PluginTable* table = load_plugin(result.reason);
  if (table == nullptr) return result;
  PluginError error{};
  if (table->device_count(&result.devices, &error) != 0 || result.devices == 0) {
    result.reason = result.devices == 0 && error.text[0] == '\0' ? "the CUDA runtime sees no GPU" : error.text;
    return result;
  }
  result.plugin = table;
  return result;
}

std::string dotted(int major, int minor) { return std::to_string(major) + "." + std::to_string(minor); }

}  // namespace

const CudaProbe& probe_cuda() {
  static const CudaProbe result = probe();
  return result;
}

std::string version_line(const PluginTable& plugin) {
  PluginVersions v{};
  PluginError error{};
  if (plugin.versions(&v, &error) != 0) return error.text;
  return "CUDA " + dotted(v.cuda_runtime / 1000, v.cuda_runtime % 1000 / 10) + ", driver for CUDA " +
         dotted(v.cuda_driver / 1000, v.cuda_driver % 1000 / 10) + ", NCCL " +
         dotted(v.nccl / 10000, v.nccl % 10000 / 100) + "." + std::to_string(v.nccl % 100);
}

std::string device_line(const PluginDevice& device) {
  return fmt::format("{}, compute capability {}, {:.1f} GiB", device.name,
                     dotted(device.capability_major, device.capability_minor),
                     static_cast<double>(device.memory_bytes) / (1U << 30));
}

}  // namespace rlaif::comm
