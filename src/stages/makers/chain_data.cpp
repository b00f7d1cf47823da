// Data sets made from the chains that a data set of revisions keeps: other steps as demonstrations, the last revision against the
// answer as pairs. The chains are made once, whoever learns from them.
#include "../planning.hpp"
#include "chains.hpp"
#include "labelling.hpp"
#include "makers.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/stages/maker.hpp"
#include "rlaif/study/judge_tree.hpp"

namespace rlaif::stages {
namespace {

void bind_of(OptionTable& table, DataOptions& data) {
  table.add(data.section() + ".of", &data.of, "", "the data set with maker = revisions whose chains these are");
}

// Throws Error(usage) naming the key where it is none of revisions.
DataSet source_of(const Study& study, const std::string& section, const std::string& of) {
  DataSet source = data_named(study, section + ".of", of);
  if (!source.maker->chains())
    throw usage_error(section + ".of = " + of + ": a data set with maker = revisions was expected");
  return source;
}

std::string of_data(const Study& study, const DataSet& data) {
  for (const DataOptions& one : study.data)
    if (one.name == data.name) return one.of;
  return "";
}

class RevisionSteps final : public Maker {
 public:
  DataKind makes() const override { return DataKind::demonstrations; }
  void bind(OptionTable& table, DataOptions& data) override {
    bind_of(table, data);
    table.add(data.section() + ".steps", &steps_, "",
              "which responses are demonstrations: all, last (the last revision), a step such as 1, or steps such as "
              "1..2; 0: the answer, as a control");
  }
  void check(const Study& study, const DataOptions& data) const override {
    StepRange::read(data.section() + ".steps", steps_,
                    source_of(study, data.section(), data.of).maker->chains()->turns);
  }
  void plan(StudyPlan& plan, const Study& study, const DataSet& data) const override {
    const DataSet source = source_of(study, data.section, of_data(study, data));
    source.maker->plan(plan, study, source);
    run::Stage stage = demonstrations_stage(
        study, data, "steps " + steps_ + " of the chains of " + source.name, {},
        [this, data, source, how = data.maker](const Context& context) { return run(context, data, source); });
    stage.reads = {data_path(source)};
    plan.add(std::move(stage));
  }

 private:
  Json run(const Context& context, const DataSet& data, const DataSet& source) const {
    const ChainSource& chains = *source.maker->chains();
    const StepRange range = StepRange::read(data.section + ".steps", steps_, chains.turns);
    Json facts;
    context.comm.on_root([&] {
      ChainCounts left_out;
      std::vector<Json> blocks;
      for (std::int64_t block = 0; block < chains.blocks(Split::train); ++block) {
        Json& lines = blocks.emplace_back(Json::array());
        const auto file = context.directory.root() / data_path(source) / chain_file(Split::train, block);
        for (const Chain& chain : read_chains(file)) {
          for (const Demonstration& one : demonstrations_of(chain, range, left_out))
            lines.push_back(demonstration_line(one));
        }
      }
      facts = write_demonstration_blocks(context, data, blocks);
      facts["left_out"] = left_out;
    });
    return facts;
  }

  std::string steps_ = "last";
};

class RevisionPairs final : public Maker {
 public:
  DataKind makes() const override { return DataKind::preferences; }
  bool gives_labels() const override { return true; }
  void bind(OptionTable& table, DataOptions& data) override { bind_of(table, data); }
  void check(const Study& study, const DataOptions& data) const override {
    const DataSet source = source_of(study, data.section(), data.of);
    if (source.maker->chains()->heldout_prompts > 0) return;
    throw usage_error(source.section + ".heldout_prompts: at least 1 was expected, as [" + data.section() +
                      "] makes pairs to learn from and pairs to hold out of its chains");
  }
  void plan(StudyPlan& plan, const Study& study, const DataSet& data) const override {
    const DataSet source = source_of(study, data.section, of_data(study, data));
    source.maker->plan(plan, study, source);
    const ChainSource& chains = *source.maker->chains();
    run::Stage stage{
        .name = data.stage("annotate"),
        .kind = "annotate",
        .of = data.name,
        .command = "annotate",
        .size = "up to " + count_text(chains.prompts, "pairs and ") +
                count_text(chains.heldout_prompts, "held-out ones of the chains of ") + source.name + ", by judge " +
                data.judges.front().name,
        .sections = sections_with({data.section, "judge", "cost.prices"}),
        .reads = {data_path(source)},
        .needs = [data, &chains](const run::Assumed&) { return needs(data, chains); },
        .run = in_study(study, [data, source](const Context& context) { return run(context, data, source); })};
    if (needs_language(study.judges, data.judges.front())) stage.reads.push_back(tokenizer_file);
    add_labelling(study, data, stage);
    plan.add(std::move(stage));
  }

