#include "rlaif/judge/constitution/constitution.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "../annotator_keys.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_reader.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::judge {
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// Text of a key that may be absent.
std::string text_or_none(const JsonReader& reader, const char* key) {
  const auto found = reader.find(key);
  return found ? found->text() : "";
}

PrincipleCase read_case(const JsonReader& reader) {
  reader.allow_only({"prompt", "first", "second", "verdict", "why"});
  return {reader.at("prompt").text(), reader.at("first").text(), reader.at("second").text(),
          reader.at("verdict").one_of({"first", "second"}) == "first", text_or_none(reader, "why")};
}

Principle read_principle(const JsonReader& reader) {
  reader.allow_only({"id", "text", "weight", "level", "cases", "critique_request", "revision_request"});
  Principle principle;
  principle.id = reader.at("id").text();
  principle.text = reader.at("text").text();
  if (const auto weight = reader.find("weight")) principle.weight = weight->number_above(0.0);
  if (const auto level = reader.find("level"))
    principle.level = static_cast<int>(level->count(1, Constitution::levels));
  principle.critique_request = text_or_none(reader, "critique_request");
  principle.revision_request = text_or_none(reader, "revision_request");
  if (const auto cases = reader.find("cases"))
    for (const JsonReader& one : cases->items()) principle.cases.push_back(read_case(one));
  return principle;
}

std::vector<Principle> read_object(const std::filesystem::path& file, const std::string& bytes) {
  const Json json = parse_json(file, bytes);
  const JsonReader root(file, json);
  root.allow_only({"name", "principles"});
  text_or_none(root, "name");
  std::vector<Principle> principles;
  for (const JsonReader& one : root.at("principles").items(1)) principles.push_back(read_principle(one));
  return principles;
}

std::vector<Principle> read_json_records(const std::filesystem::path& file) {
  std::vector<Principle> principles;
  text::for_each_json_line(
      file, [&](const text::JsonRecord& record) { principles.push_back(read_principle(record.reader())); });
  return principles;
}

// A comment begins the line or follows white space, and white space or the end follows its '#', as in decks: a principle may be
// about C#, and ## headings.
std::string without_comment(const std::string& line) {
  if (line.starts_with('#')) return "";
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  for (std::size_t at = line.find('#'); at != std::string::npos; at = line.find('#', at + 1)) {
    if (is_blank(line[at - 1]) && (at + 1 == line.size() || is_blank(line[at + 1]))) return trimmed(line.substr(0, at));
  }
  return line;
}

std::vector<Principle> read_plain(const std::string& bytes) {
  std::istringstream lines(bytes);
  std::vector<Principle> principles;
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::string text = without_comment(trimmed(line));
    if (text.empty()) continue;
    Principle& principle = principles.emplace_back();
    principle.id = "line " + std::to_string(number);
    principle.text = std::move(text);
  }
  return principles;
}

std::vector<Principle> read(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  const std::size_t begin = bytes.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  if (file.extension() == ".jsonl") return read_json_records(file);
  return file.extension() == ".json" || bytes[begin] == '{' ? read_object(file, bytes) : read_plain(bytes);
}

void refuse_equal_ids(const std::filesystem::path& file, const std::vector<Principle>& principles) {
  for (std::size_t i = 0; i < principles.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (principles[i].id != principles[j].id) continue;
      throw input_error(file, "principle " + std::to_string(i + 1) + ": 'id' holds \"" + principles[i].id +
                                  "\", which is that of principle " + std::to_string(j + 1) +
                                  "; expected ids that are unique");
    }
  }
}

// Levels are steps: what is of level 3 comes after what is of level 2.
void refuse_gap(const std::filesystem::path& file, const std::vector<Principle>& principles) {
  std::array<bool, Constitution::levels + 2> is_used{};
  for (const Principle& principle : principles) is_used[static_cast<std::size_t>(principle.level)] = true;
  for (std::size_t level = 2; level + 1 < is_used.size(); ++level) {
    if (is_used[level] || !is_used[level - 1] || !is_used[level + 1]) continue;
    throw input_error(file, "has principles of level " + std::to_string(level - 1) + " and " +
                                std::to_string(level + 1) + ", and none of level " + std::to_string(level) +
                                "; expected levels without a gap");
  }
}

}  // namespace

Constitution::Constitution(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    Principle& principle = principles_.emplace_back();
    principle.id = "principle " + std::to_string(principles_.size());
    principle.text = text;
  }
}

std::vector<const Principle*> Constitution::chosen(std::uint64_t comparison, PrincipleUse use,
                                                   std::uint64_t seed) const {
  std::vector<const Principle*> all;
  for (const Principle& principle : principles_) all.push_back(&principle);
  if (use != PrincipleUse::sample || all.size() < 2) return all;
  Rng rng(seed, Stream::annotator, {principle_key, comparison});
  std::vector<double> weights;
  for (const Principle& principle : principles_) weights.push_back(principle.weight);
  const bool equal = std::equal(weights.begin() + 1, weights.end(), weights.begin());
  return {all[equal ? rng.below(all.size()) : rng.weighted(weights)]};
}

Constitution load_constitution(const std::filesystem::path& file, int level) {
  Constitution constitution;
  constitution.principles_ = read(file);
  if (constitution.empty()) throw input_error(file, "holds no principle; expected at least one");
  refuse_equal_ids(file, constitution.principles_);
  refuse_gap(file, constitution.principles_);
  if (level == 0) return constitution;
  std::erase_if(constitution.principles_, [&](const Principle& principle) { return principle.level != level; });
  if (constitution.empty())
    throw input_error(file, "holds no principle of level " + std::to_string(level) + "; expected at least one");
  return constitution;
}

void require_requests(const std::filesystem::path& file, const Constitution& constitution, Requests needed) {
  for (const Principle& principle : constitution.principles()) {
    const bool lacks_critique = needed == Requests::critique_and_revision && principle.critique_request.empty();
    if (!lacks_critique && !principle.revision_request.empty()) continue;
    const std::string key = principle.revision_request.empty() ? "revision_request" : "critique_request";
    throw input_error(file, "principle '" + principle.id + "' has no '" + key +
                                "'; expected the text that asks a writer for it, as in constitution.json");
  }
}

std::string principles_text(const std::vector<const Principle*>& principles) {
  if (principles.size() == 1) return principles.front()->text;
  std::string text;
  for (std::size_t i = 0; i < principles.size(); ++i) {
    if (i > 0) text += '\n';
    text += std::to_string(i + 1);
    text += ". ";
    text += principles[i]->text;
  }
  return text;
}

std::string cases_text(const std::vector<const Principle*>& principles, const std::string& label_first,
                       const std::string& label_second) {
  std::string text;
  for (const Principle* principle : principles) {
    for (const PrincipleCase& one : principle->cases) {
      if (!text.empty()) text += "\n\n";
      text += "Request: " + one.prompt;
      for (const auto& [label, response] :
           {std::pair(&label_first, &one.first), std::pair(&label_second, &one.second)}) {
        text += "\nResponse ";
        text += *label + ": " + *response;
      }
      text += "\nBetter: ";
      text += one.first_is_better ? label_first : label_second;
      if (!one.why.empty()) text += ". " + one.why;
    }
  }
  return text.empty() ? "(none)" : text;
}

}  // namespace rlaif::judge
