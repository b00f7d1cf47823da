// Generation and judging as one collective stage: ranks take blocks of prompts from a shared counter.
#include <algorithm>

#include "../planning.hpp"
#include "labelling.hpp"
#include "makers.hpp"
#include "rlaif/core/ids.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/prompt_room.hpp"
#include "rlaif/study/sampling_keys.hpp"

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
  BlockCounts counts;
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

std::vector<Comparison> block_comparisons(Annotator& self, const SplitPlan& plan, std::int64_t block) {
  const Stopwatch generating;
  std::vector<Comparison> comparisons = all_pairs(self, draw_block(self, plan, block));
  self.counts.generate_seconds += generating.seconds();
  return comparisons;
}

Json draw_facts(const Annotator& self) {
  std::vector<double> sums{self.counts.prompts_too_long, self.counts.identical_prompts, self.counts.generate_seconds};
  self.context.comm.all_reduce_sum(std::span<double>(sums));
  Json facts;
  facts["prompts_too_long"] = sums[0];
  facts["prompts_with_identical_completions"] = sums[1];
  facts["generate_rank_seconds"] = sums[2];
  if (sums[0] > 0) {
    log::info(self.pairs.stage("annotate") + ": " + std::to_string(static_cast<std::int64_t>(sums[0])) +
              " prompts were longer than the context allows and were skipped");
  }
  return facts;
}

Json run(const Context& context, const DataSet& pairs) {
  const AnnotateOptions& options = context.study.annotate;
  const auto language = load_language(context);
  const model::Transformer policy = load_run_model(context, pairs.policy, *language);
  const SplitPlan train = split_plan(options, Split::train), heldout = split_plan(options, Split::heldout);
  for (const SplitPlan& plan : {train, heldout}) {
    require_a_prompt_that_fits(context, *language, policy, pairs.stage("annotate"), "annotate.max_new_tokens",
                               options.max_new_tokens, plan.prompts, [&](std::int64_t item) {
                                 return context.task.draw(Task::Purpose::annotate, plan.split, pairs.seed, item);
                               });
  }
  Annotator self{context, pairs, *language, policy, generate::Engine(policy, {options.slots, 1024}), {}};
  Labelling labelling(context, pairs, language.get());
  for (const SplitPlan& plan : {train, heldout}) {
    labelling.run(plan.split, plan.blocks, [&](std::int64_t block) { return block_comparisons(self, plan, block); });
  }
  Json facts = draw_facts(self);
  facts.update(labelling.facts(train.blocks, heldout.blocks));
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
    needs.asked.push_back({judge.name, prompts * static_cast<double>(a.pairs_a_prompt())});
    sizes.add_reward_judges(needs, judge.name, prompts * a.completions, sizes.prompt_length + a.max_new_tokens);
  }
  return needs;
}

class Pairs final : public Maker {
 public:
  DataKind makes() const override { return DataKind::preferences; }
  void bind(OptionTable& table, DataOptions& data) override {
    table.add(data.section() + ".policy", &data.policy, "",
              "policy whose responses are compared: sft or an arm before those that learn from them");
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
  add_labelling(study, pairs, stage);
  plan.add(std::move(stage));
}

}  // namespace

std::unique_ptr<Maker> make_pairs() { return std::make_unique<Pairs>(); }

void bind_annotate(OptionTable& table, AnnotateOptions& o) {
  table.add("annotate.prompts", &o.prompts, "prompts", "prompts to draw pairs for, with the families' weights")
      .at_least(0)
      .at_most(most_items);
  table
      .add("annotate.heldout_prompts", &o.heldout_prompts, "prompts",
           "held-out prompts, for judge and reward-model accuracy")
      .at_least(0)
      .at_most(most_items);
  table
      .add("annotate.completions", &o.completions, "completions",
           "completions of a prompt; all pairs of distinct texts are asked")
      .at_least(2)
      .at_most(22);
  table.add("annotate.redraws", &o.redraws, "attempts", "attempts to replace identical texts").at_least(0);
  table.add("annotate.block", &o.block, "prompts", "prompts of a block; one block is one shard")
      .at_least(1)
      .at_most(most_items);
  table.add("annotate.temperature", &o.temperature, "", "temperature of sampling").at_least(0);
  study::bind_truncation(table, "annotate", o.top_k, o.top_p);
  table.add("annotate.max_new_tokens", &o.max_new_tokens, "tokens", "longest completion").at_least(1);
  table.add("annotate.slots", &o.slots, "sequences", "sequences decoded together").at_least(1);
}

}  // namespace rlaif::stages
