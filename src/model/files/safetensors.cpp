#include "rlaif/model/safetensors.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_reader.hpp"
#include "rlaif/model/torch.hpp"
#include "safetensors_format.hpp"

namespace rlaif::model {
class SafetensorsReader::InputFile {
 public:
  explicit InputFile(const std::filesystem::path& file)
      : file_(file), descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) throw input_error(file, std::string("cannot be opened: ") + std::strerror(errno));
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
      ::close(descriptor_);
      throw input_error(file, "expected a regular file");
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() { ::close(descriptor_); }

  std::uint64_t size() const { return size_; }
  void read(std::uint64_t offset, void* to, std::uint64_t bytes) const {
    auto* out = static_cast<char*>(to);
    while (bytes > 0) {
      const ssize_t got = ::pread(descriptor_, out, bytes, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw io_error(file_, "read");
      if (got == 0) throw input_error(file_, "ends before its data does: it shrank while it was read");
      out += got;
      offset += static_cast<std::uint64_t>(got);
      bytes -= static_cast<std::uint64_t>(got);
    }
  }

 private:
  std::filesystem::path file_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

namespace {

using safetensors::Dtype;
using safetensors::dtypes;
using safetensors::largest_header;
using safetensors::prefix_bytes;

using Entry = SafetensorsEntry;

const Dtype& read_dtype(const IndexedJsonReader& reader) {
  std::vector<std::string> names;
  for (const Dtype& known : dtypes) names.emplace_back(known.name);
  const std::string& name = reader.one_of(names);
  return *std::find_if(dtypes.begin(), dtypes.end(), [&](const Dtype& known) { return name == known.name; });
}

// The product of the shape must be the bytes there are; it may not wrap around on the way.
void check_size(const IndexedJsonReader& reader, const Entry& entry, std::uint64_t bytes) {
  bool empty = false, overflow = false;
  for (const std::int64_t size : entry.shape) {
    empty = empty || size == 0;
    if (!empty) overflow = __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes) || overflow;
  }
  if (empty) bytes = 0;
  if (overflow && !empty) throw reader.at("shape").error("its size does not fit into 64 bits");
  if (entry.begin > entry.end) throw reader.at("data_offsets").error("the end lies before the beginning");
  if (entry.end - entry.begin != bytes)
    throw reader.error("has " + std::to_string(entry.end - entry.begin) +
                       " bytes of data, its shape and dtype ask for " + std::to_string(bytes));
}

Entry read_entry(const std::string& name, const IndexedJsonReader& reader) {
  reader.allow_only({"dtype", "shape", "data_offsets"});
  Entry entry;
  entry.name = name;
  const Dtype dtype = read_dtype(reader.at("dtype"));
  entry.type = dtype.type;
  for (const auto& size : reader.at("shape").items())
    entry.shape.push_back(static_cast<std::int64_t>(size.count(0, std::numeric_limits<std::int64_t>::max())));
  const auto offsets = reader.at("data_offsets").items();
  if (offsets.size() != 2) throw reader.at("data_offsets").unexpected("two numbers");
  entry.begin = offsets[0].count();
  entry.end = offsets[1].count();
  check_size(reader, entry, dtype.bytes);
  return entry;
}

// Every byte of the data belongs to exactly one tensor.
void check_coverage(const std::filesystem::path& file, const std::vector<Entry>& entries, std::uint64_t data_bytes) {
  std::uint64_t position = 0;
  for (const Entry& entry : entries) {
    if (entry.begin < position)
      throw input_error(file, "tensor \"" + entry.name + "\": its data overlaps another tensor's");
    if (entry.begin > position)
      throw input_error(file, "tensor \"" + entry.name + "\": a gap of " + std::to_string(entry.begin - position) +
                                  " bytes before its data");
    position = entry.end;
    if (position > data_bytes)
      throw input_error(file, "tensor \"" + entry.name + "\": its data ends at byte " + std::to_string(position) +
                                  " of " + std::to_string(data_bytes) + ": the file is cut short");
  }
  if (position != data_bytes)
    throw input_error(file, std::to_string(data_bytes - position) + " bytes after the last tensor");
}

// `input` is the file open for reading.
template <class Input>
std::string read_header_text(const std::filesystem::path& file, const Input& input) {
  if (input.size() < prefix_bytes) throw input_error(file, "too short for a safetensors file");
  std::array<unsigned char, prefix_bytes> prefix{};
  input.read(0, prefix.data(), prefix_bytes);
  std::uint64_t length = 0;
  for (std::size_t i = prefix_bytes; i-- > 0;) length = length << 8 | prefix[i];
  if (length > largest_header)
    throw input_error(file,
                      "header length " + std::to_string(length) + " is over the format's limit of 100000000 bytes");
  if (length > input.size() - prefix_bytes)
    throw input_error(
        file, "header length " + std::to_string(length) + " is more than the file holds: the file is cut short");
  std::string text(length, '\0');
  input.read(prefix_bytes, text.data(), length);
  if (text.empty() || text.front() != '{') throw input_error(file, "header: expected to begin with \"{\"");
  return text;
}

}  // namespace

SafetensorsReader::SafetensorsReader(const std::filesystem::path& file)
    : file_(file), input_(std::make_shared<const InputFile>(file)) {
  const std::string text = read_header_text(file, *input_);
  const auto header = parse_json<IndexedJson>(file, text);
  for (const auto& [name, reader] : IndexedJsonReader(file, header).members()) {
    if (name != "__metadata__") {
      entries_.push_back(read_entry(name, reader));
      continue;
    }
    for (const auto& [key, value] : reader.members()) metadata_.emplace(key, value.string());
  }
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  data_begin_ = prefix_bytes + text.size();
  check_coverage(file, entries_, input_->size() - data_begin_);
}

torch::Tensor SafetensorsReader::read(const SafetensorsEntry& entry) const {
  torch::Tensor tensor = torch::empty(entry.shape, torch::TensorOptions().dtype(entry.type));
  read_into(entry, tensor);
  return tensor;
}

void SafetensorsReader::read_into(const SafetensorsEntry& entry, torch::Tensor to) const {
  RLAIF_CHECK(
      to.is_cpu() && to.is_contiguous() && to.scalar_type() == entry.type && to.nbytes() == entry.end - entry.begin,
      "a tensor that can take the bytes of " + entry.name);
  input_->read(data_begin_ + entry.begin, to.data_ptr(), entry.end - entry.begin);
}

SafetensorsFile read_safetensors(const std::filesystem::path& file) {
  const SafetensorsReader reader(file);
  SafetensorsFile result;
  result.metadata = reader.metadata();
  for (const SafetensorsEntry& entry : reader.entries()) result.tensors.emplace_back(entry.name, reader.read(entry));
  return result;
}

}  // namespace rlaif::model
