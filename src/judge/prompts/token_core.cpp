#include "token_core.hpp"

#include <cctype>
#include <cmath>
#include <limits>

namespace rlaif::judge {
namespace {

// What tokenizers write for a space, where servers pass it on: U+0120 (byte-level) and U+2581 (SentencePiece).
constexpr std::string_view byte_level_space = "\xC4\xA0", piece_space = "\xE2\x96\x81";

}  // namespace

std::string token_core(std::string_view token, bool as_it_stands) {
  std::string core;
  for (std::size_t at = 0; at < token.size();) {
    bool space = false;
    for (const std::string_view mark : {byte_level_space, piece_space}) {
      if (token.substr(at, mark.size()) != mark) continue;
      at += mark.size();
      space = true;
      break;
    }
    if (space) continue;
    const char c = token[at++];
    if (std::string_view(" \t\r\n()[]{}\"'`*_.,:").find(c) == std::string_view::npos)
      core += as_it_stands ? c : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return core;
}

double listed_mass(double log_prob) {
  if (std::isnan(log_prob) || log_prob > 1e-3) return std::numeric_limits<double>::quiet_NaN();
  return log_prob <= -9999.0 ? 0.0 : std::exp(log_prob);
}

}  // namespace rlaif::judge
