// The keys of a section [judge.NAME].
//   for (JudgeOptions& judge : options.judges) bind_judge(table, judge);   // judge.ai.kind, judge.ai.model, ...
#pragma once

#include "rlaif/core/option_table.hpp"
#include "rlaif/study/options.hpp"

namespace rlaif::study {

void bind_judge(OptionTable& table, JudgeOptions& judge);

}  // namespace rlaif::study
