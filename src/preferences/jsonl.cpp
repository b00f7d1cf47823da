// A store as JSON Lines and back.
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <unordered_map>
#include <vector>

#include "columns.hpp"
#include "manifest.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/records/records.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::preferences {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBufferBytes = 1 << 20;

// JSON has no NaN: null stands for it, both ways.
Json as_json(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
Json as_json(const std::array<double, 2>& values) { return Json::array({as_json(values[0]), as_json(values[1])}); }
Json as_json(VerdictStatus status) { return to_string(status); }
template <class Value>
Json as_json(const Value& value) {
  return value;
}

Json full_line(const Preference& record) {
  Json line = Json::object();
  visit_columns([&](const Column& column, auto member) { line[column.name] = as_json(member(record)); });
  line["prompt"] = text::prompt_json(record.comparison.prompt);
  line["judge"] = record.judge;
  for (const MemberVerdict& member : record.verdict.members) {
    line["members"].push_back({{"name", member.name},
                               {"status", as_json(member.status)},
                               {"p_first", as_json(member.p_first)},
                               {"cost_usd", member.cost_usd}});
  }
  return line;
}

// nullopt: no choice between the two was made.
std::optional<Json> trl_line(const Preference& record) {
  const Verdict& verdict = record.verdict;
  if (verdict.status != VerdictStatus::ok || verdict.p_first == 0.5) return std::nullopt;
  const Comparison& comparison = record.comparison;
  const bool first = verdict.p_first > 0.5;
  // TRL has responses to turns as turns.
  const auto response = [&](const Completion& one) {
    return comparison.prompt.turns.empty() ? Json(one.text)
                                           : text::turns_json(std::vector<Message>{{"assistant", one.text}});
  };
  return Json{{"prompt", text::prompt_json(comparison.prompt)},
              {"chosen", response(first ? comparison.first : comparison.second)},
              {"rejected", response(first ? comparison.second : comparison.first)}};
}

// Writes lines under a temporary name; commit() makes them the file.
class LineWriter {
 public:
  explicit LineWriter(const fs::path& file) : file_(file), temporary_(temporary_name(file)), out_(temporary_, 0) {}
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  ~LineWriter() {
    std::error_code ignored;
    if (!committed_) fs::remove(temporary_, ignored);
  }

  void add(const Json& line) {
    try {
      buffer_ += line.dump();
    } catch (const Json::type_error&) {  // text that is not UTF-8, which JSON cannot carry
      buffer_ += line.dump(-1, ' ', false, Json::error_handler_t::replace);
      ++replaced_;
    }
    buffer_ += '\n';
    if (buffer_.size() >= kBufferBytes) flush();
  }
  void commit() {
    flush();
    commit_file(temporary_, file_);
    committed_ = true;
    if (replaced_ > 0) {
      log::warning(file_.string() + ": " + std::to_string(replaced_) +
                   " records hold text that is not UTF-8; the bad bytes were replaced by U+FFFD");
    }
  }

 private:
  void flush() {
    out_.append(buffer_);
    buffer_.clear();
  }
  fs::path file_, temporary_;
  AppendFile out_;
  std::string buffer_;
  std::uint64_t replaced_ = 0;
  bool committed_ = false;
};

// One object of a JSON Lines file; every complaint names file, line and key.
class LineReader {
 public:
  explicit LineReader(const fs::path& file) : lines_(file) {}

  bool next() { return lines_.next(); }

  const Json& object() const { return lines_.record().object; }
  bool has(const std::string& key) const { return object().contains(key); }
  const Json& at(const std::string& key) const {
    const auto found = object().find(key);
    if (found == object().end()) throw error("expected the key '" + key + "'");
    return *found;
  }
  [[nodiscard]] Error error(const std::string& message) const {
    return input_error(lines_.record().file, lines_.record().line, message);
  }
  [[nodiscard]] Error expected(const std::string& key, const std::string& what) const {
    return error("key '" + key + "': expected " + what);
  }

  // Nothing where it is one text.
  void read_turns(const char* key, Prompt& prompt) const {
    if (at(key).is_array()) lines_.record().read_prompt(key, prompt);
  }
  void read(const std::string& key, std::string& value) const {
    if (!at(key).is_string()) throw expected(key, "text");
    value = at(key).get<std::string>();
  }
  void read(const std::string& key, bool& value) const {
    if (!at(key).is_boolean()) throw expected(key, "true or false");
    value = at(key).get<bool>();
  }
  template <class Integer>
    requires std::is_integral_v<Integer>
  void read(const std::string& key, Integer& value) const {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<Integer>::max());
    const Json& number = at(key);
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() > kMost) {
      throw expected(key, "a whole number from 0 to " + std::to_string(kMost));
    }
    value = number.get<Integer>();
  }
  void read(const std::string& key, double& value) const { value = number(key, at(key)); }
  void read(const std::string& key, std::array<double, 2>& values) const {
    const Json& list = at(key);
    if (!list.is_array() || list.size() != 2) throw expected(key, "a list of two numbers or nulls");
    for (std::size_t order = 0; order < 2; ++order) values[order] = number(key, list[order]);
  }
  void read(const std::string& key, VerdictStatus& status) const {
    std::string name;
    read(key, name);
    status = status_named(key, name);
  }
  void read(const std::string& key, std::vector<MemberVerdict>& members) const {
    const std::string what = "a list of {\"name\": text, \"status\": text, \"p_first\": number, \"cost_usd\": number}";
    if (!at(key).is_array()) throw expected(key, what);
    for (const Json& one : at(key)) {
      const auto is_text = [&](const char* name) { return one.contains(name) && one[name].is_string(); };
      if (!one.is_object() || one.size() != 4 || !is_text("name") || !is_text("status") || !one.contains("p_first") ||
          !one.contains("cost_usd"))
        throw expected(key, what);
      members.push_back({one["name"].get<std::string>(), status_named(key, one["status"].get<std::string>()),
                         number(key, one["p_first"]), number(key, one["cost_usd"])});
    }
  }

 private:
  VerdictStatus status_named(const std::string& key, const std::string& name) const {
    std::vector<std::string> names;
    for (const VerdictStatus known : kStatuses) {
      if (name == to_string(known)) return known;
      names.push_back(to_string(known));
    }
    throw error("key '" + key + "': " + unknown_name_message("status", name, names));
  }
  double number(const std::string& key, const Json& value) const {
    if (value.is_null()) return kNotANumber;
    if (!value.is_number()) throw expected(key, "a number or null");
    return value.get<double>();
  }
  text::JsonLineReader lines_;
};

