#include "loop.hpp"

namespace rlaif::templates {

std::optional<Value> Loop::advance() {
  std::optional<Value> next = looked_ahead_ ? std::move(ahead_) : items_.next();
  looked_ahead_ = false;
  if (!next) return next;
  ++index_;
  before_ = std::move(current_);
  current_ = next;
  return next;
}

const std::optional<Value>& Loop::ahead() {
  if (!looked_ahead_) ahead_ = items_.next();
  looked_ahead_ = true;
  return ahead_;
}

std::int64_t Loop::length() {
  if (!length_) {
    Values rest;
    while (auto next = items_.next()) rest.push_back(std::move(*next));
    length_ = static_cast<std::size_t>(index_ + 1) + rest.size() + (looked_ahead_ && ahead_ ? 1 : 0);
    items_ = iterate(Value::list(std::move(rest)));
  }
  return static_cast<std::int64_t>(*length_);
}

std::optional<Value> Loop::attribute(TemplateRun&, const std::string& name) {
  if (name == "index") return Value(index_ + 1);
  if (name == "index0") return Value(index_);
  if (name == "first") return Value(index_ == 0);
  if (name == "last") return Value(!ahead().has_value());
  if (name == "length") return Value(length());
  if (name == "revindex") return Value(length() - index_);
  if (name == "revindex0") return Value(length() - index_ - 1);
  if (name == "depth") return Value(std::int64_t{depth_} + 1);
  if (name == "depth0") return Value(std::int64_t{depth_});
  if (name == "previtem") return index_ > 0 && before_ ? *before_ : Value::undefined("there is no previous item");
  if (name == "nextitem") return ahead() ? *ahead_ : Value::undefined("there is no next item");
  if (name == "cycle") {
    return Value(Callable{name, [index = index_](TemplateRun&, Arguments& arguments) {
                            if (arguments.positional.empty()) throw TemplateFault("loop.cycle() was given no items");
                            return arguments.positional[static_cast<std::size_t>(index) % arguments.positional.size()];
                          }});
  }
  if (name == "changed") {
    return Value(Callable{name, [this](TemplateRun&, Arguments& arguments) {
                            const bool same =
                                has_changed_ && equal(Value::tuple(last_changed_), Value::tuple(arguments.positional));
                            has_changed_ = true;
                            if (!same) last_changed_ = arguments.positional;
                            return Value(!same);
                          }});
  }
  return std::nullopt;
}

}  // namespace rlaif::templates
