#include "rlaif/study/paid_run.hpp"

#include <algorithm>

#include "rlaif/study/judge_tree.hpp"

namespace rlaif::study {

RunLock lock_of_paid_run(const comm::Communicator& comm, const Study& study,
                         const std::vector<const JudgeOptions*>& judges) {
  const bool pays = std::any_of(judges.begin(), judges.end(),
                                [&](const JudgeOptions* judge) { return asks_a_server(study.judges, *judge); });
  RunLock lock;
  if (pays) comm.on_root([&] { lock = RunLock(study.run.directory); });
  return lock;
}

}  // namespace rlaif::study
