// Texts with places for values: Python's format % values and format.format(values).
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "../run.hpp"

namespace rlaif::templates {
namespace {

struct Format {
  char32_t fill = U' ', align = 0, sign = U'-', type = 0;
  bool alternate = false, grouped = false;
  std::size_t width = 0;
  int precision = -1;
};

constexpr std::size_t kWidest = 10'000;

std::size_t digits(LettersView text, std::size_t& at) {
  std::size_t number = 0;
  for (; at < text.size() && code_of(text[at]) >= U'0' && code_of(text[at]) <= U'9'; ++at) {
    number = number * 10 + (code_of(text[at]) - U'0');
    if (number > kWidest) throw TemplateFault("a format asks for more than " + std::to_string(kWidest) + " places");
  }
  return number;
}

Letters padded(Letters text, const Format& format, char32_t usual) {
  if (text.size() >= format.width) return text;
  const std::size_t room = format.width - text.size();
  const char32_t align = format.align ? format.align : usual;
  if (align == U'=') {
    const std::size_t sign =
        !text.empty() && (code_of(text[0]) == U'-' || code_of(text[0]) == U'+' || code_of(text[0]) == U' ') ? 1 : 0;
    return text.insert(sign, room, format.fill);
  }
  const std::size_t before = align == U'<' ? 0 : align == U'>' ? room : room / 2;
  return Letters(before, format.fill) + text + Letters(room - before, format.fill);
}

std::string with_sign(std::string number, char32_t sign) {
  if (number.front() == '-' || sign == U'-') return number;
  return static_cast<char>(sign) + number;
}

std::string grouped(std::string number) {
  const std::size_t first = number.front() == '-' ? 1 : 0;
  for (std::size_t at = std::min(number.find_first_of(".e"), number.size()); at > first + 3;)
    number.insert(at -= 3, ",");
  return number;
}

std::string in_base(std::int64_t number, unsigned base, bool capitals, const std::string& prefix) {
  const char* const symbols = capitals ? "0123456789ABCDEF" : "0123456789abcdef";
  auto rest = number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  std::string out;
  do out.insert(out.begin(), symbols[rest % base]);
  while ((rest /= base) > 0);
  return (number < 0 ? "-" : "") + prefix + out;
}

std::string real_text(double number, char type, int precision, bool alternate) {
  if (std::isnan(number) || std::isinf(number)) {
    const std::string name = std::isnan(number) ? "nan" : number < 0 ? "-inf" : "inf";
    return name;
  }
  std::array<char, 8> pattern{'%', '.', '*', type, 0};
  if (alternate) pattern = {'%', '#', '.', '*', type, 0};
  std::string out(static_cast<std::size_t>(std::max(precision, 0)) + 400, ' ');
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  out.resize(static_cast<std::size_t>(std::snprintf(out.data(), out.size(), pattern.data(), precision, number)));
#pragma GCC diagnostic pop
  return out;
}

bool is_one_of(char32_t type, std::u32string_view types) { return type != 0 && types.find(type) != no_position; }

[[noreturn]] void unknown_format(char32_t type, const Value& value) {
  throw TemplateFault("the format '" + to_utf8(Letters(1, type)) + "' of a value of type '" + type_name(value) +
                      "' is not known");
}

Letters formatted_number(const Value& value, const Format& format) {
  std::string out;
  const char32_t type = format.type;
  if (is_one_of(type, U"eEfFgG%") || (value.real() && type == 0 && format.precision >= 0)) {
    const bool percent = type == U'%';
    const double number = *value.number() * (percent ? 100 : 1);
    const char shape = percent ? 'f' : type == 0 ? 'g' : static_cast<char>(type);
    out =
        real_text(number, shape, format.precision < 0 ? 6 : format.precision, format.alternate) + (percent ? "%" : "");
    if (type == 0 && out.find_first_of(".en") == std::string::npos) out += ".0";
  } else if (value.real() && type == 0) {
    out = real_repr(*value.real());
  } else if (value.real()) {
    unknown_format(type, value);
  } else if (type == 0 || type == U'd' || type == U'n') {
    out = std::to_string(*value.integer());
  } else if (is_one_of(type, U"xX")) {
    out = in_base(*value.integer(), 16, type == U'X', format.alternate ? (type == U'X' ? "0X" : "0x") : "");
  } else if (type == U'o' || type == U'b') {
    out = in_base(*value.integer(), type == U'o' ? 8 : 2, false, format.alternate ? (type == U'o' ? "0o" : "0b") : "");
  } else {
    unknown_format(type, value);
  }
  if (format.grouped) out = grouped(out);
  return padded(to_letters(with_sign(out, format.sign)), format, U'>');
}

Letters formatted_text(Letters text, const Format& format) {
  if (format.precision >= 0) text.resize(std::min(text.size(), static_cast<std::size_t>(format.precision)));
  return padded(std::move(text), format, U'<');
}

// --- format % values ------------------------------------------------------------------------------

class Printf {
 public:
  Printf(TemplateRun& run, const Letters& format, const Value& values) : run_(run), format_(format), values_(values) {
    if (values.list() && values.list()->kind == Sequence::tuple)
      rest_ = values.list()->items;
    else
      rest_ = {values};
  }

