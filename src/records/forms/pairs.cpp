// Pairs to be judged, or that people have judged: {"prompt", "response_a", "response_b", "label": "a" | "b" | "tie"}.
#include <numeric>

#include "../form.hpp"
#include "rlaif/core/error.hpp"

namespace rlaif::records {
namespace {

double side_in(const JsonReader& reader) {
  const std::string side = reader.one_of({"a", "b", "tie"});
  return side == "a" ? 1.0 : side == "b" ? 0.0 : 0.5;
}

const char* side_name(double label) { return label == 0.5 ? "tie" : label > 0.5 ? "a" : "b"; }

std::vector<double> votes_in(const text::JsonRecord& line) {
  std::vector<double> votes;
  if (const auto list = line.reader().given("annotators"))
    for (const JsonReader& one : list->items()) votes.push_back(side_in(one));
  return votes;
}

std::string read_pair(const text::JsonRecord& line, Kind, Record& record) {
  if (line.has("messages")) {
    set_prompt(line, "messages", text::turns_in(line, "messages", line.object["messages"]), record);
  } else {
    line.read_prompt("prompt", record.prompt);
  }
  record.responses = {line.string("response_a"), line.string("response_b")};
  const JsonReader reader = line.reader();
  record.subset = reader.string_or("subset", "");
  record.model_a = reader.string_or("model_a", "");
  record.model_b = reader.string_or("model_b", "");
  if (const auto label = reader.given("label")) record.stated = side_in(*label);
  record.votes = votes_in(line);
  if (record.stated && record.votes.size() == 1 && record.votes[0] != *record.stated) {
    throw input_error(line.file, line.line,
                      "key 'label' is \"" + std::string(side_name(*record.stated)) +
                          "\", and the one label of key 'annotators' is \"" + side_name(record.votes[0]) +
                          "\"; one label was expected, or those of several people");
  }
  record.label = record.stated;
  if (!record.label && record.votes.empty()) {
    for (const char* key : {"winner", "preference", "preferred", "chosen", "winner_model_a"}) {
      if (!line.object.contains(key)) continue;
      throw input_error(line.file, line.line,
                        "key '" + std::string(key) +
                            "' says who is better, and there is no 'label': expected \"label\": "
                            "\"a\", \"b\" or \"tie\"");
    }
  }
  if (record.votes.size() > 1 || (!record.stated && !record.votes.empty())) {
    record.label =
        std::accumulate(record.votes.begin(), record.votes.end(), 0.0) / static_cast<double>(record.votes.size());
  }
  const auto irregular = line.object.find("irregular");
  return irregular != line.object.end() && *irregular == true ? std::string("key 'irregular': ") + further_turns : "";
}

Json write_pair(const Record& record) {
  Json line;
  line["id"] = record.id;
  if (!record.subset.empty()) line["subset"] = record.subset;
  line["prompt"] = record.prompt.text;
  line["response_a"] = record.responses[0];
  line["response_b"] = record.responses[1];
  const std::optional<double> label = record.stated ? record.stated : record.label;
  if (label) line["label"] = side_name(*label);
  if (!record.votes.empty()) {
    line["annotators"] = Json::array();
    for (const double vote : record.votes) line["annotators"].push_back(side_name(vote));
  }
  if (!record.prompt.turns.empty()) line["messages"] = text::turns_json(record.prompt.turns);
  if (!record.model_a.empty()) line["model_a"] = record.model_a;
  if (!record.model_b.empty()) line["model_b"] = record.model_b;
  return line;
}

}  // namespace

Form pairs_form() {
  return {.name = "pairs",
          .kind = Kind::pair,
          .keys = {"prompt", "response_a", "response_b"},
          .other = {"id", "subset", "model_a", "model_b", "label", "annotators", "messages"},
          .fits = [](const Json& object) { return object.contains("response_a") || object.contains("response_b"); },
          .read = read_pair,
          .write_texts = write_pair};
}

}  // namespace rlaif::records
