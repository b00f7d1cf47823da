// Prompts, demonstrations and preferences in the forms that others keep them in: JSON Lines told apart by their keys, as they
// are or compressed (.gz, .zst).
//   for (records::Record& one : records::read_records("pairs.jsonl.gz", records::Kind::pair)) ... one.prompt, one.responses
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/core/types.hpp"

namespace rlaif::records {

// What a record is, whatever its form.
enum class Kind {
  prompt,         // no response
  demonstration,  // one response
  rated,          // one response and whether it is good
  pair            // two responses and, where somebody has said it, which is better
};

struct Record {
  std::size_t line = 0;  // of the file, from 1
  std::string id;        // of the file, else its place among the records from 0, as digits
  Prompt prompt;         // prompt.id: records of one conversation share it
  std::vector<std::string> responses;
  // Of a pair P(the first is better): 1, 0, 0.5 for a tie, between them the share of votes; of a rated response 1 or 0.
  std::optional<double> label;
  std::vector<double> votes;             // single people's labels of a pair, the same way
  std::string subset, model_a, model_b;  // empty where the file has none
};

// Records that hold nothing to learn from and were asked to be left out: how many, and what was wrong with the first of them.
struct LeftOut {
  std::size_t records = 0;
  std::string first;  // "pairs.jsonl:12: ..."
};

// All records of a file as `wanted`. A pair is read as its prompt or, its better response, as a demonstration; nothing else is
// read as what it is not. Throws Error(input) naming file, line and key: lines of two forms, a form that is not known or holds
// no such thing, turns that are no prompt (core/dialogue.hpp); and, unless `left_out` is there to count them, a response that
// is empty, two that are equal, turns behind a response. Naming the file: no record.
std::vector<Record> read_records(const std::filesystem::path& file, Kind wanted, LeftOut* left_out = nullptr);

}  // namespace rlaif::records
