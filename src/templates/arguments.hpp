// What a function of a template was called with, by Python's rules.
//   Bound bound("replace", arguments, {"old", "new", "count"}, 2);
//   const Letters old = bound.text(0);
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "values/value.hpp"

namespace rlaif::templates {

class Bound {
 public:
  // Throws TemplateFault where there are too many, an unknown, a doubled or a missing one.
  Bound(const std::string& callee, Arguments& arguments, std::initializer_list<const char*> names,
        std::size_t required = 0);

  const Value* at(std::size_t i) const { return values_[i]; }  // null: not given
  Value or_else(std::size_t i, Value fallback) const { return values_[i] ? *values_[i] : std::move(fallback); }
  bool flag(std::size_t i, bool fallback = false) const { return values_[i] ? truth(*values_[i]) : fallback; }
  std::int64_t integer(std::size_t i, std::int64_t fallback) const;
  const Letters& text(std::size_t i) const;  // must be given, and be a text
  bool given(std::size_t i) const { return values_[i] != nullptr && !values_[i]->is_none(); }

 private:
  std::string callee_;
  std::vector<const Value*> values_;
  std::vector<const char*> names_;
};

}  // namespace rlaif::templates
