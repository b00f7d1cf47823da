// What reading and writing of safetensors files share. Not a public header.
#pragma once

#include <array>
#include <cstdint>

#include "rlaif/model/tensor.hpp"

namespace rlaif::model::safetensors {

inline constexpr std::uint64_t prefix_bytes = 8;              // header length, little-endian
inline constexpr std::uint64_t largest_header = 100'000'000;  // the format's own limit

struct Dtype {
  const char* name;
  torch::ScalarType type;
  std::uint64_t bytes;
};
inline constexpr std::array<Dtype, 10> dtypes{{{"F64", torch::kDouble, 8},
                                               {"F32", torch::kFloat, 4},
                                               {"F16", torch::kHalf, 2},
                                               {"BF16", torch::kBFloat16, 2},
                                               {"I64", torch::kLong, 8},
                                               {"I32", torch::kInt, 4},
                                               {"I16", torch::kShort, 2},
                                               {"I8", torch::kChar, 1},
                                               {"U8", torch::kByte, 1},
                                               {"BOOL", torch::kBool, 1}}};

}  // namespace rlaif::model::safetensors
