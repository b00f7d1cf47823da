// The tojson filter, as transformers sets it up: Python's json.dumps.
#include <algorithm>
#include <cmath>

#include "../run.hpp"

namespace rlaif::templates {
namespace {

class JsonWriter {
 public:
  JsonWriter(TemplateRun& run, const Letters* indent, bool ascii, bool sorted, Letters between, Letters colon)
      : run_(run),
        indent_(indent),
        ascii_(ascii),
        sorted_(sorted),
        between_(std::move(between)),
        colon_(std::move(colon)) {}

  Letters text(const Value& value) {
    write(value);
    return std::move(out_);
  }

 private:
  void write(const Value& value) {
    run_.charge_text(out_.size() > template_letters ? out_.size() : 8);
    if (value.is_none())
      out_ += U"null";
    else if (const bool* truth = value.boolean())
      out_ += *truth ? U"true" : U"false";
    else if (const double* real = value.real())
      out_ += to_letters(number(*real));
    else if (const auto whole = value.integer())
      out_ += to_letters(std::to_string(*whole));
    else if (const Text* text = value.text())
      quoted(text->letters);
    else if (value.list() && (value.list()->kind == Sequence::list || value.list()->kind == Sequence::tuple))
      list(*value.list());
    else if (const Dict* dict = value.dict())
      object(*dict);
    else
      throw TemplateFault("a value of type '" + type_name(value) + "' cannot be written as JSON");
  }

  static std::string number(double real) {
    if (std::isnan(real)) return "NaN";
    return std::isinf(real) ? (real < 0 ? "-Infinity" : "Infinity") : real_repr(real);
  }

  void line() {
    if (indent_ == nullptr) return;
    out_ += U'\n';
    for (int i = 0; i < depth_; ++i) out_ += *indent_;
  }

  // Items within brackets, on lines of their own where they are indented.
  template <class Items, class Write>
  void bracketed(char32_t open, char32_t close, const Items& items, Write write_item) {
    out_ += open;
    ++depth_;
    bool first = true;
    for (const auto& item : items) {
      if (!first) out_ += between_;
      first = false;
      line();
      write_item(item);
    }
    --depth_;
    if (!first) line();
    out_ += close;
  }

  void list(const List& list) {
    bracketed(U'[', U']', list.items, [&](const Value& item) { write(item); });
  }

  void object(const Dict& dict) {
    auto entries = dict.entries;
    if (sorted_) {
      std::stable_sort(entries.begin(), entries.end(),
                       [](const auto& a, const auto& b) { return compare(a.first, b.first, "<") == -1; });
    }
    bracketed(U'{', U'}', entries, [&](const std::pair<Value, Value>& entry) {
      quoted(key(entry.first));
      out_ += colon_;
      write(entry.second);
    });
  }

  static Letters key(const Value& value) {
    if (const Text* text = value.text()) return text->letters;
    if (value.is_none()) return U"null";
    if (const bool* truth = value.boolean()) return *truth ? U"true" : U"false";
    if (const double* real = value.real()) return to_letters(number(*real));
    if (const auto whole = value.integer()) return to_letters(std::to_string(*whole));
    throw TemplateFault("a key of type '" + type_name(value) + "' cannot be written as JSON");
  }

  void escape(char32_t code, char32_t letter) {
    static const char* const digits = "0123456789abcdef";
    out_ += {like(U'\\', letter), like(U'u', letter)};
    for (int shift = 12; shift >= 0; shift -= 4)
      out_ += like(static_cast<char32_t>(digits[(code >> shift) & 15]), letter);
  }

  void quoted(const Letters& text) {
    static constexpr std::u32string_view special = U"\"\\\n\r\t\b\f", short_form = U"\"\\nrtbf";
    run_.charge_text(text.size());
    out_ += U'"';
    for (const char32_t letter : text) {
      const char32_t code = code_of(letter);
      if (const auto known = special.find(code); known != no_position)
        out_ += {like(U'\\', letter), like(short_form[known], letter)};
      else if (code < 0x20 || (ascii_ && code > 0x7E && code <= 0xFFFF))
        escape(code, letter);
      else if (ascii_ && code > 0xFFFF)
        escape(0xD800 + ((code - 0x10000) >> 10), letter), escape(0xDC00 + ((code - 0x10000) & 0x3FF), letter);
      else
        out_ += letter;
    }
    out_ += U'"';
  }

  TemplateRun& run_;
  const Letters* indent_;
  const bool ascii_, sorted_;
  const Letters between_, colon_;
  Letters out_;
  int depth_ = 0;
};

}  // namespace

Letters json_text(TemplateRun& run, const Value& value, const Letters* indent, bool ascii, bool sorted,
                  const std::optional<std::pair<Letters, Letters>>& separators) {
  const Letters between = separators ? separators->first : indent ? Letters(U",") : Letters(U", ");
  return JsonWriter(run, indent, ascii, sorted, between, separators ? separators->second : Letters(U": ")).text(value);
}

}  // namespace rlaif::templates
