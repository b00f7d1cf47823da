// Demonstrations by rejection sampling: of n responses to a prompt the one that a reward likes best (AlpacaFarm's best-of-n as
// data, 2305.14387; RAFT, Dong et al. 2304.06767).
#include "../planning.hpp"
#include "demonstrations.hpp"
#include "makers.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/model/torch.hpp"
#include "scored_draws.hpp"

namespace rlaif::stages {
namespace {

class BestOfN final : public Maker {
 public:
  DataKind makes() const override { return DataKind::demonstrations; }
  void bind(OptionTable& table, DataOptions& data) override {
    table.add(data.section() + ".judge", &options_.judge, "",
              "judge of study.judges whose labels or rules score the responses");
    bind_scored_draws(table, data, options_);
  }
  void check(const Study& study, const DataOptions& data) const override {
    check_scored_draws(study, data.section(), options_);
  }
  std::vector<std::string> judges() const override { return {options_.judge}; }
  void plan(StudyPlan& plan, const Study& study, const DataSet& data) const override {
    plan_scored_draws(plan, study, options_);
    run::Stage stage = demonstrations_stage(
        study, data,
        "the best of " + count_text(options_.responses, "responses to ") + count_text(options_.prompts, "prompts"), {},
        [this, data, how = data.maker](const Context& context) { return run(context, data); });
    add_scored_draws(study, data, options_, stage);
    plan.add(std::move(stage));
  }

 private:
  Json run(const Context& context, const DataSet& data) const {
    const auto language = load_language(context);
    ScoredDraws draws(context, *language, data, options_);
    const auto best = [&](std::int64_t begin, std::int64_t end) {
      std::vector<Demonstration> made;
      for (const ScoredPrompt& one : draws.of(begin, end)) {
        const std::vector<std::size_t> places = one.best_first();
        if (places.empty()) continue;  // its judge failed on all of them
        made.push_back({one.prompt, one.responses[places.front()].text, {{"score", one.scores[places.front()]}}});
      }
      const train::Asked asked = draws.asked();
      if (!made.empty() && draws.asks_judge()) {
        made.front().facts["labels"] = asked.labels;
        made.front().facts["cost_usd"] = asked.cost_usd;
      }
      return made;
    };
    Json facts = write_demonstrations(context, data, options_.prompts, options_.block, best);
    if (const Json of_reward = draws.facts(); !of_reward.empty()) facts["reward"] = of_reward;
    context.comm.on_root([&] {
      const auto missing = options_.prompts - facts["demonstrations"].get<std::int64_t>();
      if (missing > 0)
        log::info(data.stage("data") + ": " + std::to_string(missing) +
                  " prompts were too long or have no response with a score, and were left out");
      if (!draws.asks_judge()) facts.update(label_facts(context, options_.judge));
    });
    return facts;
  }

  ScoredDrawsOptions options_;
};

}  // namespace

std::unique_ptr<Maker> make_best_of_n() { return std::make_unique<BestOfN>(); }

}  // namespace rlaif::stages
