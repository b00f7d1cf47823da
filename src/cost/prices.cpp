#include "rlaif/cost/prices.hpp"

#include <algorithm>
#include <set>

#include "entries.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"

namespace rlaif::cost {
namespace {

const std::vector<std::string> kEntryKeys = {"name",
                                             "as_of",
                                             "source",
                                             "per_label_usd",
                                             "input_per_million_usd",
                                             "cached_input_per_million_usd",
                                             "cache_write_per_million_usd",
                                             "output_per_million_usd"};

Price read_price(const std::filesystem::path& file, const Json& entry, std::size_t index) {
  std::string where = "prices[" + std::to_string(index) + "]";
  check_keys(file, entry, where, kEntryKeys);
  Price price;
  price.name = text_of(file, entry, where, "name");
  where += " '" + price.name + "'";
  price.as_of = date_of(file, entry, where, "as_of");
  price.source = text_of(file, entry, where, "source");
  const auto dollars = [&](const char* key, double otherwise) {
    return amount_of(file, entry, where, key, "a number of dollars", otherwise);
  };
  price.per_label_usd = dollars("per_label_usd", 0.0);
  price.input_per_million_usd = dollars("input_per_million_usd", 0.0);
  price.cached_input_per_million_usd = dollars("cached_input_per_million_usd", price.input_per_million_usd);
  price.cache_write_per_million_usd = dollars("cache_write_per_million_usd", price.input_per_million_usd);
  price.output_per_million_usd = dollars("output_per_million_usd", 0.0);
  return price;
}

}  // namespace

double Price::label_usd(const Usage& usage, std::int64_t cache_write_tokens) const {
  const auto fresh = static_cast<double>(
      std::max<std::int64_t>(0, usage.input_tokens - usage.cached_input_tokens - cache_write_tokens));
  const double million_tokens_usd = fresh * input_per_million_usd +
                                    static_cast<double>(usage.cached_input_tokens) * cached_input_per_million_usd +
                                    static_cast<double>(cache_write_tokens) * cache_write_per_million_usd +
                                    static_cast<double>(usage.output_tokens) * output_per_million_usd;
  return per_label_usd + million_tokens_usd / 1e6;
}

PriceTable PriceTable::load(const std::filesystem::path& file) {
  PriceTable table;
  table.file_ = file;
  std::set<std::string> names;
  for (const Json& entry : read_entries(file, "prices")) {
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

}  // namespace rlaif::cost
