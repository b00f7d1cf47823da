// Generation and judging as one collective stage: ranks take blocks of prompts from a shared counter.
#include <algorithm>
#include <map>

#include "../planning.hpp"
#include "makers.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/ids.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/stages/judge_facts.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/canaries.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/judges.hpp"
#include "rlaif/study/prompt_room.hpp"

namespace rlaif::stages {
namespace {

struct BlockCounts {
  double prompts_too_long = 0, identical_prompts = 0, generated_tokens = 0, generate_seconds = 0;
};

// Everything the stage needs on one rank.
struct Annotator {
  const Context& context;
  const DataSet& pairs;
  const Language& language;
  const model::Transformer& policy;
  generate::Engine engine;
  std::vector<BoundJudge> judges;
  BlockCounts counts;
  std::map<std::string, double> judge_seconds;
};

struct SplitPlan {
  Split split;
  std::int64_t prompts;
  std::int64_t blocks;
};

SplitPlan split_plan(const AnnotateOptions& options, Split split) {
  const std::int64_t prompts = split == Split::train ? options.prompts : options.heldout_prompts;
  return {split, prompts, (prompts + options.block - 1) / options.block};
}

std::string store_name(const DataSet& pairs, const std::string& judge, Split split) {
  return split == Split::train ? pairs.store(judge) : heldout_store(pairs.store(judge));
}

// Draws of one prompt; identical texts are redrawn a few times, each attempt with sample numbers of its own.
struct DrawnPrompt {
  Prompt prompt;
  std::vector<TokenId> tokens;
  std::vector<Completion> distinct;
};

void keep_distinct(DrawnPrompt& drawn, const std::vector<generate::Generated>& generated, const Language& language,
                   std::size_t wanted) {
  for (const generate::Generated& one : generated) {
    if (drawn.distinct.size() == wanted) return;
    Completion completion{
        one.sample, language.tokenizer.decode_text(one.tokens), one.tokens, one.log_probs, one.ended, one.end_token};
    const bool seen = std::any_of(drawn.distinct.begin(), drawn.distinct.end(),
                                  [&](const Completion& other) { return other.text == completion.text; });
    if (!seen) drawn.distinct.push_back(std::move(completion));
  }
}

std::vector<DrawnPrompt> draw_block(Annotator& self, const SplitPlan& plan, std::int64_t block) {
  const AnnotateOptions& options = self.context.study.annotate;
  std::vector<DrawnPrompt> drawn;
  const std::int64_t begin = block * options.block, end = std::min(begin + options.block, plan.prompts);
  for (std::int64_t item = begin; item < end; ++item) {
    DrawnPrompt one;
    one.prompt = self.context.task.draw(Task::Purpose::annotate, plan.split, self.pairs.seed, item);
    one.tokens = self.language.chat.prompt(one.prompt);
    if (static_cast<std::int64_t>(one.tokens.size()) > longest_prompt(self.policy, options.max_new_tokens)) {
      self.counts.prompts_too_long += 1;
      continue;
    }
    drawn.push_back(std::move(one));
  }
  generate::SamplingOptions sampling{
      options.temperature, options.top_k, options.top_p, options.max_new_tokens, self.policy.config().end_tokens.ids(),
      self.pairs.seed};
  const auto wanted = static_cast<std::size_t>(options.completions);
  for (int attempt = 0; attempt <= options.redraws; ++attempt) {
    std::vector<generate::GenerationRequest> requests;
    std::vector<std::size_t> whose;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      const std::size_t missing = wanted - drawn[i].distinct.size();
      if (missing == 0) continue;
      generate::GenerationRequest request{drawn[i].tokens, drawn[i].prompt.id, {}};
      for (std::size_t k = 0; k < missing; ++k) {
        request.samples.push_back(static_cast<std::uint32_t>(static_cast<std::size_t>(attempt) * wanted + k));
      }
      requests.push_back(std::move(request));
      whose.push_back(i);
    }
    if (requests.empty()) break;
    const auto generated = self.engine.generate(requests, sampling);
    for (std::size_t r = 0; r < requests.size(); ++r)
      keep_distinct(drawn[whose[r]], generated[r], self.language, wanted);
  }
  return drawn;
}

std::vector<Comparison> all_pairs(Annotator& self, const std::vector<DrawnPrompt>& drawn) {
  std::vector<Comparison> comparisons;
  for (const DrawnPrompt& one : drawn) {
    if (one.distinct.size() < static_cast<std::size_t>(self.context.study.annotate.completions)) {
      self.counts.identical_prompts += 1;
    }
    std::uint64_t pair = 0;
    for (std::size_t i = 0; i < one.distinct.size(); ++i) {
      for (std::size_t j = i + 1; j < one.distinct.size(); ++j, ++pair) {
        comparisons.push_back({pair_id(one.prompt.id, pair), one.prompt, one.distinct[i], one.distinct[j]});
      }
    }
  }
  return comparisons;
}

void annotate_block(Annotator& self, const SplitPlan& plan, std::int64_t block) {
  const Stopwatch generating;
  const std::vector<Comparison> comparisons = all_pairs(self, draw_block(self, plan, block));
  self.counts.generate_seconds += generating.seconds();
  for (BoundJudge& bound : self.judges) {
    const std::string& name = bound.judge->name();
    const Stopwatch judging;
    const std::vector<Verdict> verdicts = bound.judge->judge(comparisons);
    RLAIF_CHECK(verdicts.size() == comparisons.size(), "a judge must give one verdict per comparison");
    self.judge_seconds[name] += judging.seconds();
    std::vector<Preference> records;
    records.reserve(comparisons.size());
    for (std::size_t i = 0; i < comparisons.size(); ++i) records.push_back({comparisons[i], verdicts[i], name});
    write_canary_counts(self.context.directory, store_name(self.pairs, name, plan.split), block, bound);
    preferences::write_shard(self.context.directory.preferences(store_name(self.pairs, name, plan.split)),
                             static_cast<std::uint64_t>(block), name, records);
  }
}

// Blocks that not every judge's store has yet. Looked up once, by the root, and told to all.
std::vector<std::int64_t> open_blocks(const Context& context, const DataSet& pairs, const SplitPlan& plan) {
  std::string text;
  context.comm.on_root([&] {
    std::vector<bool> open(static_cast<std::size_t>(plan.blocks), false);
    for (const JudgeOptions& judge : pairs.judges) {
      const auto folder = context.directory.preferences(store_name(pairs, judge.name, plan.split));
      make_folders(folder);
      const std::vector<bool> finished = preferences::finished_blocks(folder, static_cast<std::uint64_t>(plan.blocks));
      const bool counts = takes_canaries(context.study.judges, judge);
      for (std::size_t b = 0; b < open.size(); ++b) {
        const auto count_file =
            canary_file(context.directory, store_name(pairs, judge.name, plan.split), static_cast<std::int64_t>(b));
        open[b] = open[b] || !finished[b] || (counts && !std::filesystem::exists(count_file));
      }
    }
    for (std::size_t b = 0; b < open.size(); ++b) text += open[b] ? '1' : '0';
  });
  context.comm.broadcast(text);
  std::vector<std::int64_t> blocks;
  for (std::size_t b = 0; b < text.size(); ++b) {
    if (text[b] == '1') blocks.push_back(static_cast<std::int64_t>(b));
  }
  return blocks;
}

void annotate_split(Annotator& self, const SplitPlan& plan) {
  const Context& context = self.context;
  const std::vector<std::int64_t> open = open_blocks(context, self.pairs, plan);
  bool stopped = false;
  {
    comm::WorkCounter counter(context.comm, static_cast<std::int64_t>(open.size()));
    Progress progress(self.pairs.stage("annotate") + (plan.split == Split::train ? "" : " held-out"),
                      static_cast<std::uint64_t>(plan.blocks), "block", context.comm.is_root());
    const auto before = static_cast<std::uint64_t>(plan.blocks) - open.size();
    progress.start_at(before);
    for (std::int64_t next; (next = counter.next()) >= 0;) {
      if (context.stop_requested()) {
        stopped = true;
        break;
      }
      annotate_block(self, plan, open[static_cast<std::size_t>(next)]);
      progress.update(before + static_cast<std::uint64_t>(next) + 1);  // all up to this one are done or in hand
    }
    context.comm.barrier();
    progress.finish();
  }
  if (context.comm.any(stopped)) {
    throw Error(ErrorKind::interrupted,
                self.pairs.stage("annotate") + ": stopped between blocks by a signal; run again to continue");
  }
  context.comm.on_root([&] {
    for (const JudgeOptions& judge : self.pairs.judges) {
      preferences::finish_store(context.directory.preferences(store_name(self.pairs, judge.name, plan.split)),
                                static_cast<std::uint64_t>(plan.blocks), judge.name);
    }
  });
}

Json annotate_facts(const Annotator& self) {
  const Context& context = self.context;
  std::vector<double> sums{self.counts.prompts_too_long, self.counts.identical_prompts, self.counts.generate_seconds};
  for (const JudgeOptions& judge : self.pairs.judges) {
    const auto found = self.judge_seconds.find(judge.name);
    sums.push_back(found == self.judge_seconds.end() ? 0.0 : found->second);
  }
  context.comm.all_reduce_sum(std::span<double>(sums));
  Json facts;
  facts["prompts_too_long"] = sums[0];
  facts["prompts_with_identical_completions"] = sums[1];
  facts["generate_rank_seconds"] = sums[2];
  for (std::size_t j = 0; j < self.pairs.judges.size(); ++j) {
    facts["judge_rank_seconds"][self.pairs.judges[j].name] = sums[3 + j];
  }
  if (sums[0] > 0) {
    log::info(self.pairs.stage("annotate") + ": " + std::to_string(static_cast<std::int64_t>(sums[0])) +
              " prompts were longer than the context allows and were skipped");
  }
  return facts;
}

// How often each member of a combined judge was asked, from what is stored: the same however often the stage was
// stopped.
void add_asked(const Context& context, const DataSet& pairs, Json& facts) {
  context.comm.on_root([&] {
    for (const JudgeOptions& judge : pairs.judges) {
      if (!is_combined(judge.kind)) continue;
      std::map<std::string, std::int64_t> counts;
      for (const Split split : {Split::train, Split::heldout}) {
        count_asked(preferences::read_store(context.directory.preferences(store_name(pairs, judge.name, split))),
                    counts);
      }
      facts["asked"][judge.name] = asked_facts(judge, counts);
    }
  });
}

Json run(const Context& context, const DataSet& pairs) {
  const AnnotateOptions& options = context.study.annotate;
  const auto language = load_language(context);
  const model::Transformer policy = load_run_model(context, pairs.policy, *language);
  for (const Split split : {Split::train, Split::heldout}) {
    require_a_prompt_that_fits(context, *language, policy, pairs.stage("annotate"), "annotate.max_new_tokens",
                               options.max_new_tokens, split_plan(options, split).prompts, [&](std::int64_t item) {
                                 return context.task.draw(Task::Purpose::annotate, split, pairs.seed, item);
                               });
  }
  Annotator self{context, pairs, *language, policy, generate::Engine(policy, {options.slots, 1024}), {}, {}, {}};
  const StageSpending spending(context, pairs.stage("annotate"));
  self.judges = make_judges(context, pairs.judges, language.get(), spending, pairs.policy);
  for (std::size_t j = 0; j < self.judges.size(); ++j) add_canaries(context, pairs.judges[j], self.judges[j]);
  for (const Split split : {Split::train, Split::heldout}) annotate_split(self, split_plan(options, split));
  Json facts = annotate_facts(self);
  add_asked(context, pairs, facts);
  const Json paid = spending.report(context);
  if (!paid.empty()) facts["paid"] = paid;
  const Json canaries = canary_facts(context, pairs, split_plan(options, Split::train).blocks,
                                     split_plan(options, Split::heldout).blocks);
  if (!canaries.empty()) facts["canaries"] = canaries;
  return facts;
}

run::Needs pairs_needs(const Study& study, const DataSet& pairs, const run::Assumed& assumed) {
  const Sizes sizes(study, assumed);
  const AnnotateOptions& a = study.annotate;
  run::Needs needs;
  add_part(needs, "policy: weights", sizes.weight_bytes(sizes.weights));
  add_part(needs, "cache", sizes.cache_bytes(a.slots, sizes.prompt_length + a.max_new_tokens));
  add_part(needs, "logits", sizes.logits_bytes(a.slots));
  const double prompts = static_cast<double>(a.prompts + a.heldout_prompts);
  needs.generated_tokens = prompts * a.completions * a.max_new_tokens;
  needs.flops = 2.0 * sizes.weights * (needs.generated_tokens + prompts * sizes.prompt_length);
  for (const JudgeOptions& judge : pairs.judges) {
    needs.asked.emplace_back(judge.name, prompts * static_cast<double>(a.pairs_a_prompt()));
    sizes.add_reward_judges(needs, judge.name, prompts * a.completions, sizes.prompt_length + a.max_new_tokens);
  }
  return needs;
}

class Pairs final : public Maker {
 public:
  DataKind makes() const override { return DataKind::preferences; }
  void bind(OptionTable& table, DataOptions& data) override {
    table.add(data.section() + ".policy", &data.policy, "",
              "whose responses are compared: sft or an arm before those that learn from them");
  }
  void plan(StudyPlan& plan, const Study& study, const DataSet& data) const override;
};

void Pairs::plan(StudyPlan& plan, const Study& study, const DataSet& pairs) const {
  run::Stage stage{
      .name = pairs.stage("annotate"),
      .kind = "annotate",
      .of = pairs.name,
      .command = "annotate",
      .size = "up to " + count_text(study.annotate.pairs(), "pairs and ") +
              count_text(study.annotate.heldout_prompts * study.annotate.pairs_a_prompt(), "held-out ones by ") +
              pairs.policy + ", by " +
              (pairs.judges.size() == 1 ? "judge " + pairs.judges.front().name
                                        : count_text(static_cast<std::int64_t>(pairs.judges.size()), "judges")),
      .sections = sections_with({"annotate", "judge", "cost.prices"}),
      .reads = {tokenizer_file, "models/" + pairs.policy},
      .needs = [&study, pairs](const run::Assumed& assumed) { return pairs_needs(study, pairs, assumed); },
      .run = in_study(study, [pairs](const Context& context) { return run(context, pairs); })};
  add_untouched_policy(study, stage.sections);
  for (const JudgeOptions& judge : pairs.judges) {
    add_judge(study, judge, stage.sections);
    add_judge_models(study, judge, stage.reads);
    for (const std::string& store : {pairs.store(judge.name), heldout_store(pairs.store(judge.name))}) {
      stage.makes.push_back("preferences/" + store);
      stage.makes.push_back("canaries/" + store);
    }
  }
  plan.add(std::move(stage));
}

}  // namespace

