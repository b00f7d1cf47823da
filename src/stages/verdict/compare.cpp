// The verdict on the policies: ranks take blocks of prompts, judges see comparisons; in rounds, between which pairs of
// policies that are decided are left out.
#include "rlaif/stages/compare.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>

#include "../judged_blocks.hpp"
#include "../planning.hpp"
#include "comparisons.hpp"
#include "rlaif/evaluate/sequence.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/stages/judge_facts.hpp"
#include "rlaif/stages/resources.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/canaries.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/judges.hpp"
#include "verdict_facts.hpp"

namespace rlaif::stages {
namespace {

const std::string stage_name = "compare";

// Pairs of policies that a judge is still asked about, by judge and matchup.
using OpenMatchups = std::vector<std::vector<bool>>;

// Everything the stage needs on one rank.
struct Comparer {
  const Context& context;
  const CompareOptions& options;
  std::int64_t prompts, block_prompts;
  const ComparedPolicies& policies;
  const EvaluationSamples& samples;
  std::vector<BoundJudge> judges = {};
  std::map<std::string, double> judge_seconds = {};

  std::int64_t blocks() const { return (prompts + block_prompts - 1) / block_prompts; }
  std::int64_t blocks_a_round() const { return options.stop_error_rate > 0.0 ? options.look_every : blocks(); }
  std::vector<Compared> compared(std::int64_t block) const {
    return samples.block(block * block_prompts, std::min(prompts, (block + 1) * block_prompts));
  }
};

JudgedStore verdict_store(const Context& context, const std::string& judge) {
  return {context.directory.comparisons(judge), "comparisons/" + judge};
}

void compare_block(Comparer& self, std::size_t judge, std::int64_t block, const std::vector<bool>& open) {
  BoundJudge& bound = self.judges[judge];
  const std::string& name = bound.judge->name();
  std::vector<Compared> compared = self.compared(block);
  std::erase_if(compared, [&](const Compared& one) { return !open[one.matchup]; });
  std::vector<Verdict> verdicts = verdicts_on(
      compared, [&](std::span<const Comparison> asked) { return ask_judge(bound, asked, self.judge_seconds); });
  std::vector<Preference> records;
  for (std::size_t i = 0; i < compared.size(); ++i)
    records.push_back({std::move(compared[i].comparison), std::move(verdicts[i]), name});
  write_judged_block(self.context.directory, verdict_store(self.context, name), block, bound, records);
}

// --- rounds --------------------------------------------------------------------------------------

// What a judge has said so far, by matchup: whether the study knows who is better. On the root.
class Looks {
 public:
  Looks(const Comparer& self, std::size_t judges) : self_(self) {
    if (self.options.stop_error_rate <= 0.0) return;
    const std::vector<evaluate::ConfidenceSequence> none(
        self.policies.matchups.size(),
        evaluate::ConfidenceSequence(self.options.stop_error_rate, static_cast<std::size_t>(self.prompts)));
    sequences_.assign(judges, none);
  }
  // Reads a judge's shard of a block; prompts come in their order.
  void read(std::size_t judge, const std::string& name, std::int64_t block) {
    if (sequences_.empty()) return;
    const auto folder = self_.context.directory.comparisons(name);
    std::map<std::uint64_t, Verdict> verdicts;
    for (Preference& record :
         preferences::read_shard(preferences::shard_path(folder, static_cast<std::uint64_t>(block))))
      verdicts[record.comparison.id] = std::move(record.verdict);
    std::map<std::pair<std::int64_t, std::size_t>, std::pair<double, double>> wins;  // of a prompt, and how many
    for (const Compared& one : self_.compared(block)) {
      const auto found = verdicts.find(one.comparison.id);
      if (found == verdicts.end() || found->second.status != VerdictStatus::ok) continue;
      auto& [sum, count] = wins[{one.item, one.matchup}];
      sum += one.of_a(found->second.p_first);
      count += 1.0;
    }
    for (const auto& [key, of_prompt] : wins)
      sequences_[judge][key.second].add(std::clamp(of_prompt.first / of_prompt.second, 0.0, 1.0));
  }
  bool is_decided(std::size_t judge, std::size_t matchup) const {
    return !sequences_.empty() && sequences_[judge][matchup].excludes(0.5);
  }

