#include "rlaif/cost/prices.hpp"

#include <algorithm>
#include <set>

#include "rlaif/core/error.hpp"
#include "rlaif/core/json_reader.hpp"
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

Price read_price(const JsonReader& entry) {
  entry.allow_only(kEntryKeys);
  Price price;
  price.name = entry.at("name").text();
  price.as_of = entry.at("as_of").date();
  price.source = entry.at("source").text();
  const auto dollars = [&](const char* key, double otherwise) {
    const auto found = entry.find(key);
    return found ? found->number_from(0.0) : otherwise;
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
  const Json json = read_json_object(file);
  const JsonReader root(file, json);
  root.allow_only({"prices"});
  for (const JsonReader& entry : root.at("prices").items()) {
    Price price = read_price(entry);
    if (!names.insert(price.name).second) throw entry.error("a second entry named '" + price.name + "'");
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
