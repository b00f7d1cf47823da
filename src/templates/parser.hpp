// Chat templates as trees. The grammar is jinja2's, less what a template alone cannot use (other templates).
#pragma once

#include <filesystem>
#include <string_view>

#include "tree.hpp"

namespace rlaif::templates {

// Throws Error(input) naming file, line and what was not expected or is not known.
TemplateTree parse_template(std::string_view source, const std::filesystem::path& file);

// Refuses filters and tests that are not known where they may be reached: see template_check.cpp.
void check_filters(const Statements& body, const std::filesystem::path& file);

}  // namespace rlaif::templates
