// The methods of Python's str.
#include "methods.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "../arguments.hpp"
#include "../run.hpp"

namespace rlaif::templates {

// --- what filters share ---------------------------------------------------------------------------

namespace {

Values split_at_spaces(TemplateRun& run, const Letters& text, std::int64_t most, bool from_right) {
  Values parts;
  LettersView rest = text;
  while (true) {
    rest = strip(rest, !from_right, from_right, is_python_space);
    if (rest.empty()) break;
    run.charge(2);
    if (most >= 0 && static_cast<std::int64_t>(parts.size()) == most) {
      parts.emplace_back(Letters(strip(rest, !from_right, from_right, is_python_space)));
      break;
    }
    if (from_right) {
      std::size_t begin = rest.size();
      while (begin > 0 && !is_python_space(rest[begin - 1])) --begin;
      parts.emplace_back(Letters(rest.substr(begin)));
      rest = rest.substr(0, begin);
    } else {
      const std::size_t end =
          static_cast<std::size_t>(std::find_if(rest.begin(), rest.end(), is_python_space) - rest.begin());
      parts.emplace_back(Letters(rest.substr(0, end)));
      rest = rest.substr(end);
    }
  }
  if (from_right) std::reverse(parts.begin(), parts.end());
  return parts;
}

}  // namespace

Values split_text(TemplateRun& run, const Letters& text, const Letters* separator, std::int64_t most, bool from_right) {
  run.charge_text(text.size());
  if (separator == nullptr) return split_at_spaces(run, text, most, from_right);
  if (separator->empty()) throw TemplateFault("empty separator");
  Values parts;
  LettersView rest = text;
  while (most < 0 || static_cast<std::int64_t>(parts.size()) < most) {
    const std::size_t found = from_right ? rfind_text(rest, *separator) : find_text(rest, *separator);
    if (found == no_position) break;
    run.charge(2);
    const std::size_t after = found + separator->size();
    parts.emplace_back(Letters(from_right ? rest.substr(after) : rest.substr(0, found)));
    rest = from_right ? rest.substr(0, found) : rest.substr(after);
  }
  parts.emplace_back(Letters(rest));
  if (from_right) std::reverse(parts.begin(), parts.end());
  return parts;
}

Letters replaced_text(TemplateRun& run, const Letters& text, const Letters& old, const Letters& with,
                      std::int64_t most) {
  run.charge_text(text.size());
  Letters out;
  std::size_t at = 0;
  const auto add = [&](LettersView part) {
    out += part;
    run.charge_text(out.size() > template_letters ? out.size() : part.size());
  };
  for (std::int64_t count = 0; most < 0 || count < most; ++count) {
    const std::size_t found = find_text(text, old, at);
    if (found == no_position) break;
    run.charge(1);
    add(LettersView(text).substr(at, found - at));
    add(with);
    at = found + old.size();
    if (old.empty()) {  // stands before every character, and at the end
      if (found == text.size()) return out;
      add(LettersView(text).substr(found, 1));
      ++at;
    }
  }
  return out + text.substr(std::min(at, text.size()));
}

Letters joined_text(TemplateRun& run, const Letters& separator, const Values& parts) {
  Letters out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += separator;
    const Letters part = to_text(parts[i]);
    run.charge_text(out.size() + part.size() > template_letters ? template_letters + 1
                                                                : part.size() + separator.size());
    out += part;
  }
  return out;
}

Values lines_of(const Letters& text, bool keep_ends) {
  Values lines;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = line_break_length(text, at);
    if (length > 0) {
      lines.emplace_back(text.substr(begin, at - begin + (keep_ends ? length : 0)));
      begin = at + length;
    }
    at += std::max<std::size_t>(length, 1);
  }
  if (begin < text.size()) lines.emplace_back(text.substr(begin));
  return lines;
}

LettersView stripped(const Letters& text, const Value* characters, bool left, bool right) {
  if (characters == nullptr || characters->is_none()) return strip(text, left, right, is_python_space);
  if (!characters->text())
    throw TemplateFault("strip: the characters are of type '" + type_name(*characters) + "'; expected a text or none");
  std::set<char32_t> dropped;
  for (const char32_t letter : characters->text()->letters) dropped.insert(code_of(letter));
  return strip(text, left, right, [&](char32_t letter) { return dropped.contains(code_of(letter)); });
}

