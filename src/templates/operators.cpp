// Arithmetic and slices of chat templates, as Python has them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "run.hpp"

namespace rlaif::templates {
namespace {

[[noreturn]] void too_large() { throw TemplateFault("a number goes beyond 64 bits"); }

[[noreturn]] void unsupported(const std::string& sign, const Value& left, const Value& right) {
  for (const Value* side : {&left, &right}) {
    if (side->undefined()) throw TemplateFault(*side->undefined()->message);
  }
  throw TemplateFault("unsupported operand types for " + sign + ": '" + type_name(left) + "' and '" + type_name(right) +
                      "'");
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  if (b == 0) throw TemplateFault("division by zero");
  if (b == -1) {
    if (a == std::numeric_limits<std::int64_t>::min()) too_large();
    return -a;
  }
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

std::int64_t modulo(std::int64_t a, std::int64_t b) { return b == -1 ? 0 : a - floor_divide(a, b) * b; }

double modulo(double a, double b) {
  if (b == 0) throw TemplateFault("float modulo by zero");
  double rest = std::fmod(a, b);
  if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
  return rest == 0 ? std::copysign(0.0, b) : rest;
}

Value power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) throw TemplateFault("0.0 cannot be raised to a negative power");
    return std::pow(static_cast<double>(base), static_cast<double>(exponent));
  }
  if (base == 0 || base == 1 || base == -1)
    return exponent == 0 ? std::int64_t{1} : base == -1 && exponent % 2 == 0 ? std::int64_t{1} : base;
  std::int64_t result = 1;
  for (std::int64_t i = 0; i < exponent; ++i) {
    if (__builtin_mul_overflow(result, base, &result)) too_large();
  }
  return result;
}

Value whole_numbers(const std::string& sign, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflows = false;
  if (sign == "+") overflows = __builtin_add_overflow(a, b, &result);
  if (sign == "-") overflows = __builtin_sub_overflow(a, b, &result);
  if (sign == "*") overflows = __builtin_mul_overflow(a, b, &result);
  if (overflows) too_large();
  if (sign == "/") {
    if (b == 0) throw TemplateFault("division by zero");
    return static_cast<double>(a) / static_cast<double>(b);
  }
  if (sign == "**") return power(a, b);
  if (sign == "//") return floor_divide(a, b);
  if (sign == "%") {
    if (b == 0) throw TemplateFault("integer modulo by zero");
    return modulo(a, b);
  }
  return result;
}

Value real_numbers(const std::string& sign, double a, double b) {
  if (sign == "+") return a + b;
  if (sign == "-") return a - b;
  if (sign == "*") return a * b;
  if (sign == "%") return modulo(a, b);
  if (sign == "**") {
    if (a < 0 && b != std::floor(b))
      throw TemplateFault("a negative number is raised to a fraction; complex numbers are not covered");
    if (a == 0 && b < 0) throw TemplateFault("0.0 cannot be raised to a negative power");
    return std::pow(a, b);
  }
  if (b == 0) throw TemplateFault("float division by zero");
  return sign == "/" ? a / b : (a - modulo(a, b)) / b;
}

bool repeats(const Value& value) {
  return value.text() ||
         (value.list() && (value.list()->kind == Sequence::list || value.list()->kind == Sequence::tuple));
}

Value repeated(TemplateRun& run, const Value& value, std::int64_t times) {
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(times, 0));
  const std::size_t size = *length_of(value);
  if (size > 0 && count > template_letters / size) run.charge_text(template_letters + 1);
  if (const Text* text = value.text()) {
    run.charge_text(size * count);
    Letters out;
    for (std::size_t i = 0; i < count && size > 0; ++i) out += text->letters;
    return Value(std::move(out), text->safe);
  }
  run.charge(size * count);
  Values items;
  for (std::size_t i = 0; i < count && size > 0; ++i)
    items.insert(items.end(), value.list()->items.begin(), value.list()->items.end());
  return Value::list(std::move(items), value.list()->kind);
}

