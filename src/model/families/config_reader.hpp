// Fields of one config.json, as they are asked for. Not a public header.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/core/json_reader.hpp"
#include "rlaif/core/types.hpp"

namespace rlaif::model {

class ConfigReader {
 public:
  explicit ConfigReader(const std::filesystem::path& file);

  bool has(const std::string& key) const;
  // Whatever is asked for counts as known.
  JsonReader at(const std::string& key) const;
  std::optional<JsonReader> given(const std::string& key) const;  // nothing where absent or null
  std::int64_t integer(const std::string& key, std::optional<std::int64_t> otherwise = {}) const;
  double number(const std::string& key, std::optional<double> otherwise = {}) const;
  std::string text(const std::string& key, const std::string& otherwise) const;
  bool flag(const std::string& key, bool otherwise) const;
  // A number, or -1 where there is none.
  TokenId token(const std::string& key) const;
  // A number, a list of numbers, or none.
  std::vector<TokenId> tokens(const std::string& key) const;
  // For features that are computed in one way alone.
  void expect_flag(const std::string& key, bool expected) const;

  // The fields of an object, nullopt where absent or null. They are checked by a reader of their own.
  std::optional<ConfigReader> object(const std::string& key) const;

  // Refuses fields that were not asked for, unless they say nothing about the computation, or are null or false.
  void expect_all_known() const;

 private:
  struct Document {
    std::filesystem::path file;
    Json json;
  };
  ConfigReader(std::shared_ptr<const Document> document, const JsonReader& reader)
      : document_(std::move(document)), reader_(reader) {}

  std::shared_ptr<const Document> document_;
  JsonReader reader_;
  mutable std::set<std::string> asked_;
};

}  // namespace rlaif::model
