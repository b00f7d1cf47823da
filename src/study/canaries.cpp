#include "rlaif/study/canaries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/option_table.hpp"
#include "rlaif/study/judge_tree.hpp"

namespace rlaif::study {
namespace {

constexpr double least_right_share = 0.9;

Json to_json(const judge::CanaryCounts& counts) {
  Json json;
  json["right"] = counts.right;
  json["wrong"] = counts.wrong;
  json["failed"] = counts.failed;
  json["cost_usd"] = counts.cost_usd;
  json["not_right"] = Json::object();
  std::map<std::string, std::int64_t> by_id;
  for (const std::string& id : counts.not_right) ++by_id[id];
  for (const auto& [id, count] : by_id) json["not_right"][id] = count;
  return json;
}

void add(Json& sums, const Json& counts) {
  if (sums.is_null()) sums = to_json({});
  for (const char* key : {"right", "wrong", "failed"})
    sums[key] = sums[key].get<std::int64_t>() + counts.at(key).get<std::int64_t>();
  sums["cost_usd"] = sums["cost_usd"].get<double>() + counts.at("cost_usd").get<double>();
  std::map<std::string, std::int64_t> by_id;
  for (const Json* part : {static_cast<const Json*>(&sums), &counts}) {
    for (const auto& [id, count] : part->at("not_right").items()) by_id[id] += count.get<std::int64_t>();
  }
  sums["not_right"] = Json::object();
  for (const auto& [id, count] : by_id) sums["not_right"][id] = count;
}

std::int64_t asked(const Json& counts) {
  return counts["right"].get<std::int64_t>() + counts["wrong"].get<std::int64_t>() +
         counts["failed"].get<std::int64_t>();
}

void set_share(Json& sums) {
  if (asked(sums) > 0) sums["right_share"] = sums["right"].get<double>() / static_cast<double>(asked(sums));
}

void warn_of_few(const std::string& who, const Json& counts) {
  if (counts.value("right_share", 1.0) >= least_right_share) return;
  log::warning(fmt::format("{}: {}; at least {:.0f} % were expected: its other verdicts deserve as little trust", who,
                           canary_text(counts), 100 * least_right_share));
}

Json read_counts(const std::filesystem::path& file) {
  try {
    Json counts = to_json({});
    add(counts, parse_json_text(read_file(file)));
    return counts;
  } catch (const Json::exception& error) {
    throw input_error(file, std::string("is not what a block's canaries came to: ") + error.what());
  }
}

}  // namespace

bool takes_canaries(const Judges& judges, const JudgeOptions& judge) {
  const bool is_language_model = judge.kind == JudgeKind::local || judge.kind == JudgeKind::openai ||
                                 judge.kind == JudgeKind::anthropic || judge.kind == JudgeKind::reward_model ||
                                 is_combined(judge.kind);
  return judges.canaries.rate != 0.0 && is_language_model;
}

void add_canaries(const Context& context, const JudgeOptions& options, BoundJudge& bound) {
  if (!takes_canaries(context.study.judges, options)) return;
  context.comm.agree([&] {
    const CanaryOptions& canaries = context.study.judges.canaries;
    std::shared_ptr<judge::CanaryJudge> mixing = judge::make_canary_judge(
        bound.judge, judge::load_canaries(canaries.file), canaries.rate, context.study.run.seed);
    bound.canaries = mixing.get();
    bound.judge = std::move(mixing);
  });
}

std::filesystem::path canary_file(const RunDirectory& directory, const std::string& store, std::int64_t block) {
  return directory.root() / "canaries" / store / fmt::format("block-{:06}.json", block);
}

void write_canary_counts(const RunDirectory& directory, const std::string& store, std::int64_t block,
                         BoundJudge& bound) {
  if (bound.canaries == nullptr) return;
  write_file_atomic(canary_file(directory, store, block), to_json(bound.canaries->take_counts()).dump() + "\n");
}

Json canary_facts(const Context& context, const std::string& stage, const std::vector<CanaryBlocks>& asked) {
  std::string text;
  context.comm.on_root([&] {
    Json by_judge;
    for (const CanaryBlocks& of : asked) {
      if (!takes_canaries(context.study.judges, of.judge)) continue;
      Json sums;
      for (const auto& [store, blocks] : of.stores) {
        for (std::int64_t block = 0; block < blocks; ++block)
          add(sums, read_counts(canary_file(context.directory, store, block)));
      }
      if (sums.is_null()) continue;
      set_share(sums);
      warn_of_few(stage + ": judge " + of.judge.name, sums);
      by_judge[of.judge.name] = sums;
    }
    text = by_judge.dump();
  });
  context.comm.broadcast(text);
  return Json::parse(text);
}

std::string canary_text(const Json& counts) {
  std::string text =
      std::to_string(counts["right"].get<std::int64_t>()) + " of " + std::to_string(asked(counts)) + " canaries right";
  if (counts["not_right"].empty()) return text;
  std::vector<std::pair<std::string, std::int64_t>> worst;
  for (const auto& [id, count] : counts["not_right"].items()) worst.emplace_back(id, count.get<std::int64_t>());
  std::stable_sort(worst.begin(), worst.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  text += " (" + std::to_string(counts["wrong"].get<std::int64_t>()) + " wrong, " +
          std::to_string(counts["failed"].get<std::int64_t>()) + " without verdict; not right:";
  for (std::size_t i = 0; i < std::min<std::size_t>(3, worst.size()); ++i) {
    text += i == 0 ? " " : ", ";
    text += worst[i].first + " " + std::to_string(worst[i].second);
  }
  return text + (worst.size() > 3 ? ", ...)" : ")");
}

void report_canaries(const comm::Communicator& comm, const std::string& who, BoundJudge& bound) {
  if (bound.canaries == nullptr) return;
  Json sums;
  for (const std::string& part : comm.gather(to_json(bound.canaries->take_counts()).dump()))
    add(sums, Json::parse(part));
  if (!comm.is_root()) return;
  set_share(sums);
  log::info(who + ": " + canary_text(sums));
  warn_of_few(who, sums);
}

void bind_canaries(OptionTable& table, CanaryOptions& o) {
  table.add_input("judge.canary_file", &o.file, "canaries.jsonl",
                  "pairs whose verdict is known: JSON Lines of id, kind, prompt, good, bad");
  table
      .add("judge.canary_rate", &o.rate, "",
           "share of comparisons with which a judge that is a language model is asked a canary as well; 0: none")
      .at_least(0)
      .at_most(1);
}

}  // namespace rlaif::study
