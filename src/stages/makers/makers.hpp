// The makers of the table, one file each.
#pragma once

#include <memory>

#include "rlaif/stages/maker.hpp"

namespace rlaif::stages {

std::unique_ptr<Maker> make_best_of_n();
std::unique_ptr<Maker> make_file();
std::unique_ptr<Maker> make_mixture();
std::unique_ptr<Maker> make_pairs();
std::unique_ptr<Maker> make_recorded();
std::unique_ptr<Maker> make_revision_pairs();
std::unique_ptr<Maker> make_revision_steps();
std::unique_ptr<Maker> make_revisions();
std::unique_ptr<Maker> make_west_of_n();

}  // namespace rlaif::stages
