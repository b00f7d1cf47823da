#include "rlaif/judge/kinds/recorded.hpp"

#include "rlaif/core/error.hpp"

namespace rlaif::judge {
namespace {

// Text or null; null and absent are empty.
std::string optional_text(const text::JsonRecord& record, const char* key) {
  const auto found = record.object.find(key);
  if (found == record.object.end() || found->is_null()) return "";
  return record.string(key);
}

VerdictStatus status_without_verdict(const std::string& finish) {
  if (finish == "length" || finish == "max_tokens") return VerdictStatus::truncated;
  if (finish == "content_filter") return VerdictStatus::filtered;
  return finish == "refusal" ? VerdictStatus::refused : VerdictStatus::unparseable;
}

void read_verdict(const text::JsonRecord& record, RecordedVerdict& recorded) {
  const auto verdict = record.object.find("verdict");
  const std::string expected = "key 'verdict': expected \"a\", \"b\", \"tie\" or null";
  if (verdict == record.object.end()) throw input_error(record.file, record.line, expected + ", it is missing");
  if (verdict->is_null()) {
    recorded.status = status_without_verdict(optional_text(record, "finish"));
    return;
  }
  recorded.status = VerdictStatus::ok;
  if (*verdict == "a")
    recorded.p_first = 1.0;
  else if (*verdict == "b")
    recorded.p_first = 0.0;
  else if (*verdict == "tie")
    recorded.p_first = 0.5;
  else
    throw input_error(record.file, record.line, expected + ", not " + text::to_json_line(*verdict));
}

}  // namespace

RecordedVerdict read_recorded(const text::JsonRecord& record) {
  RecordedVerdict recorded;
  recorded.line = record.line;
  recorded.judge = record.string("judge");
  recorded.style = record.string("style");
  recorded.pair = record.string("pair_id");
  const std::string& order = record.string("order");
  if (order != "ab" && order != "ba")
    throw input_error(record.file, record.line, "key 'order': expected \"ab\" or \"ba\", not \"" + order + "\"");
  recorded.order = order == "ab" ? 0 : 1;
  read_verdict(record, recorded);
  recorded.raw = optional_text(record, "raw");
  return recorded;
}

Error repeated(const text::JsonRecord& record, const RecordedVerdict& verdict, std::size_t first_line) {
  return input_error(record.file, record.line,
                     "a second verdict for pair '" + verdict.pair + "' in order " + (verdict.order == 0 ? "ab" : "ba") +
                         "; the first is in line " + std::to_string(first_line));
}

}  // namespace rlaif::judge
