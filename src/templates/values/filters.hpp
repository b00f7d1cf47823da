// Filters, tests and global functions of chat templates, by name.
#pragma once

#include <map>
#include <string>

#include "value.hpp"

namespace rlaif::templates {

// Of filters, what stands before "|"; of tests, what stands before "is".
using TemplateFunction = Value (*)(TemplateRun& run, const Value& subject, Arguments& arguments);

TemplateFunction find_filter(const std::string& name);  // null: not known
TemplateFunction find_test(const std::string& name);
std::string unknown_filter(const std::string& name);  // messages
std::string unknown_test(const std::string& name);

using FunctionTable = std::map<std::string, TemplateFunction>;
const FunctionTable& text_filters();      // of texts and numbers
const FunctionTable& sequence_filters();  // of lists and dictionaries

// range, dict, namespace, ... and raise_exception.
std::map<std::string, Value> template_globals();
// strftime_now(format) of one fixed day, YYYY-MM-DD.
Value strftime_function(const std::string& date);

}  // namespace rlaif::templates
