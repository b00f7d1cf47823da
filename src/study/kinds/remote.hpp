// What judges behind HTTP have in common, whoever's protocol they speak.
#pragma once

#include "kinds.hpp"
#include "rlaif/judge/kinds/remote.hpp"

namespace rlaif::study {

void bind_remote(OptionTable& table, const std::string& section, JudgeOptions& judge);
void check_remote(const std::string& section, const JudgeOptions& judge);

// The judge's, with answers and meter, and limits that are this rank's share.
struct RemoteJudgeParts {
  judge::RemoteOptions options;
  judge::RemoteParts parts;
};
RemoteJudgeParts remote_judge_parts(const JudgeOptions& judge, const JudgeParts& parts);

}  // namespace rlaif::study
