#include "decoder.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "rlaif/core/utf8.hpp"

namespace rlaif::text {
namespace {

using Tokens = std::vector<std::string>;

std::optional<char> byte_of_token(const std::string& token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, value, 16);
  if (error != std::errc() || end != token.data() + 5) return std::nullopt;
  return static_cast<char>(static_cast<unsigned char>(value));
}

void apply_step(const ReplaceStep& step, Tokens& tokens) {
  for (std::string& token : tokens) token = replace_matches(step, token);
}

void apply_step(const ByteFallbackStep&, Tokens& tokens) {
  Tokens out;
  std::string run;
  const auto end_run = [&] {
    if (is_valid_utf8(run)) {
      if (!run.empty()) out.push_back(run);
    } else {
      out.insert(out.end(), run.size(), "\xEF\xBF\xBD");
    }
    run.clear();
  };
  for (std::string& token : tokens) {
    if (const auto byte = byte_of_token(token)) {
      run.push_back(*byte);
    } else {
      end_run();
      out.push_back(std::move(token));
    }
  }
  end_run();
  tokens = std::move(out);
}

void apply_step(const FuseStep&, Tokens& tokens) {
  std::string all;
  for (const std::string& token : tokens) all += token;
  tokens.assign(1, std::move(all));
}

void apply_step(const StripStep& step, Tokens& tokens) {
  std::string character;
  append_utf8(character, step.character);
  for (std::string& token : tokens) {
    for (std::size_t i = 0; i < step.start && token.starts_with(character); ++i) token.erase(0, character.size());
    for (std::size_t i = 0; i < step.stop && token.ends_with(character); ++i)
      token.resize(token.size() - character.size());
  }
}

void apply_step(const MetaspaceDecodeStep& step, Tokens& tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view space = i == 0 && step.drop_first ? "" : " ";
    std::string& token = tokens[i];
    for (std::size_t at = 0; (at = token.find(step.replacement, at)) != std::string::npos; at += space.size()) {
      token.replace(at, step.replacement.size(), space);
    }
  }
}

}  // namespace

std::string Decoder::decode(std::vector<std::string> tokens) const {
  for (const DecoderStep& step : steps_) std::visit([&](const auto& kind) { apply_step(kind, tokens); }, step);
  apply_step(FuseStep{}, tokens);
  return std::move(tokens.front());
}

std::string byte_token(unsigned char byte) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  return {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
}

}  // namespace rlaif::text
