#include "judged_blocks.hpp"

#include "rlaif/comm/shared_counter.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/study/canaries.hpp"

namespace rlaif::stages {

std::vector<Verdict> ask_judge(BoundJudge& bound, std::span<const Comparison> comparisons,
                               std::map<std::string, double>& seconds) {
  const Stopwatch judging;
  std::vector<Verdict> verdicts = bound.judge->judge(comparisons);
  RLAIF_CHECK(verdicts.size() == comparisons.size(), "a judge must give one verdict per comparison");
  seconds[bound.judge->name()] += judging.seconds();
  return verdicts;
}

void write_judged_block(const RunDirectory& directory, const JudgedStore& store, std::int64_t block, BoundJudge& bound,
                        std::span<const Preference> records) {
  write_canary_counts(directory, store.canaries, block, bound);
  preferences::write_shard(store.folder, static_cast<std::uint64_t>(block), bound.judge->name(), records);
}

std::vector<bool> finished_judged_blocks(const Context& context, const JudgeOptions& judge, const JudgedStore& store,
                                         std::int64_t blocks) {
  make_folders(store.folder);
  std::vector<bool> finished = preferences::finished_blocks(store.folder, static_cast<std::uint64_t>(blocks));
  if (!takes_canaries(context.study.judges, judge)) return finished;
  for (std::size_t b = 0; b < finished.size(); ++b) {
    const auto counts = canary_file(context.directory, store.canaries, static_cast<std::int64_t>(b));
    finished[b] = finished[b] && std::filesystem::exists(counts);
  }
  return finished;
}

void work_by_items(const Context& context, const ItemWork& plan, const std::function<void(std::int64_t item)>& work) {
  bool stopped = false;
  {
    comm::WorkCounter counter(context.comm, plan.items);
    Progress progress(plan.what, static_cast<std::uint64_t>(plan.before + plan.items), "block", context.comm.is_root());
    progress.start_at(static_cast<std::uint64_t>(plan.before));
    for (std::int64_t next; (next = counter.next()) >= 0;) {
      if (context.stop_requested()) {
        stopped = true;
        break;
      }
      work(next);
      progress.update(static_cast<std::uint64_t>(plan.before + next) + 1);  // all up to this one are done or in hand
    }
    context.comm.barrier();
    progress.finish();
  }
  if (context.comm.any(stopped)) {
    throw Error(ErrorKind::interrupted, plan.stage + ": stopped between blocks by a signal; run again to continue");
  }
}

std::map<std::string, double> summed_seconds(const Context& context, const std::vector<std::string>& judges,
                                             const std::map<std::string, double>& seconds) {
  std::vector<double> sums;
  for (const std::string& judge : judges) {
    const auto found = seconds.find(judge);
    sums.push_back(found == seconds.end() ? 0.0 : found->second);
  }
  context.comm.all_reduce_sum(std::span<double>(sums));
  std::map<std::string, double> summed;
  for (std::size_t j = 0; j < judges.size(); ++j) summed[judges[j]] = sums[j];
  return summed;
}

}  // namespace rlaif::stages
