// Pairs of the best and the worst of n responses by a reward, added to its judge's pairs: a reward model teaches its successor
// (West-of-N, Pace et al. 2401.12086).
#include <algorithm>
#include <optional>
#include <utility>

#include "../planning.hpp"
#include "makers.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/ids.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/run/blocks.hpp"
#include "scored_draws.hpp"

namespace rlaif::stages {
namespace {

enum class Choice { best_and_worst, random };

class WestOfN final : public Maker {
 public:
  DataKind makes() const override { return DataKind::preferences; }
  void bind(OptionTable& table, DataOptions& data) override {
    bind_scored_draws(table, data, options_);
    table.add_choice<Choice>(data.section() + ".choose", &choice_,
                             {{"best_and_worst", Choice::best_and_worst}, {"random", Choice::random}},
                             "which two responses make a pair; random: any two, of which the reward says the better, "
                             "as a control");
  }
  void check(const Study& study, const DataOptions& data) const override {
    for (const ArmOptions& arm : study.arms) {
      if (arm.data == data.name) check_scored_draws(study, data.section(), of_judge(arm.judge));
    }
  }
  void plan(StudyPlan& plan, const Study& study, const DataSet& data) const override {
    const std::string judge = data.judges.front().name;
    const ScoredDrawsOptions options = of_judge(judge);
    plan_scored_draws(plan, study, options);
    run::Stage stage{.name = data.stage("annotate"),
                     .kind = "annotate",
                     .of = data.name,
                     .command = "annotate",
                     .size = count_text(options.prompts, "pairs from ") +
                             count_text(options.responses, "responses each, beside those of judge ") + judge,
                     .sections = sections_with({"data." + data.name}),
                     .reads = {"preferences/" + judge, "preferences/" + heldout_store(judge)},
                     .makes = {"preferences/" + data.name, "preferences/" + heldout_store(data.name)},
                     .run = in_study(study, [this, data, options, how = data.maker](const Context& context) {
                       return run(context, data, options);
                     })};
    add_scored_draws(study, data, options, stage);
    plan.add(std::move(stage));
  }

 private:
  ScoredDrawsOptions of_judge(const std::string& judge) const {
    ScoredDrawsOptions options = options_;
    options.judge = judge;
    return options;
  }

  // The pair of a prompt, the better response in either place; nothing where there are no two different ones.
  std::optional<Preference> pair_of(const ScoredPrompt& one, const DataSet& data) const {
    std::vector<std::size_t> places = one.best_first();
    Rng rng(data.seed, Stream::data_order, {one.prompt.id});
    if (choice_ == Choice::random && places.size() >= 2) {
      // Two of them, which keep the order of their scores.
      const auto first = static_cast<std::size_t>(rng.below(places.size()));
      auto second = static_cast<std::size_t>(rng.below(places.size() - 1));
      second += second >= first;
      places = {places[std::min(first, second)], places[std::max(first, second)]};
    }
    if (places.size() < 2) return std::nullopt;
    const Completion &better = one.responses[places.front()], &worse = one.responses[places.back()];
    if (better.text == worse.text || one.scores[places.front()] == one.scores[places.back()]) return std::nullopt;
    const bool better_first = rng.below(2) == 0;
    Preference record;
    record.comparison = {pair_id(one.prompt.id, 0), one.prompt, better_first ? better : worse,
                         better_first ? worse : better};
    record.verdict.status = VerdictStatus::ok;
    record.verdict.p_first = better_first ? 1.0 : 0.0;
    record.verdict.p_first_by_order = {record.verdict.p_first, record.verdict.p_first};
    return record;
  }

  Json run(const Context& context, const DataSet& data, const ScoredDrawsOptions& options) const {
    const auto language = load_language(context);
    const std::string judge = data.judges.front().name;
    const auto folder = context.directory.preferences(data.name);
    const auto copied = static_cast<std::uint64_t>(copy_store(context, judge, data.name, judge));
    copy_store(context, heldout_store(judge), heldout_store(data.name), judge);
    ScoredDraws draws(context, *language, data, options);
    // A block of prompts is a shard after those of the judge.
    work_by_blocks(context.comm,
                   {data.stage("annotate"), options.prompts, options.block,
                    context.directory.checkpoints(data.stage("annotate")), context.stop_requested},
                   [&](std::int64_t begin, std::int64_t end) {
                     std::vector<Preference> records;
                     for (const ScoredPrompt& one : draws.of(begin, end)) {
                       if (auto record = pair_of(one, data)) records.push_back(std::move(*record));
                     }
                     for (Preference& record : records) record.judge = judge;
                     const train::Asked asked = draws.asked();
                     if (!records.empty()) records.front().verdict.usage.cost_usd = asked.cost_usd;
                     preferences::write_shard(folder, copied + static_cast<std::uint64_t>(begin / options.block), judge,
                                              records);
                     return std::vector<Json>{Json(records.size())};
                   });
    Json facts;
    if (const Json of_reward = draws.facts(); !of_reward.empty()) facts["reward"] = of_reward;
    context.comm.on_root([&] {
      const auto blocks = copied + static_cast<std::uint64_t>((options.prompts + options.block - 1) / options.block);
      const auto manifest = preferences::finish_store(folder, blocks, judge);
      std::uint64_t made = 0;
      for (const auto& shard : manifest.shards)
        if (shard.block >= copied) made += shard.records;
      facts["pairs"] = made;
      facts.update(label_facts(context, judge));
      if (made == 0) log::warning(data.stage("annotate") + ": no prompt has two responses that the reward tells apart");
    });
    return facts;
  }

  // The shards of a judge's store into another one, without what they cost: that is counted where it was paid. Returns how many
  // there are, on every rank.
  static std::size_t copy_store(const Context& context, const std::string& from, const std::string& to,
                                const std::string& judge) {
    std::string count;
    context.comm.on_root([&] {
      const auto source = context.directory.preferences(from), target = context.directory.preferences(to);
      const auto manifest = preferences::read_manifest(source);
      if (!manifest) throw input_error(source, "has no manifest.json; a finished store was expected");
      make_folders(target);
      for (const auto& shard : manifest->shards) {
        std::vector<Preference> records = preferences::read_shard(source / shard.file);
        for (Preference& record : records) record.verdict.usage = {};
        preferences::write_shard(target, shard.block, judge, records);
      }
      if (to.ends_with(heldout_store(""))) preferences::finish_store(target, manifest->shards.size(), judge);
      count = std::to_string(manifest->shards.size());
    });
    context.comm.broadcast(count);
    return static_cast<std::size_t>(std::stoull(count));
  }

  ScoredDrawsOptions options_;
  Choice choice_ = Choice::best_and_worst;
};

}  // namespace

std::unique_ptr<Maker> make_west_of_n() { return std::make_unique<WestOfN>(); }

}  // namespace rlaif::stages
