// Items of a file worked on by all ranks, in blocks that do not depend on how many ranks there are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/core/json.hpp"

namespace rlaif::run {

struct BlockWork {
  std::string what;  // for the progress line
  std::int64_t items = 0, block_items = 32;
  std::filesystem::path kept = {};  // a folder where finished blocks outlive a stop or a kill; empty: they do not
  std::function<bool()> stop_requested =
      {};  // asked before every block; throws Error(interrupted) on all ranks where one was told so
};

// Collective. Ranks take blocks of items; `work` makes JSON values of the items [begin, end); the root gets all, in the order of
// the blocks (the others nothing). A kept block that is not what was written is worked again.
std::vector<Json> work_by_blocks(const comm::Communicator& comm, const BlockWork& plan,
                                 const std::function<std::vector<Json>(std::int64_t begin, std::int64_t end)>& work);

}  // namespace rlaif::run
