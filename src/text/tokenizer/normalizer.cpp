#include "normalizer.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "rlaif/core/error.hpp"
#include "rlaif/core/utf8.hpp"

namespace rlaif::text {
namespace {

utf8proc_option_t options_of(UnicodeForm form) {
  const bool compose = form == UnicodeForm::nfc || form == UnicodeForm::nfkc;
  const bool compatible = form == UnicodeForm::nfkc || form == UnicodeForm::nfkd;
  return static_cast<utf8proc_option_t>(UTF8PROC_STABLE | (compose ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE) |
                                        (compatible ? UTF8PROC_COMPAT : 0));
}

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

std::string apply_step(const UnicodeStep& step, std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  utf8proc_uint8_t* mapped = nullptr;
  const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                   static_cast<utf8proc_ssize_t>(text.size()), &mapped, options_of(step.form));
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(mapped, std::free);
  RLAIF_CHECK(length >= 0, std::string("utf8proc_map: ") + utf8proc_errmsg(length));
  return {reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(length)};
}

template <class F>
std::string map_characters(std::string_view text, F append) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Step step = decode_utf8(text);
    append(out, step.code);
    text.remove_prefix(step.length);
  }
  return out;
}

std::string apply_step(const LowercaseStep&, std::string_view text) {
  return map_characters(text, [](std::string& out, char32_t code) {
    constexpr char32_t kCapitalDottedI = 0x130;  // the one character whose lower case is two characters
    if (code == kCapitalDottedI) {
      out += "i\xCC\x87";
    } else {
      append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))));
    }
  });
}

std::string apply_step(const StripAccentsStep&, std::string_view text) {
  return map_characters(text, [](std::string& out, char32_t code) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
    const bool mark =
        category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_ME;
    if (!mark) append_utf8(out, code);
  });
}

std::string apply_step(const PrependStep& step, std::string_view text) {
  return text.empty() ? std::string() : step.text + std::string(text);
}

std::string apply_step(const ReplaceStep& step, std::string_view text) { return replace_matches(step, text); }

}  // namespace

std::string replace_matches(const ReplaceStep& step, std::string_view text) {
  std::string out;
  std::size_t done = 0;
  step.pattern.for_each_match(text, [&](std::size_t begin, std::size_t end) {
    out.append(text.substr(done, begin - done)).append(step.content);
    done = end;
  });
  return out.append(text.substr(done));
}

std::string Normalizer::apply(std::string_view text) const {
  std::string current(text);
  for (const NormalizerStep& step : steps_) {
    current = std::visit([&](const auto& kind) { return apply_step(kind, current); }, step);
  }
  return current;
}

}  // namespace rlaif::text
