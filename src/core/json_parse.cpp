#include "rlaif/core/json_parse.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_reader.hpp"

namespace rlaif {
namespace {

// Whether one of eight bytes is `byte`, by which the others are not zero (Warren, Hacker's Delight, 6-1).
bool any_is(std::uint64_t eight, unsigned char byte) {
  const std::uint64_t zeros = eight ^ (0x0101010101010101u * byte);
  return ((zeros - 0x0101010101010101u) & ~zeros & 0x8080808080808080u) != 0;
}

// Where a string whose contents begin at `at` ends: at its quotation mark, or where the text does. Eight bytes at a time.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (;;) {
    for (std::uint64_t eight; at + sizeof eight <= text.size(); at += sizeof eight) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if (any_is(eight, '"') || any_is(eight, '\\')) break;
    }
    while (at < text.size() && text[at] != '"' && text[at] != '\\') ++at;
    if (at >= text.size() || text[at] == '"') return at;
    at += 2;
  }
}

// The byte at which a text goes beyond the bounds, and in which way.
struct Excess {
  std::size_t at = 0;
  const char* what = nullptr;  // null: it does not
};

Excess find_excess(std::string_view text, std::size_t most_members) {
  std::array<std::size_t, json_depth + 1> members{};  // of what is open, by depth
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"': i = end_of_string(text, i + 1); break;
      case '{':
      case '[':
        if (++depth > json_depth) return {i, "nested deeper than 100 lists and objects"};
        members[depth] = 0;
        break;
      case '}':
      case ']':
        if (depth > 0) --depth;
        break;
      case ':':
        if (++members[depth] > most_members) return {i, "an object of more members than are expected"};
        break;
      default: break;
    }
  }
  return {};
}

std::string seal_of(const Json& object) {
  return hex(checksum(object.dump(-1, ' ', false, Json::error_handler_t::replace)));
}

}  // namespace

void check_json_bounds(std::string_view text, std::size_t most_members) {
  const Excess excess = find_excess(text, most_members);
  if (excess.what) throw Json::parse_error::create(101, excess.at + 1, excess.what, nullptr);
}

Json parse_json_text(std::string_view text) {
  check_json_bounds(text);
  try {
    return Json::parse(text);
  } catch (const Json::out_of_range& error) {  // a number that no double holds
    throw Json::parse_error::create(101, std::size_t{0}, error.what(), nullptr);
  }
}

Json try_parse_json(std::string_view text) {
  if (find_excess(text, json_members).what) return Json(Json::value_t::discarded);
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

void write_sealed_json(const std::filesystem::path& file, Json object) {
  object["checksum"] = seal_of(object);
  write_file_atomic(file, object.dump(1) + "\n");
}

Json read_sealed_json(const std::filesystem::path& file) {
  Json object = read_json_object(file);
  const auto found = object.find("checksum");
  if (found == object.end()) return object;
  const Json said = *found;
  object.erase("checksum");
  if (said != seal_of(object)) throw input_error(file, "is damaged: its checksum does not match");
  return object;
}

}  // namespace rlaif