 private:
  static run::Needs needs(const DataSet& data, const ChainSource& chains) {
    run::Needs needs;
    for (const JudgeOptions& judge : data.judges)
      needs.asked.push_back({judge.name, static_cast<double>(chains.prompts + chains.heldout_prompts)});
    return needs;
  }

  static Json run(const Context& context, const DataSet& data, const DataSet& source) {
    const auto language = load_language(context);
    const ChainSource& chains = *source.maker->chains();
    std::map<Split, std::vector<std::vector<Comparison>>> pairs;
    ChainCounts left_out;
    context.comm.agree([&] {
      for (const Split split : {Split::train, Split::heldout}) {
        std::size_t count = 0;
        for (std::int64_t block = 0; block < chains.blocks(split); ++block) {
          std::vector<Comparison>& of_block = pairs[split].emplace_back();
          const auto file = context.directory.root() / data_path(source) / chain_file(split, block);
          for (const Chain& chain : read_chains(file)) {
            if (auto pair = pair_of(chain, left_out)) of_block.push_back(std::move(*pair));
          }
          count += of_block.size();
        }
        if (count > 0) continue;
        throw input_error(data.stage("annotate") + ": no " + (split == Split::train ? "" : "held-out ") +
                          "answer of data " + source.name + " was changed by its revisions; at least one was expected");
      }
    });
    Labelling labelling(context, data, language.get());
    for (const auto& [split, blocks] : pairs) {
      labelling.run(split, std::ssize(blocks),
                    [&blocks](std::int64_t block) { return blocks[static_cast<std::size_t>(block)]; });
    }
    Json facts;
    facts["left_out"] = left_out;
    facts["by_construction"] = agreement_with(context, data, pairs.at(Split::train));
    facts.update(labelling.facts(chains.blocks(Split::train), chains.blocks(Split::heldout)));
    return facts;
  }

  // How often the judge that labelled the pairs prefers the revision: all of them where the labels are those by construction.
  static Json agreement_with(const Context& context, const DataSet& data,
                             const std::vector<std::vector<Comparison>>& blocks) {
    std::map<std::uint64_t, double> labels;
    for (const auto& of_block : blocks)
      for (const Comparison& pair : of_block) labels[pair.id] = *pair.label;
    std::int64_t agree = 0, ties = 0, judged = 0;
    context.comm.on_root([&] {
      for (const Preference& record : preferences::read_store(context.directory.preferences(data.name))) {
        if (record.verdict.status != VerdictStatus::ok) continue;
        ++judged;
        ties += record.verdict.p_first == 0.5;
        agree +=
            record.verdict.p_first != 0.5 && (record.verdict.p_first > 0.5) == (labels.at(record.comparison.id) > 0.5);
      }
    });
    return {{"pairs", labels.size()}, {"judged", judged}, {"ties", ties}, {"agree", agree}};
  }
};

}  // namespace

std::unique_ptr<Maker> make_revision_pairs() { return std::make_unique<RevisionPairs>(); }
std::unique_ptr<Maker> make_revision_steps() { return std::make_unique<RevisionSteps>(); }

}  // namespace rlaif::stages
