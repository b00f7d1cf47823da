#include "rlaif/evaluate/labelled_pairs.hpp"

#include <functional>
#include <unordered_map>

#include "rlaif/core/error.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::evaluate {
namespace {

double label_of(const text::JsonRecord& record, const char* key, const Json& value) {
  if (value == "a") return 1.0;
  if (value == "b") return 0.0;
  if (value == "tie") return 0.5;
  std::string message = "key '";
  message += key;
  throw input_error(
      record.file, record.line,
      message + "': \"a\", \"b\" or \"tie\" was expected, found " + text::to_json_line(value).substr(0, 60));
}

std::vector<double> annotators_of(const text::JsonRecord& record) {
  std::vector<double> labels;
  if (!record.has("annotators")) return labels;
  const Json& list = record.object["annotators"];
  if (!list.is_array()) throw input_error(record.file, record.line, "key 'annotators': a list of labels was expected");
  for (const Json& one : list) labels.push_back(label_of(record, "annotators", one));
  return labels;
}

// A pair a line: its place, prompt, responses and id; `read_rest` fills in what else there is.
std::vector<LabelledPair> read_pairs(const std::filesystem::path& file, const char* first, const char* second,
                                     const std::function<void(const text::JsonRecord&, LabelledPair&)>& read_rest) {
  std::vector<LabelledPair> pairs;
  std::unordered_map<std::string, std::uint64_t> prompt_ids;
  std::unordered_map<std::string, std::size_t> lines;
  text::for_each_json_line(file, [&](const text::JsonRecord& record) {
    LabelledPair pair;
    Comparison& comparison = pair.comparison;
    comparison.id = pairs.size();
    comparison.prompt.text = record.string("prompt");
    comparison.prompt.id = prompt_ids.emplace(comparison.prompt.text, pairs.size()).first->second;
    comparison.first.text = record.string(first);
    comparison.second.text = record.string(second);
    comparison.first.ended = comparison.second.ended = true;
    pair.id = record.string_or("id", std::to_string(pairs.size()));
    const auto [known, added] = lines.emplace(pair.id, record.line);
    if (!added) {
      throw input_error(file, record.line,
                        "id '" + pair.id + "' is that of line " + std::to_string(known->second) + " already");
    }
    read_rest(record, pair);
    pairs.push_back(std::move(pair));
  });
  if (pairs.empty()) throw input_error(file, "holds no pair; at least one line was expected");
  return pairs;
}

}  // namespace

std::vector<LabelledPair> read_labelled_pairs(const std::filesystem::path& file) {
  return read_pairs(file, "response_a", "response_b", [&](const text::JsonRecord& record, LabelledPair& pair) {
    pair.subset = record.string_or("subset", "");
    pair.model_a = record.string_or("model_a", "");
    pair.model_b = record.string_or("model_b", "");
    if (!record.has("label"))
      throw input_error(file, record.line, "key 'label' is missing; \"a\", \"b\" or \"tie\" was expected");
    pair.label = label_of(record, "label", record.object["label"]);
    pair.annotators = annotators_of(record);
  });
}

std::vector<LabelledPair> read_probes(const std::filesystem::path& file) {
  return read_pairs(file, "good", "bad", [](const text::JsonRecord& record, LabelledPair& pair) {
    pair.id = record.string("id");
    pair.subset = record.string("kind");
    pair.label = 1.0;
  });
}

}  // namespace rlaif::evaluate
