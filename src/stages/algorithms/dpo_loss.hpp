// The keys of DPO's losses, wherever the pairs come from.
//   bind_dpo_loss(table, "dpo", options);   // dpo.loss, dpo.beta, ...
#pragma once

#include <string>

#include "rlaif/core/option_table.hpp"
#include "rlaif/train/options.hpp"

namespace rlaif::stages {

void bind_dpo_loss(OptionTable& table, const std::string& section, train::DpoLossOptions& options);

}  // namespace rlaif::stages