std::unique_ptr<Maker> make_pairs() { return std::make_unique<Pairs>(); }

void bind_annotate(OptionTable& table, AnnotateOptions& o) {
  table.add("annotate.prompts", &o.prompts, "prompts", "to draw pairs for, with the families' weights")
      .at_least(0)
      .at_most(most_items);
  table
      .add("annotate.heldout_prompts", &o.heldout_prompts, "prompts",
           "held-out ones, for judge and reward-model accuracy")
      .at_least(0)
      .at_most(most_items);
  table.add("annotate.completions", &o.completions, "completions", "a prompt; all pairs of distinct texts are asked")
      .at_least(2)
      .at_most(22);
  table.add("annotate.redraws", &o.redraws, "attempts", "to replace identical texts").at_least(0);
  table.add("annotate.block", &o.block, "prompts", "a block; one block is one shard").at_least(1).at_most(most_items);
  table.add("annotate.temperature", &o.temperature, "", "of sampling").at_least(0);
  table.add("annotate.top_k", &o.top_k, "tokens", "0: off").at_least(0);
  table.add("annotate.top_p", &o.top_p, "", "1: off").above(0).at_most(1);
  table.add("annotate.max_new_tokens", &o.max_new_tokens, "tokens", "longest completion").at_least(1);
  table.add("annotate.slots", &o.slots, "sequences", "decoded together").at_least(1);
}

}  // namespace rlaif::stages
