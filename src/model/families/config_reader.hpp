// Fields of one config.json; each failure names the file and the field. Not a public header.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/core/types.hpp"

namespace rlaif::model {

class ConfigReader {
 public:
  explicit ConfigReader(const std::filesystem::path& file);

  [[noreturn]] void fail(const std::string& message) const;
  bool has(const std::string& key) const;
  // nullptr where absent or null. Whatever is asked for counts as known.
  const Json* find(const std::string& key) const;
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
  ConfigReader(const std::filesystem::path& file, const std::string& prefix, const Json& root)
      : file_(file), prefix_(prefix), root_(root) {}
  std::string quoted(const std::string& key) const { return "\"" + prefix_ + key + "\""; }
  TokenId token_of(const Json& value, const std::string& key) const;
  std::int64_t integer_of(const Json& value, const std::string& key) const;

  std::filesystem::path file_;
  std::string prefix_;  // "rope_scaling." within that object
  Json root_;
  mutable std::set<std::string> asked_;
};

}  // namespace rlaif::model
