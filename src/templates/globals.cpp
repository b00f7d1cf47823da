// What chat templates can call without having been given it: range, dict, namespace, cycler, joiner, raise_exception,
// and strftime_now where the day is fixed.
#include <array>
#include <chrono>
#include <cstdio>

#include "rlaif/core/error.hpp"

#include "arguments.hpp"
#include "run.hpp"
#include "values/filters.hpp"

namespace rlaif::templates {
namespace {

constexpr std::int64_t kLongestRange = 100'000;  // as in jinja2's sandbox

Value range(TemplateRun& run, Arguments& arguments) {
  const Bound bound("range", arguments, {"start", "stop", "step"}, 1);
  const bool only_stop = bound.at(1) == nullptr;
  const std::int64_t start = only_stop ? 0 : bound.integer(0, 0), stop = bound.integer(only_stop ? 0 : 1, 0),
                     step = bound.integer(2, 1);
  if (step == 0) throw TemplateFault("range() with a step of zero");
  const __int128 span = step > 0 ? static_cast<__int128>(stop) - start : static_cast<__int128>(start) - stop;
  const __int128 stride = step > 0 ? static_cast<__int128>(step) : -static_cast<__int128>(step);
  const __int128 count = span <= 0 ? 0 : (span + stride - 1) / stride;
  if (count > kLongestRange)
    throw TemplateFault("a range holds more than " + std::to_string(kLongestRange) + " numbers");
  run.charge(static_cast<std::size_t>(count));
  return Value::range(start, stop, step);
}

// dict(other, a=1) and namespace(other, a=1): a dictionary or pairs, then what is named.
std::vector<std::pair<Value, Value>> entries(TemplateRun& run, Arguments& arguments, const char* callee) {
  std::vector<std::pair<Value, Value>> all;
  if (arguments.positional.size() > 1)
    throw TemplateFault(std::string(callee) + " takes at most one argument without a name");
  if (!arguments.positional.empty()) {
    const Value& first = arguments.positional.front();
    if (first.undefined()) throw TemplateFault(*first.undefined()->message);
    if (first.dict()) all = first.dict()->entries;
    if (!first.dict()) {
      for (const Value& pair : run.items_of(first)) {
        Values two = run.items_of(pair);
        if (two.size() != 2) throw TemplateFault(std::string(callee) + " expects pairs of key and value");
        all.emplace_back(std::move(two[0]), std::move(two[1]));
      }
    }
  }
  for (const auto& [name, value] : arguments.named) all.emplace_back(Value(name), value);
  run.charge(all.size() * all.size() / 8);
  return all;
}

Value make_namespace(TemplateRun& run, Arguments& arguments) {
  std::map<std::string, Value> values;
  for (auto& [key, value] : entries(run, arguments, "namespace()")) values[to_utf8(to_text(key))] = std::move(value);
  return run.keep(std::make_unique<Namespace>(std::move(values)));
}

class Cycler final : public Object {
 public:
  explicit Cycler(Values items) : items_(std::move(items)) {}
  std::string type() const override { return "Cycler"; }
  std::optional<Value> attribute(TemplateRun&, const std::string& name) override {
    if (name == "current") return items_[at_];
    if (name == "reset") return Value(Callable{name, [this](TemplateRun&, Arguments&) { return at_ = 0, Value(); }});
    if (name != "next") return std::nullopt;
    return Value(Callable{name, [this](TemplateRun&, Arguments&) {
                            const Value item = items_[at_];
                            at_ = (at_ + 1) % items_.size();
                            return item;
                          }});
  }

 private:
  Values items_;
  std::size_t at_ = 0;
};

class Joiner final : public Object {
 public:
  explicit Joiner(Value separator) : separator_(std::move(separator)) {}
  std::string type() const override { return "Joiner"; }
  std::optional<Value> attribute(TemplateRun&, const std::string&) override { return std::nullopt; }
  Value call(TemplateRun&, Arguments&) override { return std::exchange(used_, true) ? separator_ : Value(Letters()); }

