#include "rlaif/records/records.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "form.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/utf8.hpp"

namespace rlaif::records {
namespace {

std::string forms_of(Kind wanted) {
  std::string text;
  for (const Form& form : forms()) {
    if (form.kind != wanted && wanted != Kind::prompt && !(wanted == Kind::demonstration && form.kind == Kind::pair))
      continue;
    const std::string one = std::string(form.name) + " " + keys_of(form);
    text += (text.empty() ? "" : ", ") + one;
  }
  return text;
}

Error unknown_form(const text::JsonRecord& line, Kind wanted) {
  const std::string why = line.object.contains("text") ? " (a text that is whole has no prompt)" : "";
  return input_error(line.file, line.line,
                     "the form is not known" + why + ": the keys " + list_of_keys(line.object) +
                         " were found; expected " + to_string(wanted) + " in one of the forms " + forms_of(wanted));
}

// Whether records of a kind can be read as another.
bool is_read_as(Kind kind, Kind wanted) {
  return kind == wanted || wanted == Kind::prompt || (kind == Kind::pair && wanted == Kind::demonstration);
}

bool is_empty(const std::string& text) { return skip_spaces_right(text, 0) == text.size(); }

std::uint64_t hash_of(const Prompt& prompt) {
  // A text may be the transcript of another prompt's turns.
  return checksum(prompt.text) + (prompt.turns.empty() ? 0 : 0x9E3779B97F4A7C15u);
}

std::string id_of(const text::JsonRecord& line, std::size_t place) {
  const auto id = line.object.find("id");
  if (id == line.object.end() || id->is_null()) return std::to_string(place);
  if (id->is_string()) return id->get<std::string>();
  if (id->is_number_integer()) return id->dump();
  throw input_error(line.file, line.line, "key 'id': expected a text or an integer");
}

// What makes responses ones that nobody learns from; empty: nothing.
std::string flaw_of(const Record& record) {
  for (std::size_t i = 0; i < record.responses.size(); ++i) {
    if (!is_empty(record.responses[i])) continue;
    return record.responses.size() == 1 ? "the response is empty"
                                        : "the " + std::string(i == 0 ? "first" : "second") +
                                              " of two responses (chosen, rejected; a, b) is empty";
  }
  if (record.responses.size() == 2 && record.responses[0] == record.responses[1]) return "the two responses are equal";
  return "";
}

// The record as a kind that needs less. Returns what is in the way.
std::string narrow(Record& record, Kind kind, Kind wanted) {
  if (kind == wanted) return "";
  std::string flaw;
  if (wanted == Kind::prompt) {
    record.responses.clear();
  } else if (record.responses.size() == 2) {
    if (record.label.value_or(0.5) == 0.5)
      flaw = "no response is preferred to the other, so that none is a demonstration";
    std::string better = sides_of(record).chosen;
    record.responses = {std::move(better)};
  }
  record.label.reset(), record.stated.reset();
  record.votes.clear();
  return flaw;
}

std::size_t responses_of(Kind kind) { return kind == Kind::prompt ? 0 : kind == Kind::pair ? 2 : 1; }

}  // namespace

RecordReader::RecordReader(const std::filesystem::path& file, Kind wanted, Flawed flawed)
    : lines_(file), wanted_(wanted), flawed_(flawed) {}

bool RecordReader::has_place_for(const std::string& key) const {
  const auto holds = [&](const std::vector<const char*>& keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  return form_ && (holds(form_->keys) || holds(form_->other));
}

void RecordReader::settle_form() {
  const text::JsonRecord& line = lines_.record();
  const Form* form = find_form(line.object, wanted_);
  if (form_) {
    // A line of no known form lacks keys of the file's, which its reading says.
    if (!form || form == form_) return;
    throw input_error(line.file, line.line,
                      "mixed forms: this line is of the form " + std::string(form->name) + " " + keys_of(*form) +
                          ", line " + std::to_string(form_line_) + " of the form " + form_->name + " " +
                          keys_of(*form_) + "; lines of one form were expected");
  }
  if (!form) throw unknown_form(line, wanted_);
  if (!is_read_as(form->kind, wanted_)) {
    throw input_error(line.file, line.line,
                      std::string("the form ") + form->name + " " + keys_of(*form) + " holds " + to_string(form->kind) +
                          "; expected " + to_string(wanted_) + " in one of the forms " + forms_of(wanted_));
  }
  form_ = form;
  form_line_ = line.line;
}

std::string RecordReader::read(Record& record) {
  const text::JsonRecord& line = lines_.record();
  record = {};
  record.line = line.line;
  record.prompt.family =
      line.object.contains("family") && line.object["family"].is_string() ? line.string("family") : "";
  std::string flaw = form_->read(line, wanted_, record);
  if (wanted_ != Kind::prompt && flaw.empty()) flaw = flaw_of(record);
  const std::string lacking = narrow(record, form_->kind, wanted_);
  return flaw.empty() ? lacking : flaw;
}

void RecordReader::refuse_second_label(const Record& record) {
  if (!record.stated || record.responses.size() != 2) return;
  std::array<std::uint64_t, 3> key{hash_of(record.prompt), checksum(record.responses[0]),
                                   checksum(record.responses[1])};
  double label = *record.stated;
  if (key[1] > key[2]) {
    std::swap(key[1], key[2]);
    label = 1.0 - label;
  }
  const std::uint64_t pair = checksum({reinterpret_cast<const char*>(key.data()), sizeof key});
  const auto [known, added] = labels_.try_emplace(pair, Labelled{label, record.line});
  if (added || known->second.label == label) return;
  const text::JsonRecord& line = lines_.record();
  throw input_error(line.file, line.line,
                    "this pair has another label in line " + std::to_string(known->second.line) +
                        "; one label of a pair was expected (several people's in the key 'annotators')");
}

bool RecordReader::next(Record& record) {
  while (lines_.next()) {
    settle_form();
    const std::string flaw = read(record);
    const text::JsonRecord& line = lines_.record();
    const bool is_kept = flaw.empty() || (flawed_ == Flawed::keep && record.responses.size() == responses_of(wanted_));
    if (!is_kept) {
      const Error error = input_error(line.file, line.line, flaw);
      if (flawed_ != Flawed::leave_out) throw error;
      if (left_out_.records++ == 0) left_out_.first = error.what();
      continue;
    }
    if (flawed_ != Flawed::keep) refuse_second_label(record);
    record.id = id_of(line, records_);
    record.prompt.id = prompt_ids_.try_emplace(hash_of(record.prompt), records_).first->second;
    ++records_;
    return true;
  }
  return false;
}

std::vector<Record> read_records(const std::filesystem::path& file, Kind wanted, LeftOut* left_out) {
  RecordReader reader(file, wanted, left_out ? Flawed::leave_out : Flawed::refuse);
  std::vector<Record> records;
  for (Record record; reader.next(record);) records.push_back(std::move(record));
  const LeftOut& gone = reader.left_out();
  if (left_out) *left_out = gone;
  if (!records.empty()) return records;
  throw input_error(file, std::string("holds no ") + to_string(wanted) + "; at least one line was expected" +
                              (gone.records == 0 ? ""
                                                 : " besides the " + std::to_string(gone.records) +
                                                       " that nobody learns from, the first: " + gone.first));
}

Kind kind_of_file(const std::filesystem::path& file) {
  text::JsonLineReader lines(file);
  if (!lines.next()) throw input_error(file, "holds no record; at least one line was expected");
  const Form* form = find_form(lines.record().object, Kind::pair);
  if (!form) throw unknown_form(lines.record(), Kind::prompt);
  return form->kind;
}

std::vector<Prompt> read_prompts(const std::filesystem::path& file) {
  std::vector<Prompt> prompts;
  std::unordered_map<std::uint64_t, std::size_t> line_of_id;
  RecordReader reader(file, Kind::prompt);
  for (Record record; reader.next(record);) {
    const text::JsonRecord& line = reader.line();
    Prompt& prompt = record.prompt;
    // Others' ids are their records'.
    const bool has_id = line.has("id") && !line.object["id"].is_null() && reader.has_place_for("family");
    prompt.id = has_id ? line.number_from_zero("id") : line.line - 1;
    prompt.family = line.string_or("family", "");
    const auto [known, added] = line_of_id.emplace(prompt.id, line.line);
    if (!added) {
      throw input_error(file, line.line,
                        "id " + std::to_string(prompt.id) + " is that of line " + std::to_string(known->second) +
                            " already; expected ids that are unique (without the key 'id': the "
                            "index of the line from 0)");
    }
    prompts.push_back(std::move(prompt));
  }
  if (prompts.empty()) throw input_error(file, "no prompt; expected one JSON object with the key 'prompt' a line");
  return prompts;
}

}  // namespace rlaif::records