Value joined(TemplateRun& run, const Value& left, const Value& right) {
  if (left.text() && right.text()) {
    const bool safe = left.text()->safe || right.text()->safe;
    const auto part = [&](const Text& text) { return safe && !text.safe ? escaped(text.letters) : text.letters; };
    Letters out = part(*left.text()) + part(*right.text());
    run.charge_text(out.size());
    return Value(std::move(out), safe);
  }
  if (!repeats(left) || !repeats(right) || left.text() || right.text() || left.list()->kind != right.list()->kind)
    unsupported("+", left, right);
  Values items = left.list()->items;
  items.insert(items.end(), right.list()->items.begin(), right.list()->items.end());
  run.charge(items.size());
  return Value::list(std::move(items), left.list()->kind);
}

}  // namespace

Value arithmetic(TemplateRun& run, const std::string& sign, const Value& left, const Value& right) {
  if (left.integer() && right.integer()) return whole_numbers(sign, *left.integer(), *right.integer());
  if (left.number() && right.number()) return real_numbers(sign, *left.number(), *right.number());
  if (sign == "*" && repeats(left) && right.integer()) return repeated(run, left, *right.integer());
  if (sign == "*" && repeats(right) && left.integer()) return repeated(run, right, *left.integer());
  if (sign == "+" && left.text() && right.is_none() && left.text()->safe) unsupported(sign, left, right);
  if (sign == "%" && left.text()) {
    if (left.text()->safe) throw TemplateFault("'%' of a text that is marked safe is not covered");
    return printf_text(run, left.text()->letters, right);
  }
  if (sign == "+") return joined(run, left, right);
  unsupported(sign, left, right);
}

Value negative(const Value& value) {
  if (value.undefined()) throw TemplateFault(*value.undefined()->message);
  if (const auto whole = value.integer()) {
    if (*whole == std::numeric_limits<std::int64_t>::min()) too_large();
    return -*whole;
  }
  if (const double* real = value.real()) return -*real;
  throw TemplateFault("bad operand type for a sign: '" + type_name(value) + "'");
}

Value sliced(TemplateRun& run, const Value& value, const Value& start, const Value& stop, const Value& step) {
  const List* list = value.list();
  const bool covered = value.text() || (list && list->kind != Sequence::keys && list->kind != Sequence::values &&
                                        list->kind != Sequence::items);
  if (!covered) throw TemplateFault("'" + type_name(value) + "' object cannot be sliced");
  for (const Value* part : {&start, &stop, &step}) {
    if (!part->is_none() && !part->integer())
      throw TemplateFault("slice indices must be integers or none, not '" + type_name(*part) + "'");
  }
  const auto size = static_cast<std::int64_t>(*length_of(value));
  const std::int64_t by = step.integer().value_or(1);
  if (by == 0) throw TemplateFault("the step of a slice is zero");
  const std::int64_t low = by > 0 ? 0 : -1, high = by > 0 ? size : size - 1;
  const auto place = [&](const Value& part, std::int64_t fallback) {
    if (part.is_none()) return fallback;
    const std::int64_t at = *part.integer();
    return std::clamp(at < 0 ? std::max(at, -size - 1) + size : at, low, high);
  };
  const std::int64_t begin = place(start, by > 0 ? low : high), end = place(stop, by > 0 ? high : low);
  Letters letters;
  Values items;
  for (std::int64_t at = begin; by > 0 ? at < end : at > end;) {
    if (list)
      items.push_back(list->items[static_cast<std::size_t>(at)]);
    else
      letters += value.text()->letters[static_cast<std::size_t>(at)];
    if (__builtin_add_overflow(at, by, &at)) break;
  }
  run.charge(letters.size() / 8 + items.size());
  if (value.text()) return Value(std::move(letters), value.text()->safe);
  if (list->kind == Sequence::range) {
    const std::int64_t step_of = list->step * by;
    return Value::range(list->start + begin * list->step, list->start + end * list->step, step_of);
  }
  return Value::list(std::move(items), list->kind);
}

Letters escaped(const Letters& text) {
  Letters out;
  for (const char32_t letter : text) {
    const char* entity = nullptr;
    switch (code_of(letter)) {
      case U'&': entity = "&amp;"; break;
      case U'<': entity = "&lt;"; break;
      case U'>': entity = "&gt;"; break;
      case U'"': entity = "&#34;"; break;
      case U'\'': entity = "&#39;"; break;
      default: out += letter; continue;
    }
    for (; *entity != 0; ++entity) out += like(static_cast<char32_t>(*entity), letter);
  }
  return out;
}

}  // namespace rlaif::templates
