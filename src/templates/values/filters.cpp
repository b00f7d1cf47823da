// Filters of chat templates over texts and numbers.
#include "filters.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "../arguments.hpp"
#include "../run.hpp"
#include "methods.hpp"

namespace rlaif::templates {
namespace {

using R = TemplateRun&;
using V = const Value&;
using A = Arguments&;

// soft_str: a text stays what it is, everything else becomes one.
Value as_text(V value) { return value.text() ? value : Value(to_text(value)); }
bool is_safe(V value) { return value.text() && value.text()->safe; }

Value changed(R run, V value, A arguments, const char* name, Letters (*change)(LettersView)) {
  const Bound bound(name, arguments, {});
  const Letters text = to_text(value);
  run.charge_text(text.size());
  return Value(change(text), is_safe(value));
}

// The filter's title: words begin behind white space, hyphens and opening brackets.
Letters title_words(LettersView text) {
  Letters out;
  std::size_t begin = 0;
  const auto parts_words = [](char32_t letter) {
    return is_python_space(letter) || std::u32string_view(U"-({[<").find(code_of(letter)) != no_position;
  };
  while (begin < text.size()) {
    const bool gap = parts_words(text[begin]);
    std::size_t end = begin;
    while (end < text.size() && parts_words(text[end]) == gap) ++end;
    const LettersView word = text.substr(begin, end - begin);
    out += upper(word.substr(0, 1)) + lower(word.substr(1));
    begin = end;
  }
  return out;
}

Value trim(R, V value, A arguments) {
  const Bound bound("trim", arguments, {"chars"});
  const Letters text = to_text(value);
  return Value(Letters(stripped(text, bound.at(0), true, true)), is_safe(value));
}

Value replace(R run, V value, A arguments) {
  const Bound bound("replace", arguments, {"old", "new", "count"}, 2);
  const Letters old = to_text(*bound.at(0)), with = to_text(*bound.at(1));
  return replaced_text(run, to_text(value), old, with, bound.given(2) ? bound.integer(2, -1) : -1);
}

Value default_value(R, V value, A arguments) {
  const Bound bound("default", arguments, {"default_value", "boolean"});
  const bool missing = value.undefined() || (bound.flag(1) && !truth(value));
  return missing ? bound.or_else(0, Letters()) : value;
}

Value indent(R run, V value, A arguments) {
  const Bound bound("indent", arguments, {"width", "first", "blank"});
  if (!value.text()) throw TemplateFault("indent expects a text, not a value of type '" + type_name(value) + "'");
  Letters by(4, U' ');
  if (bound.at(0) && bound.at(0)->text()) {
    by = bound.text(0);
  } else {
    const std::int64_t width = std::max<std::int64_t>(bound.integer(0, 4), 0);
    run.charge_text(static_cast<std::size_t>(width));
    by = Letters(static_cast<std::size_t>(width), U' ');
  }
  Letters out;
  const Values lines = lines_of(value.text()->letters + U'\n', false);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Letters& line = lines[i].text()->letters;
    run.charge_text(out.size() > template_letters ? out.size() : by.size() + line.size());
    if (i > 0) out += U'\n';
    if (i > 0 ? bound.flag(2) || !line.empty() : bound.flag(1)) out += by;
    out += line;
  }
  return Value(std::move(out), is_safe(value));
}

// --- numbers --------------------------------------------------------------------------------------

// What int(text, base) reads: white space around, a sign, single "_" between digits.
std::optional<std::int64_t> read_integer(const Letters& letters, std::int64_t base) {
  std::string text = to_utf8(strip(letters, true, true, is_python_space));
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.erase(0, 1);
  const std::string prefix = base == 16 ? "x" : base == 8 ? "o" : base == 2 ? "b" : "";
  if (!prefix.empty() && text.size() > 2 && text[0] == '0' && (text[1] | 0x20) == prefix[0]) text.erase(0, 2);
  if (text.empty() || text.front() == '_' || text.back() == '_' || text.find("__") != std::string::npos)
    return std::nullopt;
  std::erase(text, '_');
  std::int64_t number = 0;
  const std::string signed_text = (negative ? "-" : "") + text;
  const auto [end, error] =
      std::from_chars(signed_text.data(), signed_text.data() + signed_text.size(), number, static_cast<int>(base));
  if (error == std::errc::result_out_of_range) throw TemplateFault("a number goes beyond 64 bits");
  if (error != std::errc() || end != signed_text.data() + signed_text.size() || text.front() == '-')
    return std::nullopt;
  return number;
}

std::optional<double> read_real(const Letters& letters) {
  std::string text = to_utf8(strip(letters, true, true, is_python_space));
  std::string plain = text;
  std::transform(plain.begin(), plain.end(), plain.begin(),
                 [](unsigned char c) { return c < 0x80 ? std::tolower(c) : c; });
  const std::string name = plain.substr(!plain.empty() && (plain[0] == '-' || plain[0] == '+') ? 1 : 0);
  const double sign = !plain.empty() && plain[0] == '-' ? -1 : 1;
  if (name == "inf" || name == "infinity") return sign * HUGE_VAL;
  if (name == "nan") return std::nan("");
  if (plain.find_first_not_of("0123456789+-.e_") != std::string::npos ||
      plain.find_first_of("0123456789") == std::string::npos)
    return std::nullopt;
  for (std::size_t at = 0; (at = plain.find('_', at)) != std::string::npos; ++at) {
    const auto digit = [&](std::size_t i) { return i < plain.size() && plain[i] >= '0' && plain[i] <= '9'; };
    if (at == 0 || !digit(at - 1) || !digit(at + 1)) return std::nullopt;
  }
  std::erase(plain, '_');
  char* end = nullptr;
  const double number = std::strtod(plain.c_str(), &end);
  return *end == 0 ? std::optional(number) : std::nullopt;
}

std::optional<std::int64_t> whole_of(double real) {
  if (std::isnan(real) || std::isinf(real)) return std::nullopt;
  if (std::abs(real) >= 9223372036854775808.0) throw TemplateFault("a number goes beyond 64 bits");
  return static_cast<std::int64_t>(std::trunc(real));
}

Value to_integer(R, V value, A arguments) {
  const Bound bound("int", arguments, {"default", "base"});
  const Value fallback = bound.or_else(0, std::int64_t{0});
  if (value.undefined()) throw TemplateFault(*value.undefined()->message);
  if (const auto whole = value.integer()) return *whole;
  if (const double* real = value.real()) {
    const auto whole = whole_of(*real);
    return whole ? Value(*whole) : fallback;
  }
  if (!value.text()) return fallback;
  const std::int64_t base = bound.integer(1, 10);
  if (base < 2 || base > 36)
    throw TemplateFault("int: the base " + std::to_string(base) + " is not covered; expected one of 2 to 36");
  if (const auto whole = read_integer(value.text()->letters, base)) return *whole;
  const auto real = read_real(value.text()->letters);
  const auto whole = real ? whole_of(*real) : std::nullopt;
  return whole ? Value(*whole) : fallback;
}

Value to_real(R, V value, A arguments) {
  const Bound bound("float", arguments, {"default"});
  if (value.undefined()) throw TemplateFault(*value.undefined()->message);
  if (const auto number = value.number()) return *number;
  const auto real = value.text() ? read_real(value.text()->letters) : std::nullopt;
  return real ? Value(*real) : bound.or_else(0, 0.0);
}

// To so many places behind the point, halves to the even digit, by the number's exact value.
double rounded(double number, std::int64_t places) {
  if (std::isnan(number) || std::isinf(number) || places > 330) return number;
  if (places < -330) return 0.0 * number;
  if (places < 0) {
    const double scale = std::pow(10.0, static_cast<double>(-places));
    return std::nearbyint(number / scale) * scale;
  }
  std::array<char, 800> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%.*f", static_cast<int>(places), number);
  return std::strtod(buffer.data(), nullptr);
}

Value round_number(R, V value, A arguments) {
  const Bound bound("round", arguments, {"precision", "method"});
  const std::int64_t places = bound.integer(0, 0);
  const std::string method = bound.at(1) ? to_utf8(bound.text(1)) : "common";
  if (method != "common" && method != "ceil" && method != "floor")
    throw TemplateFault("round: the method must be common, ceil or floor");
  if (value.undefined()) throw TemplateFault(*value.undefined()->message);
  if (!value.number()) throw TemplateFault("round expects a number, not a value of type '" + type_name(value) + "'");
  if (method == "common") {
    if (value.real()) return rounded(*value.real(), places);
    if (places >= 0) return *value.integer();
    throw TemplateFault("round: a precision below 0 of an integer is not covered");
  }
  const double scale = std::pow(10.0, static_cast<double>(places));
  const double scaled = *value.number() * scale;
  const double result = (method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale;
  return result;
}

Value absolute(R, V value, A arguments) {
  const Bound bound("abs", arguments, {});
  if (value.real()) return std::abs(*value.real());
  if (!value.integer()) throw TemplateFault("bad operand type for abs(): '" + type_name(value) + "'");
  return *value.integer() < 0 ? negative(value) : Value(*value.integer());
}

// --- texts for others -----------------------------------------------------------------------------

Value to_json(R run, V value, A arguments) {
  const Bound bound("tojson", arguments, {"ensure_ascii", "indent", "separators", "sort_keys"});
  std::optional<Letters> by;
  if (bound.given(1)) {
    const std::int64_t width = bound.at(1)->text() ? 0 : std::clamp<std::int64_t>(bound.integer(1, 0), 0, 1000);
    by = bound.at(1)->text() ? bound.text(1) : Letters(static_cast<std::size_t>(width), U' ');
  }
  std::optional<std::pair<Letters, Letters>> separators;
  if (bound.given(2)) {
    const Values pair = run.items_of(*bound.at(2));
    if (pair.size() != 2 || !pair[0].text() || !pair[1].text())
      throw TemplateFault("tojson: separators must be two texts");
    separators = {pair[0].text()->letters, pair[1].text()->letters};
  }
  return json_text(run, value, by ? &*by : nullptr, bound.flag(0), bound.flag(3), separators);
}

Value format(R run, V value, A arguments) {
  if (!arguments.positional.empty() && !arguments.named.empty())
    throw TemplateFault("format takes values by place or by name, not both");
  if (is_safe(value)) throw TemplateFault("format of a text that is marked safe is not covered");
  if (arguments.named.empty()) return printf_text(run, to_text(value), Value::tuple(arguments.positional));
  std::vector<std::pair<Value, Value>> named;
  for (const auto& [name, held] : arguments.named) named.emplace_back(Value(name), held);
  return printf_text(run, to_text(value), Value::dict(std::move(named)));
}

Value truncate(R, V value, A arguments) {
  const Bound bound("truncate", arguments, {"length", "killwords", "end", "leeway"});
  const auto length_now = length_of(value);
  if (!length_now) throw TemplateFault("truncate expects a text, not a value of type '" + type_name(value) + "'");
  const Letters end = bound.at(2) ? bound.text(2) : U"...";
  const std::int64_t length = bound.integer(0, 255), leeway = bound.given(3) ? bound.integer(3, 5) : 5;
  if (length < static_cast<std::int64_t>(end.size()) || leeway < 0)
    throw TemplateFault("truncate: the length is below that of the end, or the leeway below 0");
  const auto size = static_cast<std::int64_t>(*length_now);
  if (size <= length || size - length <= leeway) return value;
  if (!value.text()) throw TemplateFault("truncate expects a text, not a value of type '" + type_name(value) + "'");
  const Letters& text = value.text()->letters;
  LettersView head = LettersView(text).substr(0, static_cast<std::size_t>(length) - end.size());
  if (!bound.flag(1)) {
    if (const std::size_t space = rfind_text(head, U" "); space != no_position) head = head.substr(0, space);
  }
  return Letters(head) + end;
}

Value word_count(R run, V value, A arguments) {
  const Bound bound("wordcount", arguments, {});
  const Letters text = to_text(value);
  run.charge_text(text.size());
  std::int64_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) count += is_word(text[i]) && (i == 0 || !is_word(text[i - 1]));
  return count;
}

Value escape(R run, V value, A arguments) {
  const Bound bound("escape", arguments, {});
  if (is_safe(value)) return value;
  const Letters text = to_text(value);
  run.charge_text(text.size());
  return Value(escaped(text), true);
}

}  // namespace

