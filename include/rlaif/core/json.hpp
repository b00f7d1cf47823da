// nlohmann::json under one name. ordered_json keeps the order of keys, so written files are the same bytes.
#pragma once

#include <nlohmann/json.hpp>

namespace rlaif {
using Json = nlohmann::ordered_json;
}
