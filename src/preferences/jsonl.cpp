// A store as JSON Lines and back.
#include <algorithm>
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
Json as_json(double value) { return number_or_null(value); }
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

// Values as full_line writes them.
double number_in(const JsonReader& reader) { return reader.json().is_null() ? kNotANumber : reader.number(); }
void read(const JsonReader& reader, std::string& value) { value = reader.string(); }
void read(const JsonReader& reader, bool& value) { value = reader.boolean(); }
template <class Integer>
  requires std::is_integral_v<Integer>
void read(const JsonReader& reader, Integer& value) {
  value = static_cast<Integer>(reader.count(0, static_cast<std::uint64_t>(std::numeric_limits<Integer>::max())));
}
void read(const JsonReader& reader, double& value) { value = number_in(reader); }
void read(const JsonReader& reader, std::array<double, 2>& values) {
  const std::vector<JsonReader> items = reader.items();
  if (items.size() != 2) throw reader.unexpected("a list of two numbers or nulls");
  for (std::size_t order = 0; order < 2; ++order) values[order] = number_in(items[order]);
}
void read(const JsonReader& reader, VerdictStatus& status) {
  std::vector<std::string> names;
  for (const VerdictStatus known : kStatuses) {
    status = known;
    if (reader.string() == to_string(known)) return;
    names.push_back(to_string(known));
  }
  throw reader.error(unknown_name_message("status", reader.string(), names));
}
void read(const JsonReader& reader, std::vector<MemberVerdict>& members) {
  for (const JsonReader& one : reader.items()) {
    one.allow_only({"name", "status", "p_first", "cost_usd"});
    MemberVerdict& member = members.emplace_back();
    read(one.at("name"), member.name);
    read(one.at("status"), member.status);
    read(one.at("p_first"), member.p_first);
    read(one.at("cost_usd"), member.cost_usd);
  }
}

// Turns lines of the store's own form into records.
class OwnReader {
 public:
  explicit OwnReader(const fs::path& file) : lines_(file) {
    visit_columns([this](const Column& column, auto) { full_keys_.push_back(column.name); });
    full_keys_.insert(full_keys_.end(), {"judge", "members"});
  }

  bool next(Preference& record) {
    if (!lines_.next()) return false;
    record = full_record();
    return true;
  }
  [[nodiscard]] Error error(const std::string& message) const { return lines_.record().reader().error(message); }

 private:
  Preference full_record() const {
    const JsonReader line = lines_.record().reader();
    line.allow_only(full_keys_);
    const auto prompt = line.find("prompt");
    const bool is_conversation = prompt && prompt->json().is_array();
    Preference record;
    visit_columns([&](const Column& column, auto member) {
      if (std::string_view(column.name) != "prompt" || !is_conversation) read(line.at(column.name), member(record));
    });
    if (is_conversation) lines_.record().read_prompt("prompt", record.comparison.prompt);
    if (const auto judge = line.find("judge")) read(*judge, record.judge);
    if (const auto members = line.find("members")) read(*members, record.verdict.members);
    const std::string problem = record_problem(record);
    if (!problem.empty()) throw error("key " + problem);
    return record;
  }

  text::JsonLineReader lines_;
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
