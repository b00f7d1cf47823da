#include "arguments.hpp"

#include <algorithm>

namespace rlaif::templates {

Bound::Bound(const std::string& callee, Arguments& arguments, std::initializer_list<const char*> names,
             std::size_t required)
    : callee_(callee), values_(names.size(), nullptr), names_(names) {
  if (arguments.positional.size() > names.size())
    throw TemplateFault(callee + " takes at most " + std::to_string(names.size()) + " arguments, not " +
                        std::to_string(arguments.positional.size()));
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) values_[i] = &arguments.positional[i];
  for (const auto& [name, value] : arguments.named) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) throw TemplateFault(callee + " takes no argument named '" + name + "'");
    const Value*& place = values_[static_cast<std::size_t>(found - names_.begin())];
    if (place != nullptr) throw TemplateFault(callee + " was given '" + name + "' twice");
    place = &value;
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (values_[i] == nullptr) throw TemplateFault(callee + " needs the argument '" + std::string(names_[i]) + "'");
  }
}

std::int64_t Bound::integer(std::size_t i, std::int64_t fallback) const {
  if (values_[i] == nullptr) return fallback;
  if (const auto whole = values_[i]->integer()) return *whole;
  throw TemplateFault(callee_ + ": '" + names_[i] + "' is of type '" + type_name(*values_[i]) +
                      "'; expected an integer");
}

const Letters& Bound::text(std::size_t i) const {
  if (values_[i] != nullptr && values_[i]->text()) return values_[i]->text()->letters;
  throw TemplateFault(callee_ + ": '" + names_[i] + "' is of type '" +
                      (values_[i] ? type_name(*values_[i]) : "NoneType") + "'; expected a text");
}

}  // namespace rlaif::templates
