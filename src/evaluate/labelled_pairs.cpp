#include "rlaif/evaluate/labelled_pairs.hpp"

#include <unordered_map>
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/records/records.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::evaluate {
namespace {

// Ids name pairs in reports and recorded verdicts.
class UniqueIds {
 public:
  void add(const std::string& id, const text::JsonRecord& line) {
    const auto [known, added] = lines_.emplace(id, line.line);
    if (added) return;
    throw input_error(line.file, line.line,
                      "id '" + id + "' is that of line " + std::to_string(known->second) + " already");
  }

 private:
  std::unordered_map<std::string, std::size_t> lines_;
};

Error no_pair(const std::filesystem::path& file) {
  return input_error(file, "holds no pair; at least one line was expected");
}

Comparison comparison_of(std::uint64_t id, Prompt prompt, std::string first, std::string second) {
  Comparison comparison;
  comparison.id = id;
  comparison.prompt = std::move(prompt);
  comparison.first.text = std::move(first);
  comparison.second.text = std::move(second);
  comparison.first.ended = comparison.second.ended = true;
  return comparison;
}

}  // namespace

std::vector<LabelledPair> read_labelled_pairs(const std::filesystem::path& file) {
  std::vector<LabelledPair> pairs;
  UniqueIds ids;
  records::RecordReader reader(file, records::Kind::pair, records::Flawed::keep);
  for (records::Record record; reader.next(record);) {
    ids.add(record.id, reader.line());
    if (!record.stated) {
      throw input_error(file, record.line, "key 'label' is missing; \"a\", \"b\" or \"tie\" was expected");
    }
    LabelledPair pair;
    pair.comparison = comparison_of(
        pairs.size(), {record.prompt.id, std::move(record.prompt.text), "", std::move(record.prompt.turns)},
        std::move(record.responses[0]), std::move(record.responses[1]));
    pair.id = std::move(record.id);
    pair.subset = std::move(record.subset);
    pair.model_a = std::move(record.model_a);
    pair.model_b = std::move(record.model_b);
    pair.label = *record.stated;
    pair.annotators = std::move(record.votes);
    pairs.push_back(std::move(pair));
  }
  if (pairs.empty()) throw no_pair(file);
  return pairs;
}

std::vector<LabelledPair> read_probes(const std::filesystem::path& file) {
  std::vector<LabelledPair> pairs;
  UniqueIds ids;
  std::unordered_map<std::string, std::uint64_t> prompt_ids;
  text::for_each_json_line(file, [&](const text::JsonRecord& line) {
    LabelledPair pair;
    const std::string& prompt = line.string("prompt");
    const std::uint64_t prompt_id = prompt_ids.emplace(prompt, pairs.size()).first->second;
    pair.comparison = comparison_of(pairs.size(), {prompt_id, prompt, ""}, line.string("good"), line.string("bad"));
    pair.id = line.string("id");
    ids.add(pair.id, line);
    pair.subset = line.string("kind");
    pair.label = 1.0;
    pairs.push_back(std::move(pair));
  });
  if (pairs.empty()) throw no_pair(file);
  return pairs;
}

}  // namespace rlaif::evaluate
