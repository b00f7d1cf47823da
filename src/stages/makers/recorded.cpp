// Recorded pairs: those of files, with the labels that people gave them, labelled by any judge of the study besides.
#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "../planning.hpp"
#include "labelling.hpp"
#include "makers.hpp"
#include "rlaif/core/dialogue.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/ids.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/utf8.hpp"
#include "rlaif/records/records.hpp"
#include "rlaif/records/write.hpp"
#include "rlaif/study/judge_tree.hpp"

namespace rlaif::stages {
namespace {

constexpr std::int64_t most_pairs = std::int64_t{1} << 40;

// What a pair is called in the run: its number, where the file has numbers, so that draws made for it are those made for the
// pair of that number anywhere.
std::uint64_t pair_number(const std::string& id) {
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(id.data(), id.data() + id.size(), number);
  return code == std::errc() && end == id.data() + id.size() ? number : checksum(id);
}

// Files of pairs as comparisons.
class PairFiles final : public RecordedSource {
 public:
  std::filesystem::path file, heldout_file;
  double heldout_share = 0.1;
  std::int64_t most = 0;
  bool leaves_out = false;

  bool is_there() const override {
    return std::filesystem::exists(file) && (heldout_file.empty() || std::filesystem::exists(heldout_file));
  }
  std::int64_t count(Split split) const override {
    if (is_there()) return static_cast<std::int64_t>(read().pairs.at(split).size());
    const double share = heldout_file.empty() ? heldout_share : 0.0;
    const double of_split = split == Split::train ? 1.0 - share : share;
    return static_cast<std::int64_t>(static_cast<double>(most) * of_split);
  }
  const RecordedPairs& read() const override {
    if (!read_) read_ = read_files();
    return *read_;
  }
  const records::LeftOut& left_out() const { return left_out_; }

 private:
  using Records = std::vector<records::Record>;

  Records records_of(const std::filesystem::path& from) const {
    records::LeftOut left;
    Records all = records::read_records(from, records::Kind::pair, leaves_out ? &left : nullptr);
    if (left_out_.records == 0) left_out_.first = left.first;
    left_out_.records += left.records;
    expect_own_ids(from, all);
    if (most > 0 && from == file && all.size() > static_cast<std::size_t>(most))
      all.resize(static_cast<std::size_t>(most));
    return all;
  }

  // Labels of people find their pairs by these.
  static void expect_own_ids(const std::filesystem::path& from, const Records& all) {
    std::unordered_map<std::uint64_t, const records::Record*> known;
    for (const records::Record& one : all) {
      const auto [first, added] = known.emplace(pair_number(one.id), &one);
      if (added) continue;
      throw input_error(
          from, one.line,
          "id '" + one_line(one.id) + "' is that of line " + std::to_string(first->second->line) +
              " already (several people's labels of a pair go into its key 'annotators'); expected ids that "
              "are unique, or no key 'id'");
    }
  }

  RecordedPairs read_files() const {
    std::map<Split, Records> parts;
    parts[Split::train] = records_of(file);
    if (!heldout_file.empty()) {
      parts[Split::heldout] = records_of(heldout_file);
    } else {
      Records all = std::move(parts[Split::train]);
      for (const Split split : {Split::train, Split::heldout}) parts[split].clear();
      for (records::Record& one : all)
        parts[records::is_held_out(one.prompt, heldout_share) ? Split::heldout : Split::train].push_back(
            std::move(one));
    }
    refuse_leaks(parts);
    RecordedPairs read;
    for (const auto& [split, records] : parts) {
      if (records.empty()) throw input_error(file, empty_text(split));
      add_pairs(split, records, read);
    }
    return read;
  }

  std::string empty_text(Split split) const {
    if (split == Split::train) return "leaves no pair to learn from; heldout_share keeps all of them back";
    return "leaves no pair to hold out: none of its prompts falls into a share of " + std::to_string(heldout_share) +
           "; a larger heldout_share or a heldout_file was expected";
  }

