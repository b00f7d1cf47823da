#include "blocks.hpp"

#include <algorithm>
#include <map>

#include "rlaif/core/progress.hpp"

namespace rlaif::pipeline {
namespace {

constexpr std::int64_t block_items = 32;

}  // namespace

std::vector<Json> work_by_blocks(const comm::Communicator& comm, const std::string& what, std::int64_t items,
                                 const std::function<std::vector<Json>(std::int64_t begin, std::int64_t end)>& work) {
  const std::int64_t blocks = (items + block_items - 1) / block_items;
  Json mine = Json::array();
  {
    comm::WorkCounter counter(comm, blocks);
    Progress progress(what, static_cast<std::uint64_t>(blocks), "block", comm.is_root());
    for (std::int64_t block; (block = counter.next()) >= 0;) {
      mine.push_back(Json::array({block, work(block * block_items, std::min(items, (block + 1) * block_items))}));
      progress.update(static_cast<std::uint64_t>(block) + 1);
    }
    comm.barrier();
    progress.finish();
  }
  std::map<std::int64_t, Json> by_block;
  for (const std::string& part : comm.gather(mine.dump())) {
    for (Json& entry : Json::parse(part)) by_block[entry[0].get<std::int64_t>()] = std::move(entry[1]);
  }
  std::vector<Json> results;
  for (auto& [block, values] : by_block) {
    for (Json& value : values) results.push_back(std::move(value));
  }
  return results;
}

}  // namespace rlaif::pipeline
