// An HDF5 file built in memory. A full disk then fails a plain write of finished bytes, not a library in the middle
// of closing, and nothing is ever left half written. Private to this module.
#pragma once

#include <string>
#include <string_view>

#include "hdf5_handles.hpp"

namespace rlaif::preferences {

class MemoryFile {
 public:
  // An empty file in the pinned format, with room for `expected_bytes` before its buffer moves.
  MemoryFile(const Origin& origin, std::size_t expected_bytes);
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  hid_t get() const { return file_.get(); }
  // Closes the file and gives its bytes, which live as long as this object.
  std::string_view finish();

 private:
  FileHandle create(std::size_t expected_bytes);
  Origin origin_;
  std::string buffer_;  // HDF5 writes here through the image callbacks; must outlive file_
  FileHandle file_;
};

}  // namespace rlaif::preferences
