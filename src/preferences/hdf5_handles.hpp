// HDF5's C interface made safe: handles that close themselves, calls that are checked. Private to this module.
#pragma once

#include <hdf5.h>

#include <filesystem>
#include <string>
#include <type_traits>
#include <utility>

#include "rlaif/core/error.hpp"

namespace rlaif::preferences {

// What a failing call was about: the file, the object in it, and whose fault a failure is.
struct Origin {
  std::filesystem::path file;
  ErrorKind kind = ErrorKind::input;
  std::string object = {};  // "dataset /id"; empty: the file itself

  Origin in(const std::string& name) const { return Origin{file, kind, name}; }
  // An error of this kind that names the file, the object and what is wrong.
  [[nodiscard]] Error error(const std::string& message) const;
};

// Keeps HDF5 from printing its error stack on stderr: the first description in it goes into our message.
// The setting belongs to a thread, so every entry point of the module calls this.
void silence_hdf5();

[[noreturn]] void hdf5_failed(const char* call, const Origin& origin);

template <class Result>
Result hdf5_checked(Result result, const char* call, const Origin& origin) {
  static_assert(std::is_signed_v<Result>, "HDF5 calls that can fail return signed values");
  if (result < 0) hdf5_failed(call, origin);
  return result;
}

// A move-only HDF5 identifier and the call that closes it.
template <herr_t (*Close)(hid_t)>
class Handle {
 public:
  explicit Handle(hid_t id) : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) Close(id_);
  }

  hid_t get() const { return id_; }
  // Closes now, for handles whose close writes. The handle is empty afterwards, also where closing failed.
  herr_t close() { return Close(std::exchange(id_, H5I_INVALID_HID)); }

 private:
  hid_t id_;
};

using FileHandle = Handle<H5Fclose>;
using GroupHandle = Handle<H5Gclose>;
using DatasetHandle = Handle<H5Dclose>;
using SpaceHandle = Handle<H5Sclose>;
using TypeHandle = Handle<H5Tclose>;
using AttributeHandle = Handle<H5Aclose>;
using PropertiesHandle = Handle<H5Pclose>;

}  // namespace rlaif::preferences

// Runs an HDF5 call; a negative result throws an error that prints the call and HDF5's own first reason.
#define RLAIF_HDF5(origin, call) ::rlaif::preferences::hdf5_checked((call), #call, (origin))
