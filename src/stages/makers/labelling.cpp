#include "labelling.hpp"

#include "../planning.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/progress.hpp"
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

void Labelling::label(Split split, std::int64_t block, const std::vector<Comparison>& comparisons) {
  for (BoundJudge& bound : judges_) {
    const std::string& name = bound.judge->name();
    const Stopwatch judging;
    const std::vector<Verdict> verdicts = bound.judge->judge(comparisons);
    RLAIF_CHECK(verdicts.size() == comparisons.size(), "a judge must give one verdict per comparison");
    judge_seconds_[name] += judging.seconds();
    std::vector<Preference> records;
    records.reserve(comparisons.size());
    for (std::size_t i = 0; i < comparisons.size(); ++i) records.push_back({comparisons[i], verdicts[i], name});
    const std::string store = store_of(data_, name, split);
    write_canary_counts(context_.directory, store, block, bound);
    preferences::write_shard(context_.directory.preferences(store), static_cast<std::uint64_t>(block), name, records);
  }
}

// Looked up once, by the root, and told to all.
std::vector<std::int64_t> Labelling::open_blocks(Split split, std::int64_t blocks) const {
  std::string text;
  context_.comm.on_root([&] {
    std::vector<bool> open(static_cast<std::size_t>(blocks), false);
    for (const JudgeOptions& judge : data_.judges) {
      const std::string store = store_of(data_, judge.name, split);
      const auto folder = context_.directory.preferences(store);
      make_folders(folder);
      const std::vector<bool> finished = preferences::finished_blocks(folder, static_cast<std::uint64_t>(blocks));
      const bool counts = takes_canaries(context_.study.judges, judge);
      for (std::size_t b = 0; b < open.size(); ++b) {
        const auto count_file = canary_file(context_.directory, store, static_cast<std::int64_t>(b));
        open[b] = open[b] || !finished[b] || (counts && !std::filesystem::exists(count_file));
      }
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
  bool stopped = false;
  {
    comm::WorkCounter counter(context_.comm, static_cast<std::int64_t>(open.size()));
    Progress progress(data_.stage("annotate") + (split == Split::train ? "" : " held-out"),
                      static_cast<std::uint64_t>(blocks), "block", context_.comm.is_root());
    const auto before = static_cast<std::uint64_t>(blocks) - open.size();
    progress.start_at(before);
    for (std::int64_t next; (next = counter.next()) >= 0;) {
      if (context_.stop_requested()) {
        stopped = true;
        break;
      }
      const std::int64_t block = open[static_cast<std::size_t>(next)];
      label(split, block, comparisons_of(block));
      progress.update(before + static_cast<std::uint64_t>(next) + 1);  // all up to this one are done or in hand
    }
    context_.comm.barrier();
    progress.finish();
  }
  if (context_.comm.any(stopped)) {
    throw Error(ErrorKind::interrupted,
                data_.stage("annotate") + ": stopped between blocks by a signal; run again to continue");
  }
  context_.comm.on_root([&] {
    for (const JudgeOptions& judge : data_.judges) {
      preferences::finish_store(context_.directory.preferences(store_of(data_, judge.name, split)),
                                static_cast<std::uint64_t>(blocks), judge.name);
    }
  });
}

Json Labelling::facts(std::int64_t train_blocks, std::int64_t heldout_blocks) const {
  std::vector<double> seconds;
  for (const JudgeOptions& judge : data_.judges) {
    const auto found = judge_seconds_.find(judge.name);
    seconds.push_back(found == judge_seconds_.end() ? 0.0 : found->second);
  }
  context_.comm.all_reduce_sum(std::span<double>(seconds));
  Json facts;
  for (std::size_t j = 0; j < seconds.size(); ++j) facts["judge_rank_seconds"][data_.judges[j].name] = seconds[j];
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
  const Json canaries = canary_facts(context_, data_, train_blocks, heldout_blocks);
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
