#include "memory_file.hpp"

#include <cstdint>
#include <cstring>
#include <exception>
#include <new>

namespace rlaif::preferences {
namespace {

constexpr std::size_t kGrowBytes = 1 << 20;
// Superblock versions 2 and 3: the end of the file, little endian, at this byte of 48.
constexpr std::size_t kSuperblockBytes = 48;
constexpr std::size_t kEndOfFileAt = 28;

// The callbacks hand HDF5 the string's own storage, so that the finished file needs no copy. All but growing are
// formalities: no image is loaded, and the string outlives the file.
void* grow(void*, std::size_t size, H5FD_file_image_op_t, void* buffer) noexcept {
  try {
    auto* bytes = static_cast<std::string*>(buffer);
    bytes->resize(size);  // zeros: gaps between objects are the same bytes each time
    return bytes->data();
  } catch (const std::exception&) {
    return nullptr;
  }
}
herr_t keep(void*, H5FD_file_image_op_t, void*) noexcept { return 0; }
void* same_buffer(void* buffer) noexcept { return buffer; }
herr_t keep_buffer(void*) noexcept { return 0; }
void* allocate(std::size_t, H5FD_file_image_op_t, void*) noexcept { return nullptr; }
void* copy(void* to, const void* from, std::size_t size, H5FD_file_image_op_t, void*) noexcept {
  return std::memcpy(to, from, size);
}

}  // namespace

MemoryFile::MemoryFile(const Origin& origin, std::size_t expected_bytes)
    : origin_(origin), file_(create(expected_bytes)) {}

FileHandle MemoryFile::create(std::size_t expected_bytes) {
  try {
    buffer_.reserve(expected_bytes + kGrowBytes);
  } catch (const std::bad_alloc&) {
    throw origin_.error("not enough memory for its " + std::to_string(expected_bytes) + " bytes");
  }
  const PropertiesHandle access(RLAIF_HDF5(origin_, H5Pcreate(H5P_FILE_ACCESS)));
  // One fixed format, whatever the library's newest is; v110 also checksums all metadata.
  RLAIF_HDF5(origin_, H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110));
  RLAIF_HDF5(origin_, H5Pset_fapl_core(access.get(), kGrowBytes, /*backing_store=*/0));
  H5FD_file_image_callbacks_t callbacks{allocate, copy, grow, keep, same_buffer, keep_buffer, &buffer_};
  RLAIF_HDF5(origin_, H5Pset_file_image_callbacks(access.get(), &callbacks));
  const PropertiesHandle creation(RLAIF_HDF5(origin_, H5Pcreate(H5P_FILE_CREATE)));
  RLAIF_HDF5(origin_, H5Pset_obj_track_times(creation.get(), false));
  return FileHandle(RLAIF_HDF5(origin_, H5Fcreate(origin_.file.c_str(), H5F_ACC_TRUNC, creation.get(), access.get())));
}

std::string_view MemoryFile::finish() {
  RLAIF_HDF5(origin_, file_.close());
  // The buffer grows in steps; the superblock says where the file ends.
  RLAIF_CHECK(buffer_.size() >= kSuperblockBytes, "HDF5 left no superblock");
  std::uint64_t end = 0;
  for (std::size_t byte = 8; byte > 0; --byte) {
    end = end << 8 | static_cast<unsigned char>(buffer_[kEndOfFileAt + byte - 1]);
  }
  RLAIF_CHECK(end >= kSuperblockBytes && end <= buffer_.size(), "HDF5's superblock and its buffer disagree");
  return std::string_view(buffer_).substr(0, end);
}

}  // namespace rlaif::preferences
