#include "rlaif/cli/convert_tool.hpp"

#include <algorithm>
#include <iostream>
#include <utility>

#include "rlaif/cli/file_tools.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/records/write.hpp"

namespace rlaif::cli {
namespace {

// The records of a file as those of a form; a pair becomes two rated responses.
std::vector<records::Record> records_for(const records::WrittenForm& form, const std::filesystem::path& file,
                                         records::LeftOut& left_out) {
  const bool is_unpaired = form.kind == records::Kind::rated && records::kind_of_file(file) == records::Kind::pair;
  if (!is_unpaired) return records::read_records(file, form.kind, &left_out);
  std::vector<records::Record> pairs = records::read_records(file, records::Kind::pair, &left_out);
  return records::unpaired(std::move(pairs), &left_out);
}

// Code points of what a reader of the prompt and the longest response sees.
std::size_t length_of(const records::Record& record) {
  const auto count = [](const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char byte) { return (byte & '\xC0') != '\x80'; }));
  };
  std::size_t longest = 0;
  for (const std::string& response : record.responses) longest = std::max(longest, count(response));
  return count(record.prompt.text) + longest;
}

void say_left_out(const std::string& why, const records::LeftOut& left_out) {
  if (left_out.records == 0) return;
  std::cout << left_out.records << " left out" << why << ", the first: " << left_out.first << "\n";
}

// What is written takes no other file's place.
void expect_other_files(const std::filesystem::path& in, const std::filesystem::path& out,
                        const std::filesystem::path& held_out) {
  namespace fs = std::filesystem;
  const auto place = [](const fs::path& file) { return fs::weakly_canonical(fs::absolute(file)); };
  for (const fs::path& file : {out, held_out}) {
    if (file.empty()) continue;
    if (fs::exists(file) && !fs::is_regular_file(file))
      throw usage_error("rlaif convert: " + file.string() + " is no regular file; one to write was expected");
    if (place(file) == place(in))
      throw usage_error("rlaif convert: " + file.string() +
                        " is the file that is read; another one to write was expected");
  }
  if (!held_out.empty() && place(held_out) == place(out))
    throw usage_error("rlaif convert: two files to write were expected, not one twice");
}

void write(const std::filesystem::path& file, const records::WrittenForm& form,
           const std::vector<records::Record>& records, const std::filesystem::path& source) {
  records::LeftOut left_out;
  const std::size_t written = records::write_records(file, form.name, records, &left_out, source);
  std::cout << file.string() << ": " << written << " " << to_string(form.kind) << "\n";
  say_left_out(" of it", left_out);
}

}  // namespace

void run_convert_command(const CommandLine& line) {
  const std::filesystem::path in = word(line, 0, "a file to read"), out = word(line, 1, "a file to write");
  const std::string names = "--to FORM was expected; `rlaif convert --help` lists the forms";
  if (!line.flags.contains("to")) throw usage_error("rlaif convert: " + names);
  const records::WrittenForm& form = records::form_to_write(line.flags.at("to"));
  const bool has_split = line.flags.contains("split");
  no_more_words(line, has_split ? 3 : 2);
  const double share = line.number_or("split", 0.0, 0.0);
  if (has_split && !(share > 0.0 && share < 1.0)) throw usage_error("--split: a share between 0 and 1 was expected");
  const std::filesystem::path held_out = has_split ? word(line, 2, "a file for the prompts that are held out") : "";
  expect_other_files(in, out, held_out);
  records::LeftOut left_out;
  std::vector<records::Record> records = records_for(form, in, left_out), apart;
  if (line.flags.contains("longest")) {
    const auto longest = static_cast<std::size_t>(std::min(line.number_or("longest", 0.0, 1.0), 1e15));
    const std::size_t longer = std::erase_if(records, [&](const auto& record) { return length_of(record) > longest; });
    std::cout << longer << " of " << in.string() << " are longer than " << longest << " characters\n";
  }
  if (records.empty()) {
    say_left_out(" of " + in.string(), left_out);
    throw input_error(in, "no record is left; at least one was expected");
  }
  if (has_split) {
    std::vector<records::Record> kept;
    for (records::Record& record : records)
      (records::is_held_out(record.prompt, share) ? apart : kept).push_back(std::move(record));
    records = std::move(kept);
  }
  if (has_split && (records.empty() || apart.empty())) {
    throw input_error(in, "all its prompts fall to one side at --split " + line.flags.at("split") +
                              "; a share that leaves some to both was expected");
  }
  say_left_out(" of " + in.string(), left_out);
  if (has_split) write(held_out, form, apart, in);  // the smaller one: what it cannot say leaves nothing behind
  write(out, form, records, in);
}

}  // namespace rlaif::cli
