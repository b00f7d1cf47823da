#include "hdf5_handles.hpp"

namespace rlaif::preferences {
namespace {

// The walk starts at the most specific error, which is the cause; the ones above it only pass it on.
herr_t take_first(unsigned, const H5E_error2_t* error, void* data) {
  auto* text = static_cast<std::string*>(data);
  if (text->empty() && error->desc != nullptr) *text = error->desc;
  return 0;
}

}  // namespace

Error Origin::error(const std::string& message) const {
  return Error(kind, file.string() + ": " + (object.empty() ? "" : object + ": ") + message);
}

void silence_hdf5() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

void hdf5_failed(const char* call, const Origin& origin) {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &reason);
  throw origin.error(std::string(call) + " failed: " + (reason.empty() ? "no reason given" : reason));
}

}  // namespace rlaif::preferences