const FunctionTable& text_filters() {
  static const FunctionTable filters{
      {"abs", &absolute},
      {"capitalize", [](R r, V v, A a) { return changed(r, v, a, "capitalize", &capitalize); }},
      {"center",
       [](R r, V v, A a) {
         const Bound bound("center", a, {"width"});
         r.charge_text(static_cast<std::size_t>(std::max<std::int64_t>(bound.integer(0, 80), 0)));
         return Value(centered(to_text(v), bound.integer(0, 80)), is_safe(v));
       }},
      {"d", &default_value},
      {"default", &default_value},
      {"e", &escape},
      {"escape", &escape},
      {"float", &to_real},
      {"forceescape", [](R, V v, A) { return Value(escaped(to_text(v)), true); }},
      {"format", &format},
      {"indent", &indent},
      {"int", &to_integer},
      {"lower", [](R r, V v, A a) { return changed(r, v, a, "lower", &lower); }},
      {"replace", &replace},
      {"round", &round_number},
      {"safe", [](R, V v, A) { return Value(to_text(v), true); }},
      {"string", [](R, V v, A) { return as_text(v); }},
      {"title", [](R r, V v, A a) { return Value(changed(r, v, a, "title", &title_words).text()->letters); }},
      {"tojson", &to_json},
      {"trim", &trim},
      {"truncate", &truncate},
      {"upper", [](R r, V v, A a) { return changed(r, v, a, "upper", &upper); }},
      {"wordcount", &word_count}};
  return filters;
}

TemplateFunction find_filter(const std::string& name) {
  for (const FunctionTable* table : {&text_filters(), &sequence_filters()}) {
    if (const auto found = table->find(name); found != table->end()) return found->second;
  }
  return nullptr;
}

std::string unknown_filter(const std::string& name) { return "the filter '" + name + "' is not known"; }

}  // namespace rlaif::templates
