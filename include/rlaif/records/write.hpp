// Records written in the forms of others, for the tools of others.
//   records::write_records("pairs.jsonl.gz", "preference", records::read_records("hh.jsonl", records::Kind::pair));
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "rlaif/records/records.hpp"

namespace rlaif::records {

// Names of the forms that are written, and what a line of each looks like. A form that has texts and lists of turns is there
// twice: NAME and NAME-conversational.
struct WrittenForm {
  std::string name, line;
  Kind kind;
};
const std::vector<WrittenForm>& written_forms();
// Throws Error(usage) naming the known ones.
const WrittenForm& form_to_write(const std::string& name);

// Writes records of the form's kind, compressed by the file's ending, and returns how many. Left out and counted are pairs that
// nobody prefers one of where the form has no place for them. Throws Error(input) naming `source`, the file that the
// records are of, and the line of a record that the form cannot say: a conversation in a form of texts, a mark of a
// transcript in a text, a prompt that could not be told again.
std::size_t write_records(const std::filesystem::path& file, const std::string& form, std::span<const Record> records,
                          LeftOut* left_out = nullptr, const std::filesystem::path& source = {});

// Pairs as two rated responses each, the better one first. Left out, and added to what is counted, are pairs that nobody prefers
// one of.
std::vector<Record> unpaired(std::vector<Record> pairs, LeftOut* left_out = nullptr);

// Whether a prompt is of the share (0 to 1) that is held out: by a hash of what it says, so that a prompt stays where it is
// whatever else is in its file.
bool is_held_out(const Prompt& prompt, double share);

}  // namespace rlaif::records
