// nlohmann::json under two names.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>

namespace rlaif {

using Json = nlohmann::ordered_json;  // keeps the order of keys, so written files are the same bytes
using IndexedJson = nlohmann::json;   // finds keys by the ten thousand in a sorted map

// A number, or null where it is none that JSON can say.
inline Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(); }

}  // namespace rlaif