  Letters text() {
    for (at_ = 0; at_ < format_.size();) {
      if (code_of(format_[at_]) == U'%')
        place();
      else
        out_ += format_[at_++];
      run_.charge_text(out_.size() > template_letters ? out_.size() : 8);
    }
    // Python takes lists for mappings here, whose entries may go unused.
    const bool mapping =
        values_.dict() || values_.undefined() || (values_.list() && values_.list()->kind != Sequence::tuple);
    if (next_ < rest_.size() && !mapping && !by_name_)
      throw TemplateFault("not all arguments converted during string formatting");
    return std::move(out_);
  }

 private:
  char32_t peek() const {
    if (at_ >= format_.size()) throw TemplateFault("incomplete format");
    return code_of(format_[at_]);
  }

  Value take() {
    if (next_ >= rest_.size()) throw TemplateFault("not enough arguments for format string");
    return rest_[next_++];
  }

  void place() {
    ++at_;
    Format format;
    Value value;
    bool named = false, zero = false;
    if (peek() == U'(') {
      const std::size_t close = find_text(format_, U")", at_);
      if (close == no_position) throw TemplateFault("incomplete format key");
      if (!values_.dict()) throw TemplateFault("format requires a mapping");
      const Letters key = format_.substr(at_ + 1, close - at_ - 1);
      const Value* found = lookup(*values_.dict(), Value(key));
      if (found == nullptr) throw TemplateFault("a format names the key '" + to_utf8(key) + "', which is missing");
      value = *found;
      named = by_name_ = true;
      at_ = close + 1;
    }
    for (; is_one_of(peek(), U"#0- +"); ++at_) {
      if (peek() == U'#') format.alternate = true;
      if (peek() == U'0') zero = true;
      if (peek() == U'-') format.align = U'<';
      if (peek() == U'+' || (peek() == U' ' && format.sign == U'-')) format.sign = peek();
    }
    if (peek() == U'*') throw TemplateFault("'*' in a format is not covered");
    format.width = digits(format_, at_);
    if (peek() == U'.') {
      ++at_;
      format.precision = static_cast<int>(digits(format_, at_));
    }
    format.type = peek();
    ++at_;
    if (format.type == U'%') {
      out_ += U'%';
      return;
    }
    if (!named) value = take();
    if (zero && format.align == 0 && !is_one_of(format.type, U"srac")) format.fill = U'0', format.align = U'=';
    if (format.align == 0) format.align = U'>';
    write(value, format);
  }

  void write(const Value& value, Format format) {
    if (format.type == U's' || format.type == U'r') {
      out_ += formatted_text(format.type == U's' ? to_text(value) : to_repr(value), format);
    } else if (is_one_of(format.type, U"diu")) {
      if (!value.number()) throw TemplateFault("%d format: a real number is required, not " + type_name(value));
      format.type = U'd';
      const Value whole =
          value.real() ? Value(static_cast<std::int64_t>(std::trunc(*value.real()))) : Value(*value.integer());
      out_ += formatted_number(whole, format);
    } else if (is_one_of(format.type, U"eEfFgG")) {
      if (!value.number()) throw TemplateFault("must be real number, not " + type_name(value));
      out_ += formatted_number(value, format);
    } else if (is_one_of(format.type, U"xXo")) {
      if (!value.integer()) throw TemplateFault("an integer is required in a format, not " + type_name(value));
      out_ += formatted_number(Value(*value.integer()), format);
    } else {
      unknown_format(format.type, value);
    }
  }

