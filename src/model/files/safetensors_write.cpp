#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <set>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/model/safetensors.hpp"
#include "rlaif/model/torch.hpp"
#include "safetensors_format.hpp"

namespace rlaif::model {
namespace {

using safetensors::Dtype;
using safetensors::prefix_bytes;

constexpr std::size_t header_alignment = 8;  // data then begins aligned for every dtype

const Dtype& dtype_of(const DeferredTensor& tensor) {
  for (const Dtype& known : safetensors::dtypes)
    if (tensor.type == known.type) return known;
  RLAIF_CHECK(false, "tensor " + tensor.name + " has a type that safetensors files do not hold");
}

std::string header_text(const std::vector<DeferredTensor>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::set<std::string> names{"__metadata__"};
  std::uint64_t position = 0;
  for (const DeferredTensor& tensor : tensors) {
    RLAIF_CHECK(names.insert(tensor.name).second, "tensor " + tensor.name + " is written twice");
    const Dtype& dtype = dtype_of(tensor);
    std::uint64_t end = dtype.bytes;
    for (const std::int64_t size : tensor.shape) end *= static_cast<std::uint64_t>(size);
    end += position;
    header[tensor.name] = {{"dtype", dtype.name}, {"shape", tensor.shape}, {"data_offsets", {position, end}}};
    position = end;
  }
  std::string text = header.dump();
  text.append((header_alignment - (prefix_bytes + text.size()) % header_alignment) % header_alignment, ' ');
  RLAIF_CHECK(text.size() <= safetensors::largest_header, "a safetensors header within the format's limit");
  return text;
}

// The temporary file of a write; gone again where the write fails.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& file)
      : file_(file),
        temporary_(temporary_name(file)),
        descriptor_(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) throw io_error(temporary_, "create");
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!committed_) ::unlink(temporary_.c_str());
  }
  void write(const void* from, std::uint64_t bytes) {
    const auto* in = static_cast<const char*>(from);
    while (bytes > 0) {
      const ssize_t put = ::write(descriptor_, in, bytes);
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) throw io_error(file_, "write");
      in += put;
      bytes -= static_cast<std::uint64_t>(put);
    }
  }
  void commit() {
    const int closed = ::close(descriptor_);
    descriptor_ = -1;
    if (closed != 0) throw io_error(file_, "close");
    commit_file(temporary_, file_);
    committed_ = true;
  }

 private:
  std::filesystem::path file_, temporary_;
  int descriptor_;
  bool committed_ = false;
};

}  // namespace

void write_deferred(const std::filesystem::path& file, const std::vector<DeferredTensor>& tensors,
                    const std::map<std::string, std::string>& metadata) {
  const std::string header = header_text(tensors, metadata);
  std::array<unsigned char, prefix_bytes> prefix{};
  for (std::size_t i = 0; i < prefix_bytes; ++i) prefix[i] = static_cast<unsigned char>(header.size() >> (8 * i));
  OutputFile output(file);
  output.write(prefix.data(), prefix.size());
  output.write(header.data(), header.size());
  for (const DeferredTensor& tensor : tensors) {
    const torch::Tensor host = tensor.make().detach().to(torch::kCPU, tensor.type).contiguous();
    RLAIF_CHECK(host.sizes() == torch::IntArrayRef(tensor.shape),
                "tensor " + tensor.name + " has the shape that was announced");
    output.write(host.data_ptr(), host.nbytes());
  }
  output.commit();
}

void write_safetensors(const std::filesystem::path& file, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<DeferredTensor> deferred;
  for (const auto& [name, tensor] : tensors)
    deferred.push_back({name, tensor.scalar_type(), tensor.sizes().vec(), [&tensor = tensor] { return tensor; }});
  write_deferred(file, deferred, metadata);
}

}  // namespace rlaif::model
