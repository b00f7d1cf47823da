// Pre-tokenizer patterns, run by PCRE2 with UTF and Unicode properties.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rlaif::text {

enum class PatternKind { regex, literal };

// A pattern as tokenizer files hold them. They are written in Oniguruma's dialect; what would mean something else in
// PCRE2 is translated (\s, \S) or refused: Error(input) naming the construct.
class Regex {
 public:
  explicit Regex(std::string_view pattern, PatternKind kind = PatternKind::regex);

  using Range = std::function<void(std::size_t begin, std::size_t end)>;
  // Calls f for each match, left to right, without overlap. subject must be valid UTF-8; it is matched on its own:
  // nothing before or after it is seen. Safe to call from several threads.
  void for_each_match(std::string_view subject, const Range& f) const;
  bool matches_at_start(std::string_view subject) const;

 private:
  struct Code;  // a pcre2_code; deleted by the shared_ptr's deleter
  std::shared_ptr<const Code> code_;
};

}  // namespace rlaif::text
