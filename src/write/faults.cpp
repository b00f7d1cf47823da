#include "rlaif/write/faults.hpp"

#include <algorithm>
#include <sstream>

#include "rlaif/core/error.hpp"
#include "rlaif/text/blanks.hpp"
#include "rlaif/text/jsonl.hpp"
#include "rlaif/text/words.hpp"

namespace rlaif::write {
namespace {

using Words = std::vector<std::string>;

bool begins_with(const Words& words, const std::vector<Words>& phrases) {
  return std::any_of(phrases.begin(), phrases.end(), [&](const Words& phrase) {
    return phrase.size() <= words.size() && std::equal(phrase.begin(), phrase.end(), words.begin());
  });
}

bool contains(const Words& words, const Words& part) {
  return !part.empty() && std::search(words.begin(), words.end(), part.begin(), part.end()) != words.end();
}

// A draft that needs no change is said again with good reason.
bool repeats(const Words& words, std::span<const Message> request, const std::string& draft) {
  if (request.empty()) return false;
  if (contains(words, text::words(request.back().content))) return true;
  const Words own = text::words(draft);
  return words != own && std::any_of(request.begin(), request.end(),
                                     [&](const Message& turn) { return words == text::words(turn.content); });
}

bool speaks_for_others(const std::string& said, const std::vector<std::string>& speakers) {
  std::istringstream lines(said);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const Words words = text::words(line.substr(0, colon));
    const auto is_this = [&](const std::string& speaker) { return words == text::words(speaker); };
    if (std::any_of(speakers.begin(), speakers.end(), is_this)) return true;
  }
  return false;
}

}  // namespace

StockPhrases StockPhrases::load(const std::filesystem::path& file) {
  StockPhrases stock;
  text::for_each_json_line(file, [&](const text::JsonRecord& record) {
    const std::string key = record.object.size() == 1 ? record.object.begin().key() : "";
    if (key != "opening" && key != "closing" && key != "speaker") {
      throw input_error(file, record.line,
                        "expected one key, 'opening', 'closing' or 'speaker', found " + record.object.dump());
    }
    const std::string& phrase = record.string(key.c_str());
    const Words words = text::words(phrase);
    if (words.empty()) throw input_error(file, record.line, "'" + key + "' holds no word; expected at least one");
    if (key == "speaker")
      stock.speakers.push_back(phrase);
    else
      (key == "opening" ? stock.openings : stock.closings).push_back(words);
  });
  return stock;
}

const char* to_string(Fault fault) {
  switch (fault) {
    case Fault::repeats_request: return "repeats_request";
    case Fault::speaks_for_others: return "speaks_for_others";
    case Fault::stock_opening: return "stock_opening";
    case Fault::stock_closing: return "stock_closing";
  }
  return "";
}

std::optional<Fault> find_fault(const std::string& said, std::span<const Message> request, const std::string& draft,
                                const StockPhrases& stock) {
  if (repeats(text::words(said), request, draft)) return Fault::repeats_request;
  if (speaks_for_others(said, stock.speakers)) return Fault::speaks_for_others;
  const std::vector<std::string> sentences = text::sentences(said);
  if (sentences.empty()) return std::nullopt;
  if (begins_with(text::words(sentences.front()), stock.openings)) return Fault::stock_opening;
  if (sentences.size() > 1 && begins_with(text::words(sentences.back()), stock.closings)) return Fault::stock_closing;
  return std::nullopt;
}

}  // namespace rlaif::write
