#include "rlaif/core/json_reader.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <unordered_set>

#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/core/utf8.hpp"

namespace rlaif {
namespace {

constexpr std::size_t most_of_path = 300;  // characters in a complaint

// A value as complaints show it.
template <class J>
std::string shown(const J& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return value.empty() ? "an empty list" : "a list";
  return one_line(value.dump(-1, ' ', false, J::error_handler_t::replace));
}

std::string plain_number(double value) {
  return std::abs(value) < 1e15 && value == std::floor(value) ? std::to_string(static_cast<std::int64_t>(value))
                                                              : Json(value).dump();
}

bool is_date(const std::string& text) {
  if (text.size() != 10) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 4 || i == 7;
    if (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
  }
  const int month = std::stoi(text.substr(5, 2)), day = std::stoi(text.substr(8, 2));
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

// "[json.exception.parse_error.101] parse error at line 3, column 5: syntax error - invalid literal; last read: 'nul';
// expected '}'" without what is before its first colon, and without what was read, which may be most of the file.
std::string reason_of(const Json::parse_error& failure) {
  const std::string_view whole = failure.what();
  const std::string_view reason = whole.substr(std::min(whole.find(": "), whole.size() - 2) + 2);
  const std::size_t read = reason.find("; last read"), expected = reason.rfind("; expected ");
  return one_line(reason.substr(0, std::min(read, expected)), 120) +
         (expected == std::string_view::npos ? "; expected one whole JSON text" : one_line(reason.substr(expected)));
}

}  // namespace

template <class J>
J parse_json(const std::filesystem::path& file, std::string_view bytes) {
  std::vector<std::unordered_set<std::string>> open;  // keys seen in each object that is being read
  const auto watch = [&](int, typename J::parse_event_t event, J& parsed) {
    if (event == J::parse_event_t::object_start) open.emplace_back();
    if (event == J::parse_event_t::object_end) open.pop_back();
    if (event == J::parse_event_t::key && !open.back().insert(parsed.template get<std::string>()).second)
      throw input_error(file, "the key " + shown(parsed) + " stands twice in one object; expected each key once");
    return true;
  };
  try {
    check_json_bounds(bytes, std::is_same_v<J, Json> ? json_members : bytes.size());
    return J::parse(bytes, watch);
  } catch (const Json::parse_error& failure) {
    const std::string_view before = bytes.substr(0, failure.byte);
    const auto line = 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    throw input_error(file, line, "not valid JSON: " + reason_of(failure));
  } catch (const Json::exception& failure) {
    throw input_error(file, std::string("not readable as JSON: ") + failure.what());
  }
}

Json read_json_object(const std::filesystem::path& file) {
  Json json = parse_json(file, read_file(file));
  if (!json.is_object()) throw JsonReader(file, json).unexpected("an object");
  return json;
}

template <class J>
const J& BasicJsonReader<J>::object() const {
  if (!json_ || !json_->is_object()) throw unexpected("an object");
  return *json_;
}

template <class J>
BasicJsonReader<J> BasicJsonReader<J>::at(const std::string& key) const {
  const auto found = object().find(key);
  return {*this, found == json_->end() ? nullptr : &*found, path_of(key)};
}

template <class J>
std::optional<BasicJsonReader<J>> BasicJsonReader<J>::find(const std::string& key) const {
  const BasicJsonReader member = at(key);
  return member.json_ ? std::optional(member) : std::nullopt;
}

template <class J>
std::optional<BasicJsonReader<J>> BasicJsonReader<J>::given(const std::string& key) const {
  const BasicJsonReader member = at(key);
  return member.json_ && !member.json_->is_null() ? std::optional(member) : std::nullopt;
}

template <class J>
std::vector<std::pair<std::string, BasicJsonReader<J>>> BasicJsonReader<J>::members() const {
  std::vector<std::pair<std::string, BasicJsonReader>> all;
  for (const auto& [key, value] : object().items()) all.emplace_back(key, BasicJsonReader(*this, &value, path_of(key)));
  return all;
}

template <class J>
void BasicJsonReader<J>::allow_only(const std::vector<std::string>& known) const {
  for (const auto& [key, value] : object().items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::vector<std::string> paths;
    for (const std::string& one : known) paths.push_back(path_of(one));
    throw fail(unknown_name_message("key", path_of(key), paths));
  }
}

template <class J>
std::vector<BasicJsonReader<J>> BasicJsonReader<J>::items(std::size_t least) const {
  if (!json_ || !json_->is_array() || json_->size() < least) {
    throw unexpected(least == 0   ? "a list"
                     : least == 1 ? "a list that is not empty"
                                  : "a list of at least " + std::to_string(least));
  }
  std::vector<BasicJsonReader> all;
  all.reserve(json_->size());
  for (const J& item : *json_)
    all.push_back(BasicJsonReader(*this, &item, path_ + "[" + std::to_string(all.size()) + "]"));
  return all;
}

template <class J>
const J& BasicJsonReader<J>::json() const {
  if (!json_) throw unexpected("a value");
  return *json_;
}

template <class J>
const std::string& BasicJsonReader<J>::string() const {
  if (!json_ || !json_->is_string()) throw unexpected("a text");
  return json_->template get_ref<const std::string&>();
}

template <class J>
const std::string& BasicJsonReader<J>::text() const {
  if (!json_ || !json_->is_string() || string().empty()) throw unexpected("a text that is not empty");
  return string();
}

template <class J>
const std::string& BasicJsonReader<J>::date() const {
  if (!json_ || !json_->is_string() || !is_date(string())) throw unexpected("a date like 2025-01-31");
  return string();
}

template <class J>
const std::string& BasicJsonReader<J>::one_of(const std::vector<std::string>& known) const {
  if (json_ && json_->is_string() && std::find(known.begin(), known.end(), string()) != known.end()) return string();
  std::string expected;
  for (std::size_t i = 0; i < known.size(); ++i)
    expected += (i == 0 ? "\"" : i + 1 < known.size() ? ", \"" : " or \"") + known[i] + "\"";
  throw unexpected(expected);
}

template <class J>
bool BasicJsonReader<J>::boolean() const {
  if (!json_ || !json_->is_boolean()) throw unexpected("true or false");
  return json_->template get<bool>();
}

template <class J>
std::int64_t BasicJsonReader<J>::integer() const {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  if (!json_ || !json_->is_number_integer() ||
      (json_->is_number_unsigned() && json_->template get<std::uint64_t>() > most))
    throw unexpected("an integer");
  return json_->template get<std::int64_t>();
}

template <class J>
std::uint64_t BasicJsonReader<J>::count(std::uint64_t least, std::uint64_t most) const {
  const std::uint64_t value = json_ && json_->is_number_unsigned() ? json_->template get<std::uint64_t>() : 0;
  if (!json_ || !json_->is_number_unsigned() || value < least || value > most) {
    const bool is_bounded = most < std::numeric_limits<std::uint64_t>::max();
    throw unexpected("a whole number from " + std::to_string(least) +
                     (is_bounded ? " to " + std::to_string(most) : ""));
  }
  return value;
}

template <class J>
std::optional<double> BasicJsonReader<J>::finite() const {
  const double value = json_ && json_->is_number() ? json_->template get<double>() : std::nan("");
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

template <class J>
double BasicJsonReader<J>::number() const {
  if (const auto value = finite()) return *value;
  throw unexpected("a number");
}

template <class J>
double BasicJsonReader<J>::number(double least, double most) const {
  if (const auto value = finite(); value && *value >= least && *value <= most) return *value;
  throw unexpected("a number from " + plain_number(least) + " to " + plain_number(most));
}

template <class J>
double BasicJsonReader<J>::number_from(double least) const {
  if (const auto value = finite(); value && *value >= least) return *value;
  throw unexpected("a number of at least " + plain_number(least));
}

template <class J>
double BasicJsonReader<J>::number_above(double bound) const {
  if (const auto value = finite(); value && *value > bound) return *value;
  throw unexpected("a number above " + plain_number(bound));
}

template <class J>
std::string BasicJsonReader<J>::string_or(const std::string& key, const std::string& otherwise) const {
  const auto member = given(key);
  return member ? member->string() : otherwise;
}

template <class J>
bool BasicJsonReader<J>::boolean_or(const std::string& key, bool otherwise) const {
  const auto member = given(key);
  return member ? member->boolean() : otherwise;
}

template <class J>
Error BasicJsonReader<J>::fail(const std::string& message) const {
  return line_ > 0 ? input_error(*file_, line_, message) : input_error(*file_, message);
}

template <class J>
Error BasicJsonReader<J>::error(const std::string& message) const {
  return fail(path_.empty() ? message : "key '" + one_line(path_, most_of_path) + "': " + message);
}

template <class J>
Error BasicJsonReader<J>::unexpected(const std::string& expected) const {
  const std::string found = json_ ? shown(*json_) : "missing";
  const std::string place = path_.empty() ? "holds " : "key '" + one_line(path_, most_of_path) + "' is ";
  return fail(place + found + "; expected " + expected);
}

template Json parse_json<Json>(const std::filesystem::path& file, std::string_view bytes);
template IndexedJson parse_json<IndexedJson>(const std::filesystem::path& file, std::string_view bytes);
template class BasicJsonReader<Json>;
template class BasicJsonReader<IndexedJson>;

}  // namespace rlaif
