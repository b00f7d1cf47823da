// JSON that came from outside, bounded before it is taken apart. Copying a value and writing it out recurse by depth, and
// ordered objects take quadratic time to fill: without bounds a small hostile text ends or stalls the program.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "rlaif/core/json.hpp"

namespace rlaif {

constexpr std::size_t json_depth = 100;     // objects and lists within each other
constexpr std::size_t json_members = 8192;  // of one object

// Where a text goes beyond the bounds, as Json::parse_error; otherwise nothing. Looks at brackets, colons and quotation marks
// only: one pass, no memory to speak of. Whether the text is JSON is left to the parser.
void check_json_bounds(std::string_view text, std::size_t most_members = json_members);

// Json::parse within the bounds. Throws Json::parse_error.
Json parse_json_text(std::string_view text);
// The same, discarded (is_discarded()) where the text is not JSON or goes beyond the bounds.
Json try_parse_json(std::string_view text);

// An object that carries a checksum of its other members. Written atomically.
void write_sealed_json(const std::filesystem::path& file, Json object);
// Throws Error(input) naming the file where it is not the object that was written. One without a checksum is an earlier version's.
Json read_sealed_json(const std::filesystem::path& file);

}  // namespace rlaif
