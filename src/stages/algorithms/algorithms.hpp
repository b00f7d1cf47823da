// The algorithms that ship, each in the file of its name.
#pragma once

#include <memory>

#include "rlaif/stages/algorithm.hpp"

namespace rlaif::stages {

std::unique_ptr<Algorithm> make_dpo();
std::unique_ptr<Algorithm> make_grpo();
std::unique_ptr<Algorithm> make_kto();
std::unique_ptr<Algorithm> make_online_dpo();
std::unique_ptr<Algorithm> make_ppo();
std::unique_ptr<Algorithm> make_reinforce();
std::unique_ptr<Algorithm> make_rloo();
std::unique_ptr<Algorithm> make_sft();

}  // namespace rlaif::stages