 private:
  Value separator_;
  bool used_ = false;
};

[[noreturn]] Value raise_exception(TemplateRun&, Arguments& arguments) {
  const Bound bound("raise_exception", arguments, {"message"}, 1);
  throw TemplateFault("the template refuses the conversation: " + to_utf8(to_text(*bound.at(0))));
}

std::string two_digits(unsigned number, char fill = '0') {
  return number < 10 ? std::string(1, fill) + std::to_string(number) : std::to_string(number);
}

// Python's strftime at the day's first moment, in English.
std::string strftime(const std::chrono::year_month_day& day, const std::string& format) {
  static constexpr std::array months{"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
  static constexpr std::array days{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  const unsigned month = static_cast<unsigned>(day.month()), date = static_cast<unsigned>(day.day());
  const int year = static_cast<int>(day.year());
  const std::chrono::sys_days at = day;
  const unsigned weekday = std::chrono::weekday(at).c_encoding();
  const auto of_year = static_cast<unsigned>((at - std::chrono::sys_days(day.year() / 1 / 1)).count() + 1);
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    bool bare = false;
    if (format[++i] == '-' && i + 1 < format.size()) bare = true, ++i;
    const auto number = [&](unsigned value) { return bare ? std::to_string(value) : two_digits(value); };
    switch (format[i]) {
      case '%': out += '%'; break;
      case 'Y': out += std::to_string(year); break;
      case 'y': out += number(static_cast<unsigned>(year % 100)); break;
      case 'm': out += number(month); break;
      case 'd': out += number(date); break;
      case 'e': out += bare ? std::to_string(date) : two_digits(date, ' '); break;
      case 'B': out += months[month - 1]; break;
      case 'b':
      case 'h': out += std::string(months[month - 1]).substr(0, 3); break;
      case 'A': out += days[weekday]; break;
      case 'a': out += std::string(days[weekday]).substr(0, 3); break;
      case 'j':
        out += std::string(of_year < 100 && !bare ? of_year < 10 ? "00" : "0" : "") + std::to_string(of_year);
        break;
      case 'u': out += std::to_string(weekday == 0 ? 7 : weekday); break;
      case 'w': out += std::to_string(weekday); break;
      case 'F': out += std::to_string(year) + "-" + two_digits(month) + "-" + two_digits(date); break;
      case 'D':
      case 'x':
        out += two_digits(month) + "/" + two_digits(date) + "/" + two_digits(static_cast<unsigned>(year % 100));
        break;
      case 'H': out += bare ? "0" : "00"; break;
      case 'I': out += "12"; break;
      case 'M':
      case 'S': out += bare ? "0" : "00"; break;
      case 'p': out += "AM"; break;
      case 'T':
      case 'X': out += "00:00:00"; break;
      case 'R': out += "00:00"; break;
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      default: throw TemplateFault("strftime_now: the format '%" + std::string(1, format[i]) + "' is not covered");
    }
  }
  return out;
}

Value global(const char* name, Value (*function)(TemplateRun&, Arguments&)) { return Callable{name, function}; }

}  // namespace

std::map<std::string, Value> template_globals() {
  return {{"range", global("range", &range)},
          {"dict", global("dict", [](TemplateRun& run,
                                     Arguments& arguments) { return Value::dict(entries(run, arguments, "dict()")); })},
          {"namespace", global("namespace", &make_namespace)},
          {"cycler", global("cycler",
                            [](TemplateRun& run, Arguments& arguments) {
                              if (!arguments.named.empty()) throw TemplateFault("cycler() takes no named arguments");
                              if (arguments.positional.empty())
                                throw TemplateFault("at least one item has to be provided to cycler()");
                              return Value(run.keep(std::make_unique<Cycler>(arguments.positional)));
                            })},
          {"joiner", global("joiner",
                            [](TemplateRun& run, Arguments& arguments) {
                              const Bound bound("joiner", arguments, {"sep"});
                              return Value(run.keep(std::make_unique<Joiner>(bound.or_else(0, ", "))));
                            })},
          {"lipsum", global("lipsum",
                            [](TemplateRun&, Arguments&) -> Value {
                              throw TemplateFault("lipsum() is not covered: it writes texts at random");
                            })},
          {"raise_exception", global("raise_exception", &raise_exception)}};
}

Value strftime_function(const std::string& date) {
  int year = 0;
  unsigned month = 0, day = 0;
  char rest = 0;
  const int read = std::sscanf(date.c_str(), "%4d-%2u-%2u%c", &year, &month, &day, &rest);
  const std::chrono::year_month_day given{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  RLAIF_CHECK(read == 3 && given.ok(), "a date that was checked where it was read");
  return Callable{"strftime_now", [given](TemplateRun&, Arguments& arguments) {
                    const Bound bound("strftime_now", arguments, {"format"}, 1);
                    return Value(strftime(given, to_utf8(bound.text(0))));
                  }};
}

}  // namespace rlaif::templates
