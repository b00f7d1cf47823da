// Methods of texts, shared by filters of the same meaning.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>

#include "value.hpp"

namespace rlaif::templates {

inline bool is_among(const std::string& name, std::initializer_list<const char*> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The method of a text under that name; nothing where Python has none.
std::optional<Value> text_method(const Value& value, const std::string& name);

Values split_text(TemplateRun& run, const Letters& text, const Letters* separator, std::int64_t most, bool from_right);
Letters replaced_text(TemplateRun& run, const Letters& text, const Letters& old, const Letters& with,
                      std::int64_t most);
Letters joined_text(TemplateRun& run, const Letters& separator, const Values& parts);  // each part by str()
Values lines_of(const Letters& text, bool keep_ends);
LettersView stripped(const Letters& text, const Value* characters, bool left, bool right);
Letters centered(const Letters& text, std::int64_t width, char32_t fill = U' ');

}  // namespace rlaif::templates
