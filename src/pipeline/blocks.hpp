// Items of a file worked on by all ranks, in blocks that do not depend on how many ranks there are.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/core/json.hpp"

namespace rlaif::pipeline {

// Collective. Ranks take blocks of items; `work` makes one JSON value an item; the root gets all, in the order of the items
// (the others nothing).
std::vector<Json> work_by_blocks(const comm::Communicator& comm, const std::string& what, std::int64_t items,
                                 const std::function<std::vector<Json>(std::int64_t begin, std::int64_t end)>& work);

}  // namespace rlaif::pipeline
