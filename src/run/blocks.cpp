#include "rlaif/run/blocks.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/progress.hpp"

namespace rlaif::run {
namespace {

namespace fs = std::filesystem;

fs::path block_file(const fs::path& folder, std::int64_t block) {
  return folder / ("block-" + std::to_string(block) + ".json");
}

std::optional<Json> find_block(const fs::path& file) {
  if (!fs::exists(file)) return std::nullopt;
  try {
    Json kept = read_sealed_json(file);
    if (!kept.contains("values")) return std::nullopt;
    return std::move(kept["values"]);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    return std::nullopt;
  }
}

}  // namespace

std::vector<Json> work_by_blocks(const comm::Communicator& comm, const BlockWork& plan,
                                 const std::function<std::vector<Json>(std::int64_t begin, std::int64_t end)>& work) {
  const std::int64_t blocks = (plan.items + plan.block_items - 1) / plan.block_items;
  if (!plan.kept.empty()) comm.on_root([&] { make_folders(plan.kept); });
  Json mine = Json::array();
  bool stopped = false;
  {
    comm::WorkCounter counter(comm, blocks);
    Progress progress(plan.what, static_cast<std::uint64_t>(blocks), "block", comm.is_root());
    for (std::int64_t block; (block = counter.next()) >= 0;) {
      if (plan.stop_requested && plan.stop_requested()) {
        stopped = true;
        break;
      }
      std::optional<Json> values;
      if (!plan.kept.empty()) values = find_block(block_file(plan.kept, block));
      if (!values) {
        values = work(block * plan.block_items, std::min(plan.items, (block + 1) * plan.block_items));
        if (!plan.kept.empty()) write_sealed_json(block_file(plan.kept, block), {{"values", *values}});
      }
      mine.push_back(Json::array({block, std::move(*values)}));
      progress.update(static_cast<std::uint64_t>(block) + 1);
    }
    comm.barrier();
    progress.finish();
  }
  if (comm.any(stopped))
    throw Error(ErrorKind::interrupted, plan.what + ": stopped between blocks by a signal; run again to continue");
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

}  // namespace rlaif::run