// Turns lines of the store's own form into records.
class OwnReader {
 public:
  explicit OwnReader(const fs::path& file) : file_(file), lines_(file) {
    visit_columns([this](const Column& column, auto) { full_keys_.push_back(column.name); });
    full_keys_.insert(full_keys_.end(), {"judge", "members"});
  }

  bool next(Preference& record) {
    if (!lines_.next()) return false;
    record = full_record();
    return true;
  }
  [[nodiscard]] Error error(const std::string& message) const { return lines_.error(message); }

 private:
  Preference full_record() const {
    for (const auto& [key, value] : lines_.object().items()) {
      if (std::find(full_keys_.begin(), full_keys_.end(), key) == full_keys_.end()) {
        throw lines_.error(unknown_name_message("key", key, full_keys_));
      }
    }
    Preference record;
    visit_columns([&](const Column& column, auto member) {
      if (std::string_view(column.name) != "prompt" || !lines_.at("prompt").is_array())
        lines_.read(column.name, member(record));
    });
    lines_.read_turns("prompt", record.comparison.prompt);
    if (lines_.has("judge")) lines_.read("judge", record.judge);
    if (lines_.has("members")) lines_.read("members", record.verdict.members);
    const std::string problem = record_problem(record);
    if (!problem.empty()) throw lines_.error("key " + problem);
    return record;
  }

  fs::path file_;
  LineReader lines_;
  std::vector<std::string> full_keys_;
};

// Pairs in the forms of others (records/records.hpp), whose labels are certain or shares of votes.
class PairReader {
 public:
  explicit PairReader(const fs::path& file) : file_(file), pairs_(file, records::Kind::pair) {}