  void refuse_leaks(const std::map<Split, Records>& parts) const {
    // A text may be the transcript of another prompt's turns.
    const auto key_of = [](const Prompt& prompt) {
      return std::pair<std::string_view, bool>(prompt.text, prompt.turns.empty());
    };
    std::map<std::pair<std::string_view, bool>, std::size_t> lines;
    for (const records::Record& one : parts.at(Split::train)) lines.emplace(key_of(one.prompt), one.line);
    const records::Record* first = nullptr;
    std::size_t leaks = 0;
    for (const records::Record& one : parts.at(Split::heldout)) {
      if (lines.contains(key_of(one.prompt)) && leaks++ == 0) first = &one;
    }
    if (first == nullptr) return;
    const std::string more = leaks > 1 ? ", and " + std::to_string(leaks - 1) + " more of its pairs do" : "";
    throw input_error(heldout_file, first->line,
                      "record '" + one_line(first->id) + "' asks the prompt of line " +
                          std::to_string(lines.at(key_of(first->prompt))) + " of " + file.string() + more +
                          ": held-out pairs whose prompts nothing learns from were expected");
  }

  // Where a form says which response is better by its place, the place is drawn: judges must not learn it from there.
  static bool says_by_place(const Records& records) {
    return std::all_of(records.begin(), records.end(), [](const records::Record& one) {
      return (one.label == 1.0 || one.label == 0.5) && one.votes.empty();
    });
  }

  static void add_pairs(Split split, const Records& records, RecordedPairs& read) {
    const auto code = static_cast<std::uint64_t>(split);
    const bool draws_places = says_by_place(records);
    std::map<std::uint64_t, std::uint64_t> items;  // of the reader's prompts
    std::vector<Comparison>& pairs = read.pairs[split];
    std::vector<Prompt>& prompts = read.prompts[split];
    for (const records::Record& one : records) {
      Comparison pair;
      pair.id = pair_number(one.id);
      pair.prompt = one.prompt;
      const auto [item, is_new] = items.emplace(one.prompt.id, prompts.size());
      pair.prompt.id = prompt_id(1, code, item->second);
      if (pair.prompt.family.empty()) pair.prompt.family = one.subset;
      if (is_new) prompts.push_back(pair.prompt);
      const bool turned = draws_places && (checksum(one.responses[0] + '\n' + one.responses[1]) & 1) == 1;
      pair.first.text = one.responses[turned ? 1 : 0];
      pair.second.text = one.responses[turned ? 0 : 1];
      pair.first.ended = pair.second.ended = true;
      pair.second.sample = 1;
      if (one.label) pair.label = turned ? 1.0 - *one.label : *one.label;
      for (std::size_t a = 0; a < one.votes.size(); ++a) {
        for (std::size_t b = a + 1; b < one.votes.size(); ++b) {
          read.vote_pairs += 1;
          read.votes_agree += one.votes[a] == one.votes[b];
        }
      }
      pairs.push_back(std::move(pair));
    }
  }

  mutable std::optional<RecordedPairs> read_;
  mutable records::LeftOut left_out_;
};

// A template takes orders of roles or refuses them, so one prompt of each order is tried before a judge is paid.
void expect_roles_fit(const Language& language, const RecordedPairs& read, const std::filesystem::path& file) {
  std::set<std::string> tried;
  for (const auto& [split, prompts] : read.prompts) {
    for (const Prompt& prompt : prompts) {
      std::string roles;
      for (const Message& turn : turns_of(prompt)) roles += turn.role + " ";
      if (!tried.insert(roles).second) continue;
      try {
        language.chat.prompt(prompt);
      } catch (const Error& error) {
        throw input_error(file, "a prompt with the turns " + roles + "(\"" + one_line(prompt.text) +
                                    "\") cannot be asked: " + error.what());
      }
    }
  }
}

class Recorded final : public Maker {
 public:
  DataKind makes() const override { return DataKind::preferences; }
  const RecordedSource* recorded() const override { return &files_; }
  void bind(OptionTable& table, DataOptions& data) override {
    const std::string section = data.section();
    table.add_input(section + ".file", &files_.file, "",
                    "pairs: JSON Lines of any form that `rlaif convert` knows, .gz and .zst too");
    table.add_input(section + ".heldout_file", &files_.heldout_file, "",
                    "pairs that nothing learns from; empty: those of heldout_share");
    table
        .add(section + ".heldout_share", &files_.heldout_share, "",
             "share of the prompts of `file` that are held out where there is no heldout_file")
        .above(0)
        .below(1);
    table.add(section + ".pairs", &files_.most, "pairs", "pairs of `file`, from its beginning; 0: all").at_least(0);
    table.add(section + ".leave_out_unusable", &files_.leaves_out, "",
              "leave out, and count, records with an empty response, two equal ones or turns behind a response; false: "
              "such a record is an error");
    table.add(section + ".block", &block_, "pairs", "size of a block of labelling").at_least(1).at_most(most_pairs);
  }
  void check(const Study&, const DataOptions& data) const override {
    if (files_.file.empty()) throw usage_error(data.section() + ".file: a file of pairs was expected");
  }
  void plan(StudyPlan& plan, const Study& study, const DataSet& data) const override {
    const std::string judges = data.judges.size() == 1
                                   ? "judge " + data.judges.front().name
                                   : count_text(static_cast<std::int64_t>(data.judges.size()), "judges");
    run::Stage stage{
        .name = data.stage("annotate"),
        .kind = "annotate",
        .of = data.name,
        .command = "annotate",
        .size = count_text(files_.count(Split::train), "pairs and ") +
                count_text(files_.count(Split::heldout), "held-out ones of ") + files_.file.string() + ", by " + judges,
        .sections = sections_with({data.section, "judge", "cost.prices"}),
        .needs = [this, data, how = data.maker](const run::Assumed&) { return needs(data); },
        .run = in_study(study, [this, data, how = data.maker](const Context& context) { return run(context, data); })};
    if (std::any_of(data.judges.begin(), data.judges.end(),
                    [&](const JudgeOptions& judge) { return needs_language(study.judges, judge); }))
      stage.reads.push_back(tokenizer_file);
    add_labelling(study, data, stage);
    plan.add(std::move(stage));
  }

