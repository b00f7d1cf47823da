// The table of makers: a line each.
#include <algorithm>
#include "makers.hpp"

#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/core/utf8.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/study/judge_tree.hpp"

namespace rlaif::stages {

const std::vector<MakerEntry>& makers() {
  static const std::vector<MakerEntry> entries{
      {"best_of_n", "demonstrations: of n responses to a prompt the one that a reward likes best", make_best_of_n},
      {"file", "demonstrations of a file", make_file},
      {"mixture", "demonstrations by the world's mixture of behaviours", make_mixture},
      {"pairs", "labelled pairs of a policy's responses", make_pairs},
      {"recorded", "pairs of files, with the labels that people gave them", make_recorded},
      {"revision_pairs", "pairs of a last revision and the answer that it came from, labelled by construction",
       make_revision_pairs},
      {"revision_steps", "demonstrations: other steps of the chains of another data set", make_revision_steps},
      {"revisions", "demonstrations: a policy's answers, criticised and revised by a writer under a constitution",
       make_revisions},
      {"west_of_n", "a judge's labelled pairs, with pairs of the best and worst of n responses by a reward",
       make_west_of_n},
  };
  return entries;
}

const MakerEntry& maker_named(const std::string& key, const std::string& name) {
  return entry_named(makers(), "maker", key, name);
}

void bind_data(OptionTable& table, DataOptions& data) {
  const std::string section = data.section();
  data.how = maker_named(section + ".maker", data.maker).make();
  data.makes = data.how->makes();
  table.add_choice<std::string>(section + ".maker", &data.maker, names_of(makers()), "how the data is made");
  data.how->bind(table, data);
  table.keys_are_of(section, "maker = " + data.maker);
}

namespace {

// Whether judges of recorded pairs can say anything of them: labels are there where they are to be given, and simulated people
// know the prompts.
void expect_labellers(const Study& study, const DataSet& data, const RecordedSource& source) {
  const std::vector<Comparison>& pairs = source.read().pairs.at(Split::train);
  const bool has_labels =
      std::any_of(pairs.begin(), pairs.end(), [](const Comparison& pair) { return pair.label.has_value(); });
  const auto unknown = std::find_if(pairs.begin(), pairs.end(), [&](const Comparison& pair) {
    return !study.loaded_task().grade(pair.prompt, {}).has_value();
  });
  for (const JudgeOptions& asked : data.judges) {
    for (const JudgeOptions* judge : leaves_of(study.judges, asked)) {
      const std::string key = "judge." + judge->name + ".kind = ";
      if (judge->kind == JudgeKind::given && !has_labels) {
        throw usage_error(key + "given: no pair of [" + data.section +
                          "] has a label; the key 'label' or 'annotators' was expected in its file, or another judge");
      }
      if (judge->kind == JudgeKind::annotators && unknown != pairs.end()) {
        throw usage_error(key + "annotators: simulated people know the world's prompts alone, and \"" +
                          one_line(unknown->prompt.text) + "\" is none; kind = given was expected, or another judge");
      }
    }
  }
}

}  // namespace

void load_study(Study& study) {
  std::map<Split, std::vector<Prompt>> prompts;
  for (const DataSet& data : data_sets(study)) {
    const RecordedSource* source = maker_of(data).recorded();
    if (!source) continue;
    const RecordedPairs& read = source->read();
    if (data.name.empty()) prompts = read.prompts;
  }
  study.load(std::move(prompts));
  for (const DataSet& data : data_sets(study)) {
    if (const RecordedSource* source = maker_of(data).recorded()) expect_labellers(study, data, *source);
  }
}

std::vector<Comparison> recorded_pairs(const Study& study) {
  const DataSet pairs = first_pairs(study);
  const RecordedSource* source = maker_of(pairs).recorded();
  std::vector<Comparison> all;
  if (!source || !source->is_there()) return all;
  for (const auto& [split, of_split] : source->read().pairs) all.insert(all.end(), of_split.begin(), of_split.end());
  return all;
}

void check_recorded(const Study& study) {
  for (const DataSet& data : data_sets(study)) {
    const bool is_recorded = maker_of(data).recorded() != nullptr;
    if (data.name.empty() && !study.pairs.empty() && !is_recorded)
      throw usage_error("study.pairs = " + study.pairs + ": a data set with maker = recorded was expected");
    if (maker_of(data).gives_labels() || data.kind != DataKind::preferences) continue;
    for (const JudgeOptions& asked : data.judges) {
      for (const JudgeOptions* judge : leaves_of(study.judges, asked)) {
        if (judge->kind != JudgeKind::given) continue;
        throw usage_error("judge." + judge->name + ".kind = given: the pairs of [" + data.section +
                          "] come without labels; recorded ones (study.pairs) were expected");
      }
    }
  }
}

const Maker& maker_of(const DataSet& data) {
  if (data.maker) return *data.maker;
  static const std::unique_ptr<Maker> pairs = make_pairs();
  return *pairs;
}

}  // namespace rlaif::stages