  TemplateRun& run_;
  const Letters& format_;
  const Value& values_;
  Values rest_;
  std::size_t at_ = 0, next_ = 0;
  bool by_name_ = false;
  Letters out_;
};

// --- format.format(...) ---------------------------------------------------------------------------

Format parse_format(LettersView text) {
  static constexpr std::u32string_view aligns = U"<>=^";
  Format format;
  std::size_t at = 0;
  const auto code = [&](std::size_t i) { return i < text.size() ? code_of(text[i]) : 0; };
  if (is_one_of(code(1), aligns)) {
    format.fill = text[0];
    format.align = code(1);
    at = 2;
  } else if (is_one_of(code(0), aligns)) {
    format.align = code(0);
    at = 1;
  }
  if (is_one_of(code(at), U"+- ")) format.sign = code(at++);
  if (code(at) == U'#') format.alternate = true, ++at;
  if (code(at) == U'0') {
    if (format.align == 0) format.fill = U'0', format.align = U'=';
    ++at;
  }
  format.width = digits(text, at);
  if (code(at) == U',') format.grouped = true, ++at;
  if (code(at) == U'.') {
    ++at;
    format.precision = static_cast<int>(digits(text, at));
  }
  if (at < text.size()) format.type = code(at++);
  if (at < text.size()) throw TemplateFault("the format '" + to_utf8(text) + "' is not known");
  return format;
}

class Formatter {
 public:
  Formatter(TemplateRun& run, const Letters& format, const Arguments& arguments)
      : run_(run), format_(format), arguments_(arguments) {}

  Letters text() {
    while (at_ < format_.size()) {
      const char32_t letter = format_[at_], code = code_of(letter);
      ++at_;
      run_.charge_text(out_.size() > template_letters ? out_.size() : 8);
      if (code != U'{' && code != U'}') {
        out_ += letter;
      } else if (at_ < format_.size() && code_of(format_[at_]) == code) {
        out_ += letter;
        ++at_;
      } else if (code == U'{') {
        place();
      } else {
        throw TemplateFault("a single '}' stands in a format");
      }
    }
    return std::move(out_);
  }

 private:
  void place() {
    const std::size_t close = find_text(format_, U"}", at_);
    if (close == no_position) throw TemplateFault("a '{' in a format has no '}'");
    LettersView field = LettersView(format_).substr(at_, close - at_);
    if (find_text(field, U"{") != no_position) throw TemplateFault("places within places of a format are not covered");
    at_ = close + 1;
    LettersView spec;
    char32_t conversion = 0;
    if (const auto colon = find_text(field, U":"); colon != no_position) {
      spec = field.substr(colon + 1);
      field = field.substr(0, colon);
    }
    if (field.size() >= 2 && code_of(field[field.size() - 2]) == U'!') {
      conversion = code_of(field.back());
      field.remove_suffix(2);
    }
    Value value = named(field);
    if (conversion == U's') value = Value(to_text(value));
    if (conversion == U'r') value = Value(to_repr(value));
    if (conversion == U'a') throw TemplateFault("'!a' in a format is not covered");
    write(value, spec);
  }

  Value named(LettersView field) {
    std::size_t end = 0;
    while (end < field.size() && code_of(field[end]) != U'.' && code_of(field[end]) != U'[') ++end;
    Value value = argument(to_utf8(field.substr(0, end)));
    while (end < field.size()) {
      const bool attribute = code_of(field[end]) == U'.';
      std::size_t stop = ++end;
      while (stop < field.size() &&
             (attribute ? code_of(field[stop]) != U'.' && code_of(field[stop]) != U'[' : code_of(field[stop]) != U']'))
        ++stop;
      const std::string key = to_utf8(field.substr(end, stop - end));
      const bool number = !key.empty() && key.size() < 10 &&
                          std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
      value = attribute ? run_.attribute(value, key)
                        : run_.item(value, number ? Value(std::int64_t{std::stol(key)}) : Value(key));
      end = attribute ? stop : stop + 1;
    }
    return value;
  }

  Value argument(const std::string& name) {
    const bool number = std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (number && name.size() < 10) {
      const std::size_t index = name.empty() ? next_++ : static_cast<std::size_t>(std::stol(name));
      if (index >= arguments_.positional.size()) throw TemplateFault("a format has more places than there are values");
      return arguments_.positional[index];
    }
    for (const auto& [known, value] : arguments_.named) {
      if (known == name) return value;
    }
    throw TemplateFault("a format names '" + name + "', which was not given");
  }

  void write(const Value& value, LettersView spec) {
    if (spec.empty()) {
      out_ += to_text(value);
      return;
    }
    const Format format = parse_format(spec);
    if (value.number() && !value.boolean())
      out_ += formatted_number(value, format);
    else if (value.text() && (format.type == 0 || format.type == U's'))
      out_ += formatted_text(value.text()->letters, format);
    else
      unknown_format(format.type ? format.type : U':', value);
  }

  TemplateRun& run_;
  const Letters& format_;
  const Arguments& arguments_;
  std::size_t at_ = 0, next_ = 0;
  Letters out_;
};

}  // namespace

Letters printf_text(TemplateRun& run, const Letters& format, const Value& values) {
  return Printf(run, format, values).text();
}

Letters format_text(TemplateRun& run, const Letters& format, const Arguments& arguments) {
  return Formatter(run, format, arguments).text();
}

}  // namespace rlaif::templates
