#include "labelling.hpp"

#include "../planning.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/stages/judge_facts.hpp"
#include "rlaif/study/canaries.hpp"
#include "rlaif/study/judge_tree.hpp"

namespace rlaif::stages {

std::string store_of(const DataSet& data, const std::string& judge, Split split) {
  return split == Split::train ? data.store(judge) : heldout_store(data.store(judge));
}

Labelling::Labelling(const Context& context, const DataSet& data, const Language* language)
    : context_(context), data_(data), spending_(context, data.stage("annotate")) {
  judges_ = make_judges(context, data.judges, language, spending_, data.policy);
  for (std::size_t j = 0; j < judges_.size(); ++j) add_canaries(context, data.judges[j], judges_[j]);
}

JudgedStore Labelling::store(const std::string& judge, Split split) const {
  const std::string name = store_of(data_, judge, split);
  return {context_.directory.preferences(name), name};
}

void Labelling::label(Split split, std::int64_t block, const std::vector<Comparison>& comparisons) {
  for (BoundJudge& bound : judges_) {
    const std::string& name = bound.judge->name();
    const std::vector<Verdict> verdicts = ask_judge(bound, comparisons, judge_seconds_);
    std::vector<Preference> records;
    records.reserve(comparisons.size());
    for (std::size_t i = 0; i < comparisons.size(); ++i) records.push_back({comparisons[i], verdicts[i], name});
    write_judged_block(context_.directory, store(name, split), block, bound, records);
  }
}

// Looked up once, by the root, and told to all.
std::vector<std::int64_t> Labelling::open_blocks(Split split, std::int64_t blocks) const {
  std::string text;
  context_.comm.on_root([&] {
    std::vector<bool> open(static_cast<std::size_t>(blocks), false);
    for (const JudgeOptions& judge : data_.judges) {
      const std::vector<bool> finished = finished_judged_blocks(context_, judge, store(judge.name, split), blocks);
      for (std::size_t b = 0; b < open.size(); ++b) open[b] = open[b] || !finished[b];
    }
    for (std::size_t b = 0; b < open.size(); ++b) text += open[b] ? '1' : '0';
  });
  context_.comm.broadcast(text);
  std::vector<std::int64_t> result;
  for (std::size_t b = 0; b < text.size(); ++b) {
    if (text[b] == '1') result.push_back(static_cast<std::int64_t>(b));
  }
  return result;
}

void Labelling::run(Split split, std::int64_t blocks,
                    const std::function<std::vector<Comparison>(std::int64_t block)>& comparisons_of) {
  const std::vector<std::int64_t> open = open_blocks(split, blocks);
  const std::string stage = data_.stage("annotate");
  const auto items = static_cast<std::int64_t>(open.size());
  work_by_items(context_, {stage, stage + (split == Split::train ? "" : " held-out"), items, blocks - items},
                [&](std::int64_t item) {
                  const std::int64_t block = open[static_cast<std::size_t>(item)];
                  label(split, block, comparisons_of(block));
                });
  context_.comm.on_root([&] {
    for (const JudgeOptions& judge : data_.judges) {
      preferences::finish_store(context_.directory.preferences(store_of(data_, judge.name, split)),
                                static_cast<std::uint64_t>(blocks), judge.name);
    }
  });
}

Json Labelling::facts(std::int64_t train_blocks, std::int64_t heldout_blocks) const {
  std::vector<std::string> judges;
  for (const JudgeOptions& judge : data_.judges) judges.push_back(judge.name);
  Json facts;
  const std::map<std::string, double> seconds = summed_seconds(context_, judges, judge_seconds_);
  for (const std::string& judge : judges) facts["judge_rank_seconds"][judge] = seconds.at(judge);
  // How often each member of a combined judge was asked, from what is stored: the same however often the stage was stopped.
  context_.comm.on_root([&] {
    for (const JudgeOptions& judge : data_.judges) {
      if (!is_combined(judge.kind)) continue;
      std::map<std::string, std::int64_t> counts;
      for (const Split split : {Split::train, Split::heldout}) {
        count_asked(preferences::read_store(context_.directory.preferences(store_of(data_, judge.name, split))),
                    counts);
      }
      facts["asked"][judge.name] = asked_facts(judge, counts);
    }
  });
  const Json paid = spending_.report(context_);
  if (!paid.empty()) facts["paid"] = paid;
  std::vector<CanaryBlocks> asked;
  for (const JudgeOptions& judge : data_.judges) {
    asked.push_back({judge,
                     {{store_of(data_, judge.name, Split::train), train_blocks},
                      {store_of(data_, judge.name, Split::heldout), heldout_blocks}}});
  }
  const Json canaries = canary_facts(context_, data_.stage("annotate"), asked);
  if (!canaries.empty()) facts["canaries"] = canaries;
  return facts;
}

void add_labelling(const Study& study, const DataSet& data, run::Stage& stage) {
  for (const JudgeOptions& judge : data.judges) {
    add_judge(study, judge, stage.sections);
    add_judge_models(study, judge, stage.reads);
    for (const Split split : {Split::train, Split::heldout}) {
      stage.makes.push_back("preferences/" + store_of(data, judge.name, split));
      stage.makes.push_back("canaries/" + store_of(data, judge.name, split));
    }
  }
}

}  // namespace rlaif::stages
