// What makes a text that a writer wrote whole no text to learn from: it says its request again, speaks for others, or begins or
// ends as assistants are known to, whatever they are asked.
//   const StockPhrases stock = StockPhrases::load("stock_phrases.jsonl");
//   find_fault("Here is the revised response: ...", turns, stock);   // Fault::stock_opening
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rlaif/core/types.hpp"

namespace rlaif::write {

// Phrases as words (text/words.hpp), and names of who speaks in transcripts.
struct StockPhrases {
  std::vector<std::vector<std::string>> openings, closings;
  std::vector<std::string> speakers;

  // JSON Lines with one key each: {"opening": text}, {"closing": text} or {"speaker": text}. Throws Error(input) naming file and
  // line.
  static StockPhrases load(const std::filesystem::path& file);
};

enum class Fault {
  repeats_request,    // holds the last turn of its request, or is another turn of it
  speaks_for_others,  // a line begins with a speaker and a colon
  stock_opening,      // the first sentence begins with an opening
  stock_closing,      // the last sentence, of two or more, begins with a closing
};
const char* to_string(Fault fault);

// The first of the faults, in their order. `request`: the turns that asked for the text. `draft`: a turn that the text may be.
std::optional<Fault> find_fault(const std::string& text, std::span<const Message> request, const std::string& draft,
                                const StockPhrases& stock);

}  // namespace rlaif::write