 private:
  std::int64_t blocks(Split split) const { return (files_.count(split) + block_ - 1) / block_; }

  run::Needs needs(const DataSet& data) const {
    run::Needs needs;
    const auto pairs = static_cast<double>(files_.count(Split::train) + files_.count(Split::heldout));
    for (const JudgeOptions& judge : data.judges) needs.asked.push_back({judge.name, pairs});
    return needs;
  }

  std::vector<Comparison> block_of(Split split, std::int64_t block) const {
    const std::vector<Comparison>& all = files_.read().pairs.at(split);
    const auto begin = static_cast<std::size_t>(block * block_);
    const std::size_t end = std::min(all.size(), begin + static_cast<std::size_t>(block_));
    return {all.begin() + static_cast<std::ptrdiff_t>(begin), all.begin() + static_cast<std::ptrdiff_t>(end)};
  }

  Json run(const Context& context, const DataSet& data) const {
    const auto language = load_language(context);
    const RecordedPairs& read = files_.read();
    context.comm.agree([&] { expect_roles_fit(*language, read, files_.file); });
    if (const records::LeftOut& left = files_.left_out(); left.records > 0 && context.comm.is_root()) {
      log::warning(data.stage("annotate") + ": " + std::to_string(left.records) +
                   " records were left out; the first: " + left.first);
    }
    Labelling labelling(context, data, language.get());
    for (const Split split : {Split::train, Split::heldout})
      labelling.run(split, blocks(split), [&](std::int64_t block) { return block_of(split, block); });
    Json facts = source_facts(read);
    facts.update(labelling.facts(blocks(Split::train), blocks(Split::heldout)));
    return facts;
  }

  Json source_facts(const RecordedPairs& read) const {
    Json facts;
    for (const auto& [split, pairs] : read.pairs) {
      Json& of_split = facts["recorded"][split == Split::train ? "train" : "heldout"];
      std::int64_t labelled = 0, ties = 0;
      for (const Comparison& pair : pairs) {
        labelled += pair.label.has_value();
        ties += pair.label == 0.5;
      }
      of_split = {
          {"pairs", pairs.size()}, {"prompts", read.prompts.at(split).size()}, {"labelled", labelled}, {"ties", ties}};
    }
    if (files_.left_out().records > 0) facts["recorded"]["left_out"] = files_.left_out().records;
    if (read.vote_pairs > 0)
      facts["recorded"]["people_agree"] = static_cast<double>(read.votes_agree) / static_cast<double>(read.vote_pairs);
    return facts;
  }

  PairFiles files_;
  std::int64_t block_ = 200;
};

}  // namespace

std::unique_ptr<Maker> make_recorded() { return std::make_unique<Recorded>(); }

}  // namespace rlaif::stages
