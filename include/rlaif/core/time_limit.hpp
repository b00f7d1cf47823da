// The end of a job's time, and when to stop before it.
#pragma once

#include <deque>
#include <functional>
#include <optional>

namespace rlaif {

// Seconds since 1970 at which Slurm ends this job (SLURM_JOB_END_TIME); nullopt where nobody says so.
std::optional<double> job_end_time();

// Asked between steps whether to stop. A job uses its time to the end: it stops when twice the slowest of the last steps, and
// what saving takes, would no longer fit. A warning that the limit is near (USR2) is so obeyed as late as it can be; one long
// before the limit, or where no limit is known, is a wish to stop now.
class TimeLimit {
 public:
  static constexpr double near_seconds = 600;   // before the end, within which a warning means the limit
  static constexpr double saving_seconds = 10;  // for the last checkpoint
  explicit TimeLimit(std::optional<double> end, std::function<double()> now = {});
  // `warned`: USR2 has come. Keeps the time since the last call as that of a step.
  bool reached(bool warned);

 private:
  std::optional<double> end_;
  std::function<double()> now_;
  std::optional<double> last_;
  std::deque<double> steps_;  // seconds, the latest last
};

}  // namespace rlaif
