// Prompts, demonstrations and preferences in the forms that others keep them in: JSON Lines told apart by their keys, as they
// are or compressed (.gz, .zst).
//   for (records::Record& one : records::read_records("pairs.jsonl.gz", records::Kind::pair)) ... one.prompt, one.responses
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "rlaif/core/types.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::records {

// What a record is, whatever its form.
enum class Kind {
  prompt,         // no response
  demonstration,  // one response
  rated,          // one response and whether it is good
  pair            // two responses and, where somebody has said it, which is better
};
const char* to_string(Kind kind);  // as several are called: "prompts", "pairs"

struct Record {
  std::size_t line = 0;  // of the file, from 1
  std::string id;        // of the file, else its place among the records from 0, as digits
  Prompt prompt;         // prompt.id: records of one conversation share it, the place of the first of them
  std::vector<std::string> responses;
  // Of a pair P(the first is better): 1, 0, 0.5 for a tie, between them the share of votes; of a rated response 1 or 0.
  std::optional<double> label;
  std::optional<double> stated;          // of a pair the file's own label, which several people's votes go before
  std::vector<double> votes;             // single people's labels of a pair, the same way
  std::string subset, model_a, model_b;  // empty where the file has none
};

// Records that hold nothing to learn from and were asked to be left out: how many, and what was wrong with the first of them.
struct LeftOut {
  std::size_t records = 0;
  std::string first;  // "pairs.jsonl:12: ..."
};

// All records of a file as `wanted`. Every record is read as its prompt and a pair as a demonstration, its better response;
// nothing else is read as what it is not. Throws Error(input) naming file, line and key: lines of two forms, a form that is not
// known or holds no such thing, turns that are no prompt (core/dialogue.hpp), one pair with two stated labels; and, unless `left_out`
// is there to count them, a response that is empty, two that are equal, turns behind a response, a transcript that is none and,
// of a demonstration, a pair that nobody prefers one of. Naming the file: no record.
std::vector<Record> read_records(const std::filesystem::path& file, Kind wanted, LeftOut* left_out = nullptr);

// Prompts for a study: ids are the file's key "id", else the line's index from 0, and must be unique; "family" is read. An
// empty file or prompt is an Error(input).
std::vector<Prompt> read_prompts(const std::filesystem::path& file);

// What the records of a file are, by its first line. Throws Error(input) as above.
Kind kind_of_file(const std::filesystem::path& file);

struct Form;  // src/records/form.hpp

// What becomes of records that hold nothing to learn from: `keep` is for who only looks at them.
enum class Flawed { refuse, leave_out, keep };

// The same, one by one. Where flawed records are kept, a pair may have two labels too.
class RecordReader {
 public:
  RecordReader(const std::filesystem::path& file, Kind wanted, Flawed flawed = Flawed::refuse);
  bool next(Record& record);  // false at the end
  const LeftOut& left_out() const { return left_out_; }
  const text::JsonRecord& line() const { return lines_.record(); }  // of the last next()
  bool has_place_for(const std::string& key) const;  // whether the form, of the last next(), has this key

 private:
  void settle_form();
  std::string read(Record& record);  // what is wrong with it, empty: nothing
  void refuse_second_label(const Record& record);

  text::JsonLineReader lines_;
  Kind wanted_;
  Flawed flawed_;
  const Form* form_ = nullptr;
  std::size_t form_line_ = 0, records_ = 0;
  LeftOut left_out_;
  struct Labelled {
    double label = 0.5;  // P(that with the smaller hash is better)
    std::size_t line = 0;
  };
  // By 64-bit hashes of texts: that two of a million texts meet has a chance of less than one in ten million.
  std::unordered_map<std::uint64_t, std::uint64_t> prompt_ids_;
  std::unordered_map<std::uint64_t, Labelled> labels_;
};

}  // namespace rlaif::records