 private:
  const Comparer& self_;
  std::vector<std::vector<evaluate::ConfidenceSequence>> sequences_;
};

struct Item {
  std::size_t judge;
  std::int64_t block;
};

// Flags of the root, told to all.
std::string told(const Context& context, const std::function<std::string()>& flags) {
  std::string text;
  context.comm.on_root([&] { text = flags(); });
  context.comm.broadcast(text);
  return text;
}

// By judge and block: whether it is done.
std::vector<std::string> done_blocks(const Comparer& self, const std::vector<JudgeOptions>& judges) {
  std::vector<std::string> done;
  for (const JudgeOptions& judge : judges) {
    done.push_back(told(self.context, [&] {
      std::string text;
      for (const bool one :
           finished_judged_blocks(self.context, judge, verdict_store(self.context, judge.name), self.blocks()))
        text += one ? '1' : '0';
      return text;
    }));
  }
  return done;
}

// One round over the blocks `begin` to `end` - 1; which pairs of policies each judge was asked about is `open`.
void compare_round(Comparer& self, const std::vector<std::string>& done, const OpenMatchups& open, std::int64_t begin,
                   std::int64_t end) {
  std::vector<Item> items;
  std::int64_t before = 0;
  for (std::int64_t block = begin; block < end; ++block) {
    for (std::size_t j = 0; j < self.judges.size(); ++j) {
      if (std::none_of(open[j].begin(), open[j].end(), [](bool one) { return one; })) continue;
      if (done[j][static_cast<std::size_t>(block)] == '1')
        ++before;
      else
        items.push_back({j, block});
    }
  }
  if (items.empty()) return;
  const std::string what = stage_name + " prompts from " + std::to_string(begin * self.block_prompts);
  work_by_items(self.context, {stage_name, what, static_cast<std::int64_t>(items.size()), before}, [&](std::int64_t i) {
    const Item& item = items[static_cast<std::size_t>(i)];
    compare_block(self, item.judge, item.block, open[item.judge]);
  });
}

// Asks until all is asked or decided; returns how many blocks each judge was asked about. Collective.
std::vector<std::int64_t> ask_all(Comparer& self, const std::vector<JudgeOptions>& judges) {
  const std::vector<std::string> done = done_blocks(self, judges);
  Looks looks(self, judges.size());
  const std::size_t matchups = self.policies.matchups.size();
  OpenMatchups open(judges.size(), std::vector<bool>(matchups, true));
  std::vector<std::int64_t> asked(judges.size(), 0);
  for (std::int64_t begin = 0; begin < self.blocks(); begin += self.blocks_a_round()) {
    const std::int64_t end = std::min(self.blocks(), begin + self.blocks_a_round());
    compare_round(self, done, open, begin, end);
    const std::string flags = told(self.context, [&] {
      std::string text;
      for (std::size_t j = 0; j < judges.size(); ++j) {
        const bool was_asked = std::any_of(open[j].begin(), open[j].end(), [](bool one) { return one; });
        for (std::int64_t block = begin; was_asked && block < end; ++block) looks.read(j, judges[j].name, block);
        for (std::size_t m = 0; m < matchups; ++m) text += open[j][m] && !looks.is_decided(j, m) ? '1' : '0';
      }
      return text;
    });
    for (std::size_t j = 0; j < judges.size(); ++j) {
      if (std::any_of(open[j].begin(), open[j].end(), [](bool one) { return one; })) asked[j] = end;
      for (std::size_t m = 0; m < matchups; ++m) open[j][m] = flags[j * matchups + m] == '1';
    }
  }
  return asked;
}

// --- facts ---------------------------------------------------------------------------------------

// What one judge was asked and what it took.
Json asked_facts_of(const Comparer& self, const JudgeOptions& judge, const std::vector<Compared>& compared,
                    const std::vector<Preference>& records) {
  std::map<std::uint64_t, const Verdict*> verdicts;
  for (const Preference& record : records) verdicts[record.comparison.id] = &record.verdict;
  std::int64_t asked = 0, equal = 0, ties = 0;
  std::map<std::string, std::int64_t> failed;
  Usage usage;
  for (const Compared& one : compared) {
    const auto found = verdicts.find(one.comparison.id);
    if (found == verdicts.end()) continue;
    const Verdict& verdict = *found->second;
    ++(one.is_equal ? equal : asked);
    usage += verdict.usage;
    if (verdict.status != VerdictStatus::ok)
      ++failed[to_string(verdict.status)];
    else if (!one.is_equal)
      ties += verdict.p_first == 0.5;
  }
  Json facts;
  facts["asked"] = asked;
  facts["equal"] = equal;
  facts["not_asked"] = static_cast<std::int64_t>(compared.size()) - asked - equal;
  facts["failed"] = Json::object();
  for (const auto& [status, count] : failed) facts["failed"][status] = count;
  facts["ties"] = ties;
  facts["input_tokens"] = usage.input_tokens;
  facts["output_tokens"] = usage.output_tokens;
  facts["cost_usd"] = std::round(usage.cost_usd * 1e6) / 1e6;
  if (is_combined(judge.kind)) {
    std::map<std::string, std::int64_t> counts;
    count_asked(records, counts);
    facts["members"] = asked_facts(judge, counts);
  }
  std::vector<std::string> taught;
  for (const LearnedFrom& one : learned_from(self.context.study, judge.name)) {
    if (std::find(taught.begin(), taught.end(), one.arm) == taught.end()) taught.push_back(one.arm);
  }
  facts["learned_by"] = taught;
  return facts;
}

Json verdict_of(const Comparer& self, const std::vector<JudgeOptions>& judges, int resamples) {
  const std::vector<Compared> compared = self.samples.block(0, self.prompts);
  VerdictColumns columns(compared);
  const VerdictSettings settings{self.context.study.run.seed, resamples, self.options.stop_error_rate, self.prompts};
  Json facts;
  facts["policies"] = self.policies.names;
  facts["pairs"] = self.options.pairs == ComparedPairs::all ? "all" : "sft";
  facts["prompts"] = self.prompts;
  facts["judged_samples"] = self.options.judged_samples;
  facts["resamples"] = resamples;
  facts["stop_error_rate"] = self.options.stop_error_rate;
  facts["comparisons"] = compared.size();
  facts["yardsticks"] = Json::object();
  for (const JudgeOptions& judge : judges) {
    const auto records = preferences::read_store(self.context.directory.comparisons(judge.name));
    columns.yardsticks.push_back(column_of(judge.name, compared, records));
    Json& row = facts["yardsticks"][judge.name];
    row = asked_facts_of(self, judge, compared, records);
    row.update(yardstick_facts(self.policies, columns, columns.yardsticks.back(), settings));
  }
  const YardstickColumn own = own_column(self.context.task.yardstick(), compared);
  if (std::any_of(own.p_a.begin(), own.p_a.end(), [](double p) { return !std::isnan(p); })) {
    columns.yardsticks.push_back(own);
    facts["own"] = own.name;
    facts["yardsticks"][own.name] = yardstick_facts(self.policies, columns, own, {settings.seed, settings.resamples});
  }
  facts["agreement"] = agreement_of_yardsticks(columns, settings);
  return facts;
}

std::vector<JudgeOptions> judges_of(const Study& study, const CompareOptions& options) {
  std::vector<JudgeOptions> judges;
  for (const std::string& name : options.by) judges.push_back(study.judges.named(name));
  return judges;
}

Json run(const Context& context, const CompareOptions& options, const EvaluateOptions& evaluate) {
  const std::vector<JudgeOptions> judges = judges_of(context.study, options);
  const auto language = load_language(context);
  const ComparedPolicies policies(context.study, options.pairs);
  std::unique_ptr<EvaluationSamples> samples;
  context.comm.agree([&] {
    samples = std::make_unique<EvaluationSamples>(context, policies, options.judged_samples, evaluation_draws(context));
  });
  Comparer self{context, options, evaluate.prompts, evaluate.block, policies, *samples};
  const StageSpending spending(context, stage_name);
  self.judges = make_judges(context, judges, language.get(), spending);
  for (std::size_t j = 0; j < judges.size(); ++j) add_canaries(context, judges[j], self.judges[j]);
  const std::vector<std::int64_t> blocks = ask_all(self, judges);
  Json facts;
  context.comm.on_root([&] {
    for (std::size_t j = 0; j < judges.size(); ++j) {
      preferences::finish_store(context.directory.comparisons(judges[j].name), static_cast<std::uint64_t>(blocks[j]),
                                judges[j].name);
    }
    facts["verdict"] = verdict_of(self, judges, evaluate.resamples);
  });
  const std::map<std::string, double> seconds = summed_seconds(context, options.by, self.judge_seconds);
  for (const std::string& judge : options.by) facts["judge_rank_seconds"][judge] = seconds.at(judge);
  if (const Json paid = spending.report(context); !paid.empty()) facts["paid"] = paid;
  std::vector<CanaryBlocks> canaries;
  for (std::size_t j = 0; j < judges.size(); ++j)
    canaries.push_back({judges[j], {{verdict_store(context, judges[j].name).canaries, blocks[j]}}});
  if (const Json counts = canary_facts(context, stage_name, canaries); !counts.empty()) facts["canaries"] = counts;
  return facts;
}

// Of a judge that is a model in this process.
double weights_of(const Study& study, const std::vector<JudgeModel>& trained, const JudgeOptions& judge) {
  PolicyOptions planned{study.policy.tokenizer, {}, {}};
  const auto known =
      std::find_if(trained.begin(), trained.end(), [&](const JudgeModel& model) { return model.name == judge.model; });
  if (known != trained.end())
    planned.network = known->network;
  else
    planned.network.folder = judge.model;
  return static_cast<double>(planned_policy(planned).num_parameters());
}

run::Needs compare_needs(const Study& study, const StageOptions& of, const run::Assumed& assumed) {
  const CompareOptions& options = of.compare;
  run::Needs needs;
  const double comparisons = static_cast<double>(of.evaluate.prompts) * options.judged_samples *
                             static_cast<double>(ComparedPolicies(study, options.pairs).matchups.size());
  std::vector<std::string> loaded;
  for (const std::string& name : options.by) {
    needs.asked.push_back({name, comparisons});
    for (const JudgeOptions* judge : leaves_of(study.judges, study.judges.named(name))) {
      if (judge->kind != JudgeKind::local || std::find(loaded.begin(), loaded.end(), judge->model) != loaded.end())
        continue;
      loaded.push_back(judge->model);
      add_part(needs, "judge " + judge->name + ": weights",
               Sizes(study, assumed).weight_bytes(weights_of(study, of.judge_models, *judge)));
    }
  }
  return needs;
}

}  // namespace

void plan_compare(StudyPlan& plan, const Study& study) {
  const CompareOptions& options = plan.options().compare;
  const EvaluateOptions& evaluate = plan.options().evaluate;
  if (options.by.empty()) return;
  const auto matchups = static_cast<std::int64_t>(ComparedPolicies(study, options.pairs).matchups.size());
  std::string names;
  for (const std::string& name : options.by) names += (names.empty() ? "" : ", ") + name;
  run::Stage stage{
      .name = stage_name,
      .kind = stage_name,
      .of = "",
      .command = "evaluate",
      .size = "up to " + count_text(evaluate.prompts * options.judged_samples * matchups, "comparisons of ") +
              count_text(matchups, "pairs of policies, by ") + names,
      .reads = {tokenizer_file, "evaluation"},
      .makes = {"comparisons", "canaries/comparisons"},
      .needs = [&study,
                of = &plan.options()](const run::Assumed& assumed) { return compare_needs(study, *of, assumed); },
      .run = in_study(study, [options, evaluate](const Context& context) { return run(context, options, evaluate); })};
  for (const std::string& name : options.by) add_judge_models(study, study.judges.named(name), stage.reads);
  plan.add(std::move(stage));
}

void bind_compare(OptionTable& table, CompareOptions& o) {
  table
      .add("evaluate.by", &o.by, "names",
           "judges that compare the responses of all policies, of study.judges or study.members; empty: none")
      .listed_where_set();
  table
      .add("evaluate.by_own_judges", &o.by_own_judges, "",
           "judges that an arm has learned from may compare it too; the table marks them")
      .listed_where_set();
  table
      .add_choice<ComparedPairs>("evaluate.pairs", &o.pairs, {{"sft", ComparedPairs::sft}, {"all", ComparedPairs::all}},
                                 "who meets whom: every arm sft, or also every other arm")
      .listed_where_set();
  table
      .add("evaluate.judged_samples", &o.judged_samples, "responses",
           "responses to a prompt that judges compare, the k-th of one policy with the k-th of the other")
      .listed_where_set()
      .at_least(1);
  table
      .add("evaluate.stop_error_rate", &o.stop_error_rate, "",
           "a judge is asked no more about two policies once a confidence sequence over prompts excludes 50 %; how "
           "often it may be wrong, a judge and pair of policies; 0: all prompts are asked about")
      .listed_where_set()
      .at_least(0)
      .below(1);
  table
      .add("evaluate.look_every", &o.look_every, "blocks",
           "blocks of evaluate.block prompts between looks at whether to stop")
      .listed_where_set()
      .at_least(1)
      .at_most(1e9);
}

}  // namespace rlaif::stages
