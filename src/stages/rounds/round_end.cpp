#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "../planning.hpp"
#include "../sampling.hpp"
#include "../tables/tables.hpp"
#include "../verdict/comparisons.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/judge/kinds/combine.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/run/blocks.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/stages/compare.hpp"
#include "rlaif/stages/judge_facts.hpp"
#include "rlaif/stages/rounds.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/study/judge_kinds.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/judges.hpp"
#include "rule.hpp"

namespace rlaif::stages {
namespace {

constexpr double no_verdict = std::numeric_limits<double>::quiet_NaN();

std::string stage_of(const std::string& round) { return "round-end-" + round; }

const ArmOptions* find_arm(const Study& study, const std::string& name) {
  const auto found =
      std::find_if(study.arms.begin(), study.arms.end(), [&](const ArmOptions& arm) { return arm.name == name; });
  return found == study.arms.end() ? nullptr : &*found;
}

// Rounds that go on from this one, nearest first.
std::vector<std::string> rounds_behind(const Study& study, const std::string& round) {
  std::vector<std::string> behind, last{round};
  for (const ArmOptions& arm : study.arms) {
    if (!arm.is_round || std::find(last.begin(), last.end(), arm.start) == last.end()) continue;
    behind.push_back(arm.name);
    last.push_back(arm.name);
  }
  return behind;
}

// Whom the round has learned from, where it may be asked once more for nothing: it is in this process.
const JudgeOptions* own_judge(const Study& study, const ArmOptions& round, const RoundsOptions& options) {
  if (round.judge == options.stop_by) return nullptr;
  const JudgeOptions& judge = study.judges.named(round.judge);
  const auto leaves = leaves_of(study.judges, judge);
  const bool has_records = std::any_of(leaves.begin(), leaves.end(), [](const JudgeOptions* leaf) {
    return leaf->kind == JudgeKind::replay || leaf->kind == JudgeKind::given;
  });
  return asks_a_server(study.judges, judge) || has_records ? nullptr : &judge;
}

int same_position(const Verdict& verdict) {
  const auto& [first, second] = verdict.p_first_by_order;
  if (verdict.status != VerdictStatus::ok || std::isnan(first) || std::isnan(second)) return -1;
  return judge::same_position_in_both_orders(verdict) ? 1 : 0;
}

// Everything the stage needs on one rank.
struct Measuring {
  const Context& context;
  const std::string stage;
  std::int64_t block;

