#include "rlaif/records/write.hpp"

#include <algorithm>
#include <cmath>

#include "form.hpp"
#include "rlaif/core/dialogue.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/names.hpp"

namespace rlaif::records {
namespace {

constexpr const char* turns_suffix = "-conversational";

using Write = Json (*)(const Record&);

// Name and writer of everything that is written.
struct Writer {
  std::string name;
  const Form* form;
  Write write;
};

const std::vector<Writer>& writers() {
  static const std::vector<Writer> all = [] {
    std::vector<Writer> made;
    for (const Form& form : forms()) {
      const bool has_both = form.write_texts && form.write_turns;
      if (form.write_texts) made.push_back({form.name, &form, form.write_texts});
      if (form.write_turns)
        made.push_back({form.name + std::string(has_both ? turns_suffix : ""), &form, form.write_turns});
    }
    return made;
  }();
  return all;
}

const Writer& writer_named(const std::string& name) {
  std::vector<std::string> names;
  for (const Writer& writer : writers()) {
    if (writer.name == name) return writer;
    names.push_back(writer.name);
  }
  throw usage_error(unknown_name_message("form", name, names));
}

constexpr const char* no_side = "has no response that is preferred to the other";

std::string which(const Record& record) { return "the record of line " + std::to_string(record.line) + " "; }

// A pair of which one response has to be the better one.
bool needs_a_side(const Form& form) { return form.kind == Kind::pair && std::string(form.name) != "pairs"; }

// An example of each: what a line looks like is what is written of it.
Record example_of(Kind kind) {
  Record record;
  record.id = "0";
  set_turns(record.prompt, {{"user", "What color is the sky?"}});
  if (kind != Kind::prompt) record.responses = {"Blue."};
  if (kind == Kind::pair) record.responses.push_back("Green.");
  if (kind == Kind::pair || kind == Kind::rated) record.label = 1.0;
  return record;
}

}  // namespace

const std::vector<WrittenForm>& written_forms() {
  static const std::vector<WrittenForm> all = [] {
    std::vector<WrittenForm> made;
    for (const Writer& writer : writers())
      made.push_back({writer.name, text::to_json_line(writer.write(example_of(writer.form->kind))), writer.form->kind});
    return made;
  }();
  return all;
}

const WrittenForm& form_to_write(const std::string& name) {
  writer_named(name);
  return *std::find_if(written_forms().begin(), written_forms().end(),
                       [&](const WrittenForm& form) { return form.name == name; });
}

std::size_t write_records(const std::filesystem::path& file, const std::string& form, std::span<const Record> records,
                          LeftOut* left_out, const std::filesystem::path& source) {
  const Writer& writer = writer_named(form);
  std::string lines;
  std::size_t written = 0;
  LeftOut gone;
  for (const Record& record : records) {
    if (needs_a_side(*writer.form) && record.label.value_or(0.5) == 0.5) {
      if (gone.records++ == 0) gone.first = which(record) + no_side;
      continue;
    }
    try {
      lines += text::to_json_line(writer.write(record)) + "\n";
    } catch (const CannotSay& problem) {
      const std::string why = which(record) + problem.why + "; the form " + form + " cannot say it";
      throw source.empty() ? input_error(file, why) : input_error(source, record.line, why);
    }
    ++written;
  }
  if (left_out) *left_out = gone;
  if (written == 0 && gone.records > 0)
    throw input_error(file, "nothing is left to write; the first that was left out: " + gone.first);
  write_file_atomic(file, text::compressed_for(file, std::move(lines)));
  return written;
}

std::vector<Record> unpaired(std::vector<Record> pairs, LeftOut* left_out) {
  std::vector<Record> rated;
  for (Record& pair : pairs) {
    if (pair.label.value_or(0.5) == 0.5) {
      if (left_out && left_out->records++ == 0) left_out->first = which(pair) + no_side;
      continue;
    }
    const std::string chosen = sides_of(pair).chosen, rejected = sides_of(pair).rejected;
    for (const bool is_good : {true, false}) {
      Record one = pair;
      one.id += is_good ? "/chosen" : "/rejected";
      one.responses = {is_good ? chosen : rejected};
      one.label = one.stated = is_good ? 1.0 : 0.0;
      one.votes.clear();
      rated.push_back(std::move(one));
    }
  }
  return rated;
}

bool is_held_out(const Prompt& prompt, double share) {
  const std::uint64_t hash = checksum(text::to_json_line(text::turns_json(turns_of(prompt))));
  return std::ldexp(static_cast<double>(hash >> 11), -53) < share;
}

}  // namespace rlaif::records
