#include "rlaif/cost/prices.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/core/names.hpp"

namespace rlaif::cost {
namespace {

const std::vector<std::string> kEntryKeys = {"name",
                                             "as_of",
                                             "source",
                                             "per_label_usd",
                                             "input_per_million_usd",
                                             "cached_input_per_million_usd",
                                             "output_per_million_usd"};

void check_keys(const std::filesystem::path& file, const Json& object, const std::string& where,
                const std::vector<std::string>& known) {
  if (!object.is_object()) throw input_error(file, where + ": expected an object");
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw input_error(file, where + ": " + unknown_name_message("key", key, known));
    }
  }
}

std::string text(const std::filesystem::path& file, const Json& entry, const std::string& where, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_string() || found->get<std::string>().empty()) {
    throw input_error(file, where + ": expected text as '" + key + "'");
  }
  return found->get<std::string>();
}

double dollars(const std::filesystem::path& file, const Json& entry, const std::string& where, const char* key,
               double otherwise) {
  const auto found = entry.find(key);
  if (found == entry.end()) return otherwise;
  const double value = found->is_number() ? found->get<double>() : -1.0;
  if (!std::isfinite(value) || value < 0.0) {
    throw input_error(file, where + ": expected a number of dollars of at least 0 as '" + key + "', got " +
                                found->dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return value;
}

// YYYY-MM-DD
bool is_date(const std::string& text) {
  if (text.size() != 10) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 4 || i == 7;
    if (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
  }
  const int month = std::stoi(text.substr(5, 2)), day = std::stoi(text.substr(8, 2));
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

Price read_price(const std::filesystem::path& file, const Json& entry, std::size_t index) {
  std::string where = "prices[" + std::to_string(index) + "]";
  check_keys(file, entry, where, kEntryKeys);
  Price price;
  price.name = text(file, entry, where, "name");
  where += " '" + price.name + "'";
  price.as_of = text(file, entry, where, "as_of");
  if (!is_date(price.as_of)) throw input_error(file, where + ": expected a date like 2025-01-31 as 'as_of'");
  price.source = text(file, entry, where, "source");
  price.per_label_usd = dollars(file, entry, where, "per_label_usd", 0.0);
  price.input_per_million_usd = dollars(file, entry, where, "input_per_million_usd", 0.0);
  price.cached_input_per_million_usd =
      dollars(file, entry, where, "cached_input_per_million_usd", price.input_per_million_usd);
  price.output_per_million_usd = dollars(file, entry, where, "output_per_million_usd", 0.0);
  return price;
}

}  // namespace

double Price::label_usd(const Usage& usage) const {
  const auto fresh = static_cast<double>(std::max<std::int64_t>(0, usage.input_tokens - usage.cached_input_tokens));
  const double million_tokens_usd = fresh * input_per_million_usd +
                                    static_cast<double>(usage.cached_input_tokens) * cached_input_per_million_usd +
                                    static_cast<double>(usage.output_tokens) * output_per_million_usd;
  return per_label_usd + million_tokens_usd / 1e6;
}

PriceTable PriceTable::load(const std::filesystem::path& file) {
  Json json;
  try {
    json = Json::parse(read_file(file));
  } catch (const Json::exception& error) {
    const std::string reason = error.what();  // "[json.exception.parse_error.101] parse error at line ..."
    throw input_error(file, "is not JSON that can be read: " + reason.substr(reason.find("] ") + 2));
  }
  check_keys(file, json, "top level", {"prices"});
  const auto entries = json.find("prices");
  if (entries == json.end() || !entries->is_array()) throw input_error(file, "expected a list as 'prices'");
  PriceTable table;
  table.file_ = file;
  std::set<std::string> names;
  for (const Json& entry : *entries) {
    Price price = read_price(file, entry, table.prices_.size());
    if (!names.insert(price.name).second) {
      throw input_error(
          file, "prices[" + std::to_string(table.prices_.size()) + "]: a second entry named '" + price.name + "'");
    }
    table.prices_.push_back(std::move(price));
  }
  return table;
}

const Price& PriceTable::at(const std::string& name) const {
  std::vector<std::string> known;
  for (const Price& price : prices_) {
    if (price.name == name) return price;
    known.push_back(price.name);
  }
  throw usage_error(file_.string() + ": " + unknown_name_message("price", name, known));
}

void Meter::add(const std::string& name, std::int64_t labels, const Usage& usage) {
  Row& row = rows[name];
  row.labels += labels;
  row.usage += usage;
}

}  // namespace rlaif::cost