Letters centered(const Letters& text, std::int64_t width, char32_t fill) {
  if (width <= static_cast<std::int64_t>(text.size())) return text;
  const auto room = static_cast<std::size_t>(width) - text.size();
  if (room > template_letters) throw TemplateFault("a text is widened beyond what is possible");
  // Where room is odd, Python puts the odd place to the left of texts whose width is odd.
  const std::size_t left = room / 2 + (room & static_cast<std::size_t>(width) & 1);
  return Letters(left, fill) + text + Letters(room - left, fill);
}

namespace {

// --- str ------------------------------------------------------------------------------------------

using TextMethod = Value (*)(TemplateRun&, const Text&, Arguments&);

// The part of a text that find, count, startswith and their kin look at.
struct Window {
  LettersView text;
  std::size_t begin = 0;
  bool valid = true;
};

Window window(const Letters& text, const Value* start, const Value* stop) {
  const auto size = static_cast<std::int64_t>(text.size());
  const auto place = [&](const Value* value, std::int64_t fallback) {
    if (value == nullptr || value->is_none()) return fallback;
    const auto at = value->integer();
    if (!at) throw TemplateFault("slice indices must be integers or none");
    return *at < 0 ? std::max<std::int64_t>(std::max(*at, -size) + size, 0) : *at;
  };
  const std::int64_t begin = place(start, 0), end = std::min(place(stop, size), size);
  if (begin > size || begin > end) return {{}, 0, false};
  return {LettersView(text).substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)),
          static_cast<std::size_t>(begin), true};
}

Value find_in(TemplateRun& run, const Text& text, Arguments& arguments, bool last, bool must) {
  const Bound bound("find", arguments, {"sub", "start", "end"}, 1);
  run.charge_text(text.letters.size());
  const Window where = window(text.letters, bound.at(1), bound.at(2));
  const std::size_t found = !where.valid ? no_position
                            : last       ? rfind_text(where.text, bound.text(0))
                                         : find_text(where.text, bound.text(0));
  if (found == no_position && must) throw TemplateFault("substring not found");
  return found == no_position ? Value(std::int64_t{-1}) : Value(static_cast<std::int64_t>(found + where.begin));
}

Value count_in(TemplateRun& run, const Text& text, Arguments& arguments) {
  const Bound bound("count", arguments, {"sub", "start", "end"}, 1);
  run.charge_text(text.letters.size());
  const Window where = window(text.letters, bound.at(1), bound.at(2));
  if (!where.valid) return std::int64_t{0};
  const Letters& part = bound.text(0);
  if (part.empty()) return static_cast<std::int64_t>(where.text.size()) + 1;
  std::int64_t count = 0;
  for (std::size_t at = 0; (at = find_text(where.text, part, at)) != no_position; at += part.size()) ++count;
  return count;
}

Value has_edge(TemplateRun& run, const Text& text, Arguments& arguments, bool at_start) {
  const Bound bound(at_start ? "startswith" : "endswith", arguments, {"prefix", "start", "end"}, 1);
  run.charge(1);
  const Window where = window(text.letters, bound.at(1), bound.at(2));
  const auto holds = [&](const Letters& edge) {
    if (!where.valid || edge.size() > where.text.size()) return false;
    return same_text(at_start ? where.text.substr(0, edge.size()) : where.text.substr(where.text.size() - edge.size()),
                     edge);
  };
  const List* several = bound.at(0)->list();
  if (several == nullptr || several->kind != Sequence::tuple) return holds(bound.text(0));
  for (const Value& edge : several->items) {
    if (!edge.text()) throw TemplateFault("startswith and endswith expect texts");
    if (holds(edge.text()->letters)) return true;
  }
  return false;
}

Value split(TemplateRun& run, const Text& text, Arguments& arguments, bool from_right) {
  const Bound bound("split", arguments, {"sep", "maxsplit"});
  Values parts =
      split_text(run, text.letters, bound.given(0) ? &bound.text(0) : nullptr, bound.integer(1, -1), from_right);
  if (text.safe) {
    for (Value& part : parts) part = Value(part.text()->letters, true);
  }
  return Value::list(std::move(parts));
}

Value partition(TemplateRun& run, const Text& text, Arguments& arguments, bool from_right) {
  const Bound bound("partition", arguments, {"sep"}, 1);
  const Letters& separator = bound.text(0);
  if (separator.empty()) throw TemplateFault("empty separator");
  run.charge_text(text.letters.size());
  const std::size_t found = from_right ? rfind_text(text.letters, separator) : find_text(text.letters, separator);
  const auto part = [&](Letters letters) { return Value(std::move(letters), text.safe); };
  if (found == no_position) {
    Values parts{part(text.letters), part({}), part({})};
    if (from_right) std::swap(parts.front(), parts.back());
    return Value::tuple(std::move(parts));
  }
  return Value::tuple({part(text.letters.substr(0, found)), part(text.letters.substr(found, separator.size())),
                       part(text.letters.substr(found + separator.size()))});
}

