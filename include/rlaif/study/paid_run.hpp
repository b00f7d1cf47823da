// Commands beside the study that ask paid judges: they keep answers, and what is left of the cap, in the run directory.
#pragma once

#include <vector>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/run/run_directory.hpp"
#include "rlaif/study/study.hpp"

namespace rlaif::study {

// The run's lock, held by the root, where one of the judges or their members is asked over HTTP: two jobs would each
// pay for the same pairs and spend the same dollars of the cap. Otherwise none. Collective. Throws Error(resource)
// naming who holds it.
RunLock lock_of_paid_run(const comm::Communicator& comm, const Study& study,
                         const std::vector<const JudgeOptions*>& judges);

}  // namespace rlaif::study
