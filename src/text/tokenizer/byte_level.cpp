#include "byte_level.hpp"

#include <algorithm>
#include <numeric>

#include "rlaif/core/utf8.hpp"

namespace rlaif::text {
namespace {

constexpr int kCharacterLimit = 0x144;  // one past the largest character of the alphabet

bool stands_for_itself(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

std::array<char32_t, 256> make_characters() {
  std::array<char32_t, 256> characters{};
  char32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    characters[byte] = stands_for_itself(byte) ? static_cast<char32_t>(byte) : next++;
  }
  return characters;
}

// Byte of each character below the limit; -1 where there is none.
std::array<int, kCharacterLimit> make_bytes() {
  std::array<int, kCharacterLimit> bytes;
  bytes.fill(-1);
  for (int byte = 0; byte < 256; ++byte) bytes[byte_characters()[byte]] = byte;
  return bytes;
}

}  // namespace

const std::array<char32_t, 256>& byte_characters() {
  static const std::array<char32_t, 256> characters = make_characters();
  return characters;
}

std::array<unsigned char, 256> bytes_in_character_order() {
  std::array<unsigned char, 256> order;
  std::iota(order.begin(), order.end(), static_cast<unsigned char>(0));
  std::sort(order.begin(), order.end(),
            [](unsigned char a, unsigned char b) { return byte_characters()[a] < byte_characters()[b]; });
  return order;
}

std::string to_byte_level(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 4);
  for (const char byte : bytes) append_utf8(out, byte_characters()[static_cast<unsigned char>(byte)]);
  return out;
}

std::optional<std::string> from_byte_level(std::string_view token) {
  static const std::array<int, kCharacterLimit> bytes = make_bytes();
  std::string out;
  while (!token.empty()) {
    const Utf8Step step = decode_utf8(token);
    if (!step.valid || step.code >= kCharacterLimit || bytes[step.code] < 0) return std::nullopt;
    out.push_back(static_cast<char>(static_cast<unsigned char>(bytes[step.code])));
    token.remove_prefix(step.length);
  }
  return out;
}

}  // namespace rlaif::text
