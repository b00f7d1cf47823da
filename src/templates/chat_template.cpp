#include "rlaif/templates/chat_template.hpp"

#include <chrono>
#include <cstdio>

#include "parser.hpp"
#include "rlaif/core/error.hpp"
#include "run.hpp"
#include "values/filters.hpp"

namespace rlaif::templates {

struct ChatTemplate::Impl {
  std::string source;
  std::filesystem::path file;
  TemplateTree tree;
};

namespace {

Value to_value(const Json& json, Origin origin) {
  if (json.is_string()) return to_letters(json.get_ref<const std::string&>(), origin);
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX)
    throw TemplateFault("a number goes beyond 64 bits");
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_array()) {
    Values items;
    for (const Json& item : json) items.push_back(to_value(item, origin));
    return Value::list(std::move(items));
  }
  if (!json.is_object()) return {};
  std::vector<std::pair<Value, Value>> entries;
  for (const auto& [key, held] : json.items()) entries.emplace_back(Value(key), to_value(held, origin));
  return Value::dict(std::move(entries));
}

// Who speaks is the format's own; what is said is not.
Value message_value(const Json& message) {
  if (!message.is_object()) return to_value(message, Origin::contents);
  std::vector<std::pair<Value, Value>> entries;
  for (const auto& [key, held] : message.items())
    entries.emplace_back(Value(key), to_value(held, key == "role" ? Origin::markup : Origin::contents));
  return Value::dict(std::move(entries));
}

Value variable_value(const std::string& name, const Json& json) {
  if (name == "messages" && json.is_array()) {
    Values messages;
    for (const Json& message : json) messages.push_back(message_value(message));
    return Value::list(std::move(messages));
  }
  const bool given = name == "messages" || name == "tools" || name == "documents";
  return to_value(json, given ? Origin::contents : Origin::markup);
}

std::vector<Piece> pieces_of(const Letters& letters) {
  std::vector<Piece> pieces;
  for (std::size_t begin = 0; begin < letters.size();) {
    std::size_t end = begin + 1;
    while (end < letters.size() && is_contents(letters[end]) == is_contents(letters[begin])) ++end;
    pieces.push_back({to_utf8(LettersView(letters).substr(begin, end - begin)),
                      is_contents(letters[begin]) ? Origin::contents : Origin::markup});
    begin = end;
  }
  return pieces;
}

}  // namespace

ChatTemplate ChatTemplate::parse(std::string_view source, std::filesystem::path file) {
  auto impl = std::make_shared<Impl>(Impl{std::string(source), std::move(file), {}});
  impl->tree = parse_template(source, impl->file);
  return ChatTemplate(std::move(impl));
}

std::vector<Piece> ChatTemplate::render(const Json& variables, const std::string& date) const {
  std::map<std::string, Value> values;
  try {
    for (const auto& [name, json] : variables.items()) values[name] = variable_value(name, json);
  } catch (const TemplateFault& fault) {
    throw input_error(impl_->file, std::string("chat template: its variables cannot be taken: ") + fault.what());
  }
  std::map<std::string, std::string> hints;
  if (!date.empty())
    values["strftime_now"] = strftime_function(date);
  else
    hints["strftime_now"] =
        "the template writes the date of the day; a date of its own (task.date = YYYY-MM-DD) keeps results the same on "
        "any day";
  return pieces_of(TemplateRun(impl_->tree, impl_->file, std::move(values), std::move(hints)).render());
}

const std::string& ChatTemplate::source() const { return impl_->source; }
const std::filesystem::path& ChatTemplate::file() const { return impl_->file; }

bool is_template_date(const std::string& date) {
  int year = 0, taken = 0;
  unsigned month = 0, day = 0;
  if (date.size() != 10 || std::sscanf(date.c_str(), "%4d-%2u-%2u%n", &year, &month, &day, &taken) != 3 || taken != 10)
    return false;
  for (const char c : date) {
    if (c != '-' && (c < '0' || c > '9')) return false;
  }
  return std::chrono::year_month_day{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)}.ok();
}

}  // namespace rlaif::templates