  // Verdicts of a judge on `items` comparisons, made and read by place. Collective; whole on the root.
  template <class Make>
  std::vector<RoundVerdict> ask(judge::Judge& judge, const std::string& what, std::int64_t items,
                                const Make& make) const {
    const auto work = [&](std::int64_t begin, std::int64_t end) {
      const std::vector<Compared> compared = make(begin, end);
      const std::vector<Verdict> verdicts =
          verdicts_on(compared, [&](std::span<const Comparison> asked) { return judge.judge(asked); });
      std::vector<Json> lines;
      for (std::size_t i = 0; i < compared.size(); ++i) {
        const Compared& one = compared[i];
        const bool is_ok = verdicts[i].status == VerdictStatus::ok;
        lines.push_back(
            to_json(RoundVerdict{one.comparison.prompt.text, is_ok ? one.of_a(verdicts[i].p_first) : no_verdict,
                                 one.yardstick, one.length_difference, same_position(verdicts[i])}));
      }
      return lines;
    };
    const auto folder = context.directory.checkpoints(stage) / what;
    std::vector<RoundVerdict> said;
    for (const Json& line :
         run::work_by_blocks(context.comm, {stage + " " + what, items, block, folder, context.stop_requested}, work))
      said.push_back(read_round_verdict(line));
    return said;
  }
};

// The first held-out pairs of the study: the same for every round.
std::vector<Compared> fixed_pairs(const Context& context, std::int64_t most) {
  const DataSet pairs = first_pairs(context.study);
  std::vector<Compared> fixed;
  if (pairs.judges.empty()) return fixed;
  const std::string store = heldout_store(pairs.store(pairs.judges.front().name));
  for (Preference& record : preferences::read_store(context.directory.preferences(store))) {
    if (static_cast<std::int64_t>(fixed.size()) == most) break;
    Compared& one = fixed.emplace_back();
    one.comparison = std::move(record.comparison);
    one.yardstick = gold_side(context, one.comparison);
    one.length_difference = judge::length_difference(one.comparison);
  }
  return fixed;
}

std::vector<std::pair<std::string, std::string>> answers_of(const PolicySamples& samples) {
  std::vector<std::pair<std::string, std::string>> answers;
  for (const Json& line : samples.lines)
    for (const Json& sample : line["samples"])
      answers.emplace_back(prompt_key(line), sample["response"].get<std::string>());
  return answers;
}

Json interval_json(const evaluate::Interval& interval) {
  Json json = Json::object();
  put_interval(json, "value", interval);
  return json;
}

// What is said of the round once its policies have answered.
Json decide(const RoundsOptions& options, const ArmOptions& round, const CommonestText& commonest,
            const evaluate::Interval& wins, const evaluate::Interval& known, const std::vector<std::string>& behind) {
  const RoundOutcome outcome = outcome_of(wins, commonest.share, options.collapse_share);
  Json facts;
  facts["by"] = options.stop_by;
  facts["wins"] = interval_json(wins);
  facts["known_wins"] = interval_json(known);
  facts["outcome"] = to_string(outcome);
  facts["ends"] = ends_rounds(outcome);
  facts["kept"] = ends_rounds(outcome) ? round.start : round.name;
  facts["not_run"] = ends_rounds(outcome) ? behind : std::vector<std::string>{};
  facts["commonest_text"] = {{"text", commonest.text}, {"share", commonest.share}};
  return facts;
}

void say(const std::string& stage, const ArmOptions& round, const Json& facts) {
  const auto percent = [&](const Json& of) {
    if (!of.contains("value")) return std::string("not known");
    return fmt::format("{:.1f} % ({:.1f}-{:.1f})", 100 * number(of, "value"), 100 * number(of, "value_low"),
                       100 * number(of, "value_high"));
  };
  const std::string outcome = facts["outcome"].get<std::string>();
  std::string text = stage + ": round " + round.name + " over " + round.start + ": " + outcome + "; wins by judge " +
                     facts["by"].get<std::string>() + " " + percent(facts["wins"]) + ", by the yardstick " +
                     percent(facts["known_wins"]);
  if (!facts["ends"].get<bool>()) return log::info(text);
  text += "; " + round.start + " is kept, ";
  const std::size_t left = facts["not_run"].size();
  text += left == 0 ? "and no round would follow" : std::to_string(left) + " round(s) behind it are not run";
  if (outcome != to_string(RoundOutcome::collapsed)) return log::info(text);
  const Json& commonest = facts["commonest_text"];
  log::warning(text +
               fmt::format("; {:.0f} % of the prompts are answered by one text: \"", 100 * number(commonest, "share")) +
               commonest["text"].get<std::string>().substr(0, 80) + "\"");
}

Json run_round_end(const Context& context, const ArmOptions& round, const RoundsOptions& options,
                   const EvaluateOptions& evaluate) {
  const std::string stage = stage_of(round.name);
  const std::uint64_t seed = hash_words({context.study.run.seed, checksum("rounds")});
  const HeldoutDraws draws{stage, seed, context.directory.root() / "rounds" / round.name};
  EvaluateOptions sampling = evaluate;
  sampling.prompts = options.prompts;
  sampling.samples = 1;
  sampling.specificity = false;
  const auto language = load_language(context);
  const model::Transformer sft = load_run_model(context, first_policy, *language);
  CommonestText commonest;
  for (const std::string& name : {round.start, round.name}) {
    const model::Transformer policy = name == first_policy ? sft.share() : load_policy(context, name, sft, *language);
    const PolicySamples samples = sample_policy(context, sampling, *language, draws, name, policy, sft, seed);
    context.comm.on_root([&] {
      write_samples(draws, name, samples.lines);
      if (name == round.name) commonest = commonest_text(answers_of(samples));
    });
  }
  const ComparedPolicies policies(round.name, round.start);
  std::unique_ptr<EvaluationSamples> samples;
  context.comm.agree([&] { samples = std::make_unique<EvaluationSamples>(context, policies, 1, draws); });
  const auto of_round = [&](std::int64_t begin, std::int64_t end) { return samples->block(begin, end); };

  std::vector<JudgeOptions> asked{context.study.judges.named(options.stop_by)};
  const JudgeOptions* own = own_judge(context.study, round, options);
  if (own) asked.push_back(*own);
  const StageSpending spending(context, stage);
  std::vector<BoundJudge> judges = make_judges(context, asked, language.get(), spending, round.name);
  const Measuring measuring{context, stage, evaluate.block};
  const auto verdicts = measuring.ask(*judges[0].judge, "verdicts", options.prompts, of_round);
  std::vector<RoundVerdict> own_verdicts, own_fixed;
  if (own) {
    own_verdicts = measuring.ask(*judges[1].judge, "own verdicts", options.prompts, of_round);
    std::vector<Compared> fixed;
    context.comm.agree([&] { fixed = fixed_pairs(context, options.prompts); });
    own_fixed = measuring.ask(*judges[1].judge, "own verdicts on fixed pairs", static_cast<std::int64_t>(fixed.size()),
                              [&](std::int64_t begin, std::int64_t end) {
                                return std::vector<Compared>(fixed.begin() + begin, fixed.begin() + end);
                              });
  }
  Json facts;
  context.comm.on_root([&] {
    const int resamples = evaluate.resamples;
    facts = decide(options, round, commonest, wins_of(verdicts, seed, resamples),
                   known_wins_of(verdicts, seed, resamples), rounds_behind(context.study, round.name));
    facts["prompts"] = options.prompts;
    facts["judge"] = judge_measures(verdicts, seed, resamples);
    if (own) {
      facts["own_judge"] = {{"name", own->name}, {"on_round", judge_measures(own_verdicts, seed, resamples)}};
      facts["own_judge"]["on_fixed_pairs"] = judge_measures(own_fixed, seed, resamples);
      facts["own_judge"]["on_fixed_pairs"].erase("favour");  // who wrote which is not told apart there
    }
    say(stage, round, facts);
  });
  if (const Json paid = spending.report(context); !paid.empty()) facts["paid"] = paid;
  // Every rank acts on what ends.
  std::string text = facts.dump();
  context.comm.broadcast(text);
  return Json::parse(text);
}

}  // namespace

void plan_round_end(StudyPlan& plan, const Study& study, const ArmOptions& arm) {
  const RoundsOptions& options = plan.options().rounds;
  if (!arm.is_round || options.stop_by.empty()) return;
  const EvaluateOptions& evaluate = plan.options().evaluate;
  run::Stage stage;
  stage.name = stage_of(arm.name);
  stage.kind = "round-end";
  stage.of = arm.name;
  stage.command = arm.algorithm;
  stage.size =
      count_text(options.prompts, "prompts, ") + arm.name + " against " + arm.start + " by judge " + options.stop_by;
  stage.sections = sections_with({"rounds", "evaluate", arm.section()});
  add_untouched_policy(study, stage.sections);
  stage.reads = {tokenizer_file, "models/sft", "models/" + arm.start, "models/" + arm.name};
  for (const JudgeOptions& judge : first_pairs(study).judges)
    stage.reads.push_back("preferences/" + heldout_store(judge.name));
  for (const std::string& name : {options.stop_by, arm.judge}) {
    add_judge(study, study.judges.named(name), stage.sections);
    add_judge_models(study, study.judges.named(name), stage.reads);
  }
  stage.makes = {"rounds/" + arm.name};
  stage.needs = [options](const run::Assumed&) {
    run::Needs needs;
    needs.asked.push_back({options.stop_by, static_cast<double>(options.prompts)});
    return needs;
  };
  stage.run = in_study(study, [options, evaluate, arm](const Context& context) {
    return run_round_end(context, arm, options, evaluate);
  });
  plan.add(std::move(stage));
}

std::vector<std::string> round_ends_before(const Study& study, const RoundsOptions& options, const std::string& of) {
  std::vector<std::string> ends;
  if (options.stop_by.empty()) return ends;
  const auto learner = std::find_if(study.arms.begin(), study.arms.end(), [&](const ArmOptions& arm) {
    return !of.empty() && (arm.name == of || arm.data == of);
  });
  if (learner == study.arms.end() || !learner->is_round) return ends;
  for (const ArmOptions* round = find_arm(study, learner->start); round; round = find_arm(study, round->start))
    if (round->is_round) ends.push_back(stage_of(round->name));
  return ends;
}

void check_rounds(const Study& study, const RoundsOptions& options) {
  if (options.stop_by.empty()) return;
  const bool has_rounds =
      std::any_of(study.arms.begin(), study.arms.end(), [](const ArmOptions& arm) { return arm.is_round; });
  if (!has_rounds)
    throw usage_error("rounds.stop_by: judge '" + options.stop_by +
                      "' was given, and study.rounds is empty: there is no round to end");
  const auto is_round = [&](const std::string& arm) { return find_arm(study, arm)->is_round; };
  check_stranger("rounds.stop_by", study, options.stop_by, {is_round, "no round learns from"});
}

void bind_rounds(OptionTable& table, RoundsOptions& o) {
  table
      .add("rounds.stop_by", &o.stop_by, "",
           "judge that no round learns from, of study.judges or study.members: where its interval on a round's "
           "policy against the one before shows no gain, the rounds behind it are not run; empty: all are")
      .listed_where_set();
  table.add("rounds.prompts", &o.prompts, "prompts", "held-out prompts on which it compares, of draws of their own")
      .listed_where_set()
      .at_least(1)
      .at_most(most_items);
  table
      .add("rounds.collapse_share", &o.collapse_share, "",
           "share of prompts answered by one text from which a policy is said to have collapsed, which ends rounds")
      .listed_where_set()
      .above(0)
      .at_most(1);
}

}  // namespace rlaif::stages