  bool next(Preference& preference) {
    records::Record record;
    if (!pairs_.next(record)) return false;
    if (!record.label) throw error("expected the key 'label'");
    warn_of_other_keys();
    preference = {};
    Comparison& comparison = preference.comparison;
    comparison.id = count_++;
    comparison.prompt = std::move(record.prompt);
    comparison.prompt.family.clear();
    // Equal prompts share an id: intervals are drawn over prompts.
    comparison.prompt.id = prompt_ids_.try_emplace(comparison.prompt.id, prompt_ids_.size()).first->second;
    comparison.first.text = std::move(record.responses[0]);
    comparison.second.text = std::move(record.responses[1]);
    comparison.second.sample = 1;
    comparison.first.ended = comparison.second.ended = true;
    preference.verdict.status = VerdictStatus::ok;
    preference.verdict.p_first = *record.label;
    preference.verdict.p_first_by_order = {kNotANumber, kNotANumber};
    return true;
  }
  [[nodiscard]] Error error(const std::string& message) const {
    return input_error(pairs_.line().file, pairs_.line().line, message);
  }

 private:
  // Data sets of others carry scores and sources besides; said once a key, since they are not kept.
  void warn_of_other_keys() {
    for (const auto& [key, value] : pairs_.line().object.items()) {
      if (pairs_.has_place_for(key) || !other_keys_.insert(key).second) continue;
      log::warning(file_.string() + ": the key '" + key + "' has no place in the store and is left out");
    }
  }

  fs::path file_;
  records::RecordReader pairs_;
  std::unordered_map<std::uint64_t, std::uint64_t> prompt_ids_;
  std::set<std::string> other_keys_;
  std::uint64_t count_ = 0;
};

// Whether the first line has none of the keys that pairs of others have.
bool is_own_form(const fs::path& file) {
  text::JsonLineReader lines(file);
  if (!lines.next()) return true;
  const Json& object = lines.record().object;
  const auto has = [&](std::initializer_list<const char*> keys) {
    return std::any_of(keys.begin(), keys.end(), [&](const char* key) { return object.contains(key); });
  };
  return !has({"chosen", "rejected", "response_a", "response_b", "preferred_output", "non_preferred_output"});
}

void refuse_used_folder(const fs::path& folder) {
  make_folders(folder);
  for (const std::string& name : list_folder(folder)) {
    if (is_shard_name(name) || name == manifest_path("").string()) {
      throw input_error(folder / name, "is there already: expected a folder without a store");
    }
  }
}

}  // namespace

void export_jsonl(const fs::path& folder, const fs::path& file, ExportForm form) {
  const Manifest manifest = require_manifest(folder);
  LineWriter lines(file);
  for (const ManifestEntry& entry : manifest.shards) {
    for (const Preference& record : load_verified(folder, entry).records) {
      if (form == ExportForm::full) {
        lines.add(full_line(record));
      } else if (const std::optional<Json> line = trl_line(record)) {
        lines.add(*line);
      }
    }
  }
  lines.commit();
}

namespace {

template <class Reader>
Manifest import_all(Reader&& reader, const fs::path& file, const fs::path& folder, const std::string& judge,
                    std::uint64_t block_size) {
  refuse_used_folder(folder);
  std::vector<Preference> block;
  std::uint64_t blocks = 0;
  std::string name = judge;
  try {
    for (Preference record; reader.next(record);) {
      if (judge.empty() && blocks == 0 && block.empty()) name = record.judge;
      if (judge.empty() && record.judge != name) {
        throw reader.error("key 'judge': a store has one judge, expected '" + name + "', got '" + record.judge + "'");
      }
      block.push_back(std::move(record));
      if (block.size() < block_size) continue;
      write_shard(folder, blocks++, name, block);
      block.clear();
    }
    if (!block.empty()) write_shard(folder, blocks++, name, block);
    if (blocks == 0) throw input_error(file, "holds no records");
    return finish_store(folder, blocks, name);
  } catch (...) {
    // Half a store would stand in the way of the next try.
    std::error_code ignored;
    for (std::uint64_t done = 0; done < blocks; ++done) fs::remove(shard_path(folder, done), ignored);
    throw;
  }
}

}  // namespace

Manifest import_jsonl(const fs::path& file, const fs::path& folder, const std::string& judge,
                      std::uint64_t block_size) {
  if (block_size == 0) throw usage_error("expected at least one record a block");
  if (is_own_form(file)) return import_all(OwnReader(file), file, folder, judge, block_size);
  return import_all(PairReader(file), file, folder, judge, block_size);
}

}  // namespace rlaif::preferences