Value strip_method(const Text& text, Arguments& arguments, bool left, bool right) {
  const Bound bound("strip", arguments, {"chars"});
  return Value(Letters(stripped(text.letters, bound.at(0), left, right)), text.safe);
}

Value justified(TemplateRun& run, const Text& text, Arguments& arguments, int side) {
  const Bound bound("a method that widens a text", arguments, {"width", "fillchar"}, 1);
  const std::int64_t width = bound.integer(0, 0);
  if (bound.at(1) && bound.text(1).size() != 1)
    throw TemplateFault("the fill character must be exactly one character long");
  const char32_t fill = bound.at(1) ? bound.text(1).front() : U' ';
  run.charge_text(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)));
  if (side == 0) return Value(centered(text.letters, width, fill), text.safe);
  const auto size = static_cast<std::int64_t>(text.letters.size());
  const Letters room(static_cast<std::size_t>(std::max<std::int64_t>(width - size, 0)), fill);
  return Value(side < 0 ? text.letters + room : room + text.letters, text.safe);
}

Value zfill(TemplateRun& run, const Text& text, Arguments& arguments) {
  const Bound bound("zfill", arguments, {"width"}, 1);
  const auto width = static_cast<std::size_t>(std::max<std::int64_t>(bound.integer(0, 0), 0));
  run.charge_text(width);
  Letters out = text.letters;
  const bool sign = !out.empty() && (code_of(out[0]) == U'-' || code_of(out[0]) == U'+');
  if (width > out.size()) out.insert(sign ? 1 : 0, width - out.size(), U'0');
  return Value(std::move(out), text.safe);
}

Value without_edge(const Text& text, Arguments& arguments, bool at_start) {
  const Bound bound(at_start ? "removeprefix" : "removesuffix", arguments, {"prefix"}, 1);
  const Letters& edge = bound.text(0);
  const std::size_t size = text.letters.size();
  if (edge.empty() || edge.size() > size) return Value(text.letters, text.safe);
  if (at_start && same_text(LettersView(text.letters).substr(0, edge.size()), edge))
    return Value(text.letters.substr(edge.size()), text.safe);
  if (!at_start && same_text(LettersView(text.letters).substr(size - edge.size()), edge))
    return Value(text.letters.substr(0, size - edge.size()), text.safe);
  return Value(text.letters, text.safe);
}

Value replace(TemplateRun& run, const Text& text, Arguments& arguments) {
  const Bound bound("replace", arguments, {"old", "new", "count"}, 2);
  if (text.safe) throw TemplateFault("replace() of a text that is marked safe is not covered");
  return replaced_text(run, text.letters, bound.text(0), bound.text(1), bound.integer(2, -1));
}

Value join(TemplateRun& run, const Text& text, Arguments& arguments) {
  const Bound bound("join", arguments, {"iterable"}, 1);
  if (text.safe) throw TemplateFault("join() by a text that is marked safe is not covered");
  const Values parts = run.items_of(*bound.at(0));
  for (const Value& part : parts) {
    if (!part.text()) throw TemplateFault("join() expects texts; found a value of type '" + type_name(part) + "'");
  }
  return joined_text(run, text.letters, parts);
}

Value format(TemplateRun& run, const Text& text, Arguments& arguments) {
  if (text.safe) throw TemplateFault("format() of a text that is marked safe is not covered");
  return format_text(run, text.letters, arguments);
}

template <class Holds>
Value all_are(const Text& text, Holds holds) {
  return !text.letters.empty() && std::all_of(text.letters.begin(), text.letters.end(), holds);
}

Value one_case(const Text& text, bool (*wanted)(char32_t), bool (*other)(char32_t)) {
  const auto& letters = text.letters;
  return std::any_of(letters.begin(), letters.end(), wanted) && std::none_of(letters.begin(), letters.end(), other);
}

Value changed(TemplateRun& run, const Text& text, Letters (*change)(LettersView)) {
  run.charge_text(text.letters.size());
  return Value(change(text.letters), text.safe);
}

Value is_title(const Text& text) {
  return !text.letters.empty() && title(text.letters) == text.letters && (upper(text.letters) != lower(text.letters));
}

const std::map<std::string, TextMethod>& text_methods() {
  using R = TemplateRun&;
  using T = const Text&;
  using A = Arguments&;
  static const std::map<std::string, TextMethod> methods{
      {"capitalize", [](R r, T t, A) { return changed(r, t, &capitalize); }},
      {"casefold", [](R r, T t, A) { return changed(r, t, &lower); }},
      {"center", [](R r, T t, A a) { return justified(r, t, a, 0); }},
      {"count", &count_in},
      {"endswith", [](R r, T t, A a) { return has_edge(r, t, a, false); }},
      {"find", [](R r, T t, A a) { return find_in(r, t, a, false, false); }},
      {"format", &format},
      {"index", [](R r, T t, A a) { return find_in(r, t, a, false, true); }},
      {"isalnum",
       [](R, T t, A) {
         return all_are(t, [](char32_t c) { return is_letter(c) || (is_word(c) && code_of(c) != U'_'); });
       }},
      {"isalpha", [](R, T t, A) { return all_are(t, &is_letter); }},
      {"isascii",
       [](R, T t, A) {
         return Value(t.letters.empty() || *all_are(t, [](char32_t c) { return code_of(c) < 0x80; }).boolean());
       }},
      {"isdecimal", [](R, T t, A) { return all_are(t, &is_decimal); }},
      {"isdigit", [](R, T t, A) { return all_are(t, &is_decimal); }},
      {"isnumeric", [](R, T t, A) { return all_are(t, &is_decimal); }},
      {"islower", [](R, T t, A) { return one_case(t, &is_lower, &is_upper); }},
      {"isspace", [](R, T t, A) { return all_are(t, &is_python_space); }},
      {"istitle", [](R, T t, A) { return is_title(t); }},
      {"isupper", [](R, T t, A) { return one_case(t, &is_upper, &is_lower); }},
      {"join", &join},
      {"ljust", [](R r, T t, A a) { return justified(r, t, a, -1); }},
      {"lower", [](R r, T t, A) { return changed(r, t, &lower); }},
      {"lstrip", [](R, T t, A a) { return strip_method(t, a, true, false); }},
      {"partition", [](R r, T t, A a) { return partition(r, t, a, false); }},
      {"removeprefix", [](R, T t, A a) { return without_edge(t, a, true); }},
      {"removesuffix", [](R, T t, A a) { return without_edge(t, a, false); }},
      {"replace", &replace},
      {"rfind", [](R r, T t, A a) { return find_in(r, t, a, true, false); }},
      {"rindex", [](R r, T t, A a) { return find_in(r, t, a, true, true); }},
      {"rjust", [](R r, T t, A a) { return justified(r, t, a, 1); }},
      {"rpartition", [](R r, T t, A a) { return partition(r, t, a, true); }},
      {"rsplit", [](R r, T t, A a) { return split(r, t, a, true); }},
      {"rstrip", [](R, T t, A a) { return strip_method(t, a, false, true); }},
      {"split", [](R r, T t, A a) { return split(r, t, a, false); }},
      {"splitlines",
       [](R r, T t, A a) {
         const Bound bound("splitlines", a, {"keepends"});
         r.charge_text(t.letters.size());
         return Value::list(lines_of(t.letters, bound.flag(0)));
       }},
      {"startswith", [](R r, T t, A a) { return has_edge(r, t, a, true); }},
      {"strip", [](R, T t, A a) { return strip_method(t, a, true, true); }},
      {"swapcase", [](R r, T t, A) { return changed(r, t, &swap_case); }},
      {"title", [](R r, T t, A) { return changed(r, t, &title); }},
      {"upper", [](R r, T t, A) { return changed(r, t, &upper); }},
      {"zfill", &zfill}};
  return methods;
}

}  // namespace

std::optional<Value> text_method(const Value& value, const std::string& name) {
  const auto found = text_methods().find(name);
  if (found == text_methods().end()) {
    if (is_among(name, {"encode", "expandtabs", "format_map", "isidentifier", "isprintable", "maketrans", "translate"}))
      throw TemplateFault("the method '" + name + "' of texts is not covered");
    return std::nullopt;
  }
  return Value(Callable{name, [value, method = found->second](TemplateRun& run, Arguments& arguments) {
                          return method(run, *value.text(), arguments);
                        }});
}

}  // namespace rlaif::templates
