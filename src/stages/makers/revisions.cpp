// Demonstrations by a constitution: a policy's answers, revised by a writer principle by principle (Bai et al. 2212.08073,
// section 3). Every step is kept beside them (chains.hpp), so that other data sets choose other steps, or pairs, of the same chains.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "../planning.hpp"
#include "chains.hpp"
#include "makers.hpp"
#include "revising.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/run/artefacts.hpp"
#include "rlaif/run/blocks.hpp"
#include "rlaif/stages/binding.hpp"
#include "rlaif/study/bill.hpp"
#include "rlaif/study/check_options.hpp"
#include "rlaif/study/prompt_room.hpp"
#include "rlaif/study/sampling_keys.hpp"
#include "rlaif/study/writers.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::stages {
namespace {

// How the answers are drawn.
struct AnswerOptions {
  double temperature = 1.0;
  int top_k = 0;
  double top_p = 1.0;
  int max_new_tokens = 40;
  int slots = 64;
};

// Prompts by item: first those whose answers are revised, then those that are only answered.
class ChosenPrompts {
 public:
  // Of the draws 0, 1, 2, ... each goes where it belongs until there are enough. Throws Error(input) where most belong nowhere.
  ChosenPrompts(const Context& context, const DataSet& data, const std::vector<std::string>& families,
                const ChainSource& source, Split split)
      : context_(&context), data_(&data), split_(split) {
    std::int64_t revised = split == Split::train ? source.prompts : source.heldout_prompts;
    std::int64_t answered = split == Split::train ? source.answers_only() : 0;
    const std::int64_t most = 1000 + 1000 * (revised + answered);
    std::vector<std::int64_t> others;
    for (std::int64_t draw = 0; revised + answered > 0; ++draw) {
      if (draw == most) throw input_error(missing_text(families, revised > 0));
      const bool belongs =
          families.empty() || std::find(families.begin(), families.end(), draw_of(draw).family) != families.end();
      const bool to_revise = revised > 0 && belongs;
      if (!to_revise && (answered == 0 || (!families.empty() && belongs))) continue;
      (to_revise ? draws_ : others).push_back(draw);
      --(to_revise ? revised : answered);
    }
    draws_.insert(draws_.end(), others.begin(), others.end());
  }
  Prompt at(std::int64_t item) const { return draw_of(draws_[static_cast<std::size_t>(item)]); }

 private:
  Prompt draw_of(std::int64_t draw) const {
    return context_->task.draw(Task::Purpose::annotate, split_, data_->seed, draw);
  }
  std::string missing_text(const std::vector<std::string>& families, bool to_revise) const {
    std::string names;
    for (const std::string& family : families) names += (names.empty() ? "" : " ") + family;
    return data_->section + ".families = " + names + ": too few " +
           (split_ == Split::train ? "training prompts" : "held-out prompts") + " are " +
           (to_revise ? "of these families" : "of other families, which are answered and not revised");
  }

  const Context* context_;
  const DataSet* data_;
  Split split_;
  std::vector<std::int64_t> draws_;
};

// Files of a model by checksum, as 16 hex digits: whose answers and texts they are. On the root.
std::string model_digest(const Context& context, const std::string& name) {
  std::filesystem::path folder = context.directory.model(name);
  if (!std::filesystem::exists(folder)) {
    if (name == first_policy)
      folder = context.study.policy.network.folder;
    else
      folder = name;
  }
  folder = std::filesystem::absolute(folder).lexically_normal();
  const Json files = run::list_artefacts(folder.parent_path(), {folder.filename()});
  return fmt::format("{:016x}", checksum(files.dump()));
}

class Revisions final : public Maker {
 public:
  DataKind makes() const override { return DataKind::demonstrations; }
  void bind(OptionTable& table, DataOptions& data) override;
  void check(const Study& study, const DataOptions& data) const override;
  void plan(StudyPlan& plan, const Study& study, const DataSet& data) const override;
  const ChainSource* chains() const override { return &source_; }

 private:
  run::Needs needs(const Study& study, const DataSet& data, const run::Assumed& assumed) const;
  Json run(const Context& context, const DataSet& data) const;
  Json store(const Context& context, const DataSet& data, const std::vector<Json>& train,
             const std::vector<Json>& heldout) const;
  Json facts(const std::vector<Chain>& chains, const ChainCounts& left_out) const;

  std::string writer_;
  RevisingOptions revising_;
  ChainSource source_;
  std::vector<std::string> families_;
  std::string steps_ = "all";
  AnswerOptions answers_;
};

void Revisions::bind(OptionTable& table, DataOptions& data) {
  const std::string section = data.section();
  table.add(section + ".policy", &data.policy, "", "whose answers: sft or an arm before those that learn from them");
  table.add(section + ".writer", &writer_, "", "who revises: a name of [writer.NAME]");
  bind_revising(table, section, revising_);
  table.add(section + ".turns", &source_.turns, "revisions", "revisions of an answer, each by a principle")
      .at_least(1)
      .at_most(64);
  table.add(
      section + ".steps", &steps_, "",
      "which responses are demonstrations: all, last (the last revision), a step such as 1, or steps such as 1..2; "
      "0: the answer, as a control");
  table.add(section + ".prompts", &source_.prompts, "prompts", "whose answers are revised")
      .at_least(1)
      .at_most(most_items);
  table
      .add(section + ".heldout_prompts", &source_.heldout_prompts, "prompts",
           "held-out prompts whose answers are revised too, for data sets of pairs")
      .at_least(0)
      .at_most(most_items);
  table.add(section + ".families", &families_, "", "revise answers to prompts of these families alone; empty: of all");
  table
      .add(section + ".helpful_share", &source_.helpful_share, "",
           "share of all prompts whose answers are demonstrations as they are, of other families where some are named")
      .at_least(0)
      .below(1);
  table.add(section + ".block", &source_.block, "prompts", "size of a block of work").at_least(1).at_most(most_items);
  table.add(section + ".temperature", &answers_.temperature, "", "temperature of sampling answers").above(0);
  study::bind_truncation(table, section, answers_.top_k, answers_.top_p);
  table.add(section + ".max_new_tokens", &answers_.max_new_tokens, "tokens", "longest answer").at_least(1);
  table.add(section + ".slots", &answers_.slots, "sequences", "sequences decoded together").at_least(1);
}

void Revisions::check(const Study& study, const DataOptions& data) const {
  named_writer(study.writers, data.section() + ".writer", writer_);
  StepRange::read(data.section() + ".steps", steps_, source_.turns);
  check_response_length(study.policy, data.section() + ".max_new_tokens", answers_.max_new_tokens);
  const RevisingOptions& o = revising_;
  for (const auto& file : {o.principles, o.critique_template, o.revision_template, o.direct_template, o.stock}) {
    if (!std::filesystem::exists(file)) return;  // a deck is planned before its files are there
  }
  if (o.examples.empty() || std::filesystem::exists(o.examples)) Revising(data.section(), o, source_.turns, 0);
}

run::Needs Revisions::needs(const Study& study, const DataSet& data, const run::Assumed& assumed) const {
  const WriterOptions& writer = named_writer(study.writers, "writer", writer_);
  const Sizes sizes(study, assumed);
  const double length = sizes.prompt_length + answers_.max_new_tokens;
  run::Needs needs;
  add_part(needs, "policy: weights", sizes.weight_bytes(sizes.weights));
  add_part(needs, "cache", sizes.cache_bytes(answers_.slots, length));
  add_part(needs, "logits", sizes.logits_bytes(answers_.slots));
  const auto prompts = static_cast<double>(source_.items(Split::train) + source_.items(Split::heldout));
  const auto revised = static_cast<double>(source_.prompts + source_.heldout_prompts);
  needs.generated_tokens = prompts * answers_.max_new_tokens;
  needs.flops = 2.0 * sizes.weights * (needs.generated_tokens + prompts * sizes.prompt_length);
  if (!writer.is_remote()) {
    // A writer of the policy's size: other folders' sizes are not looked up.
    const double texts = revised * source_.turns * (revising_.critiques ? 2.0 : 1.0);
    if (writer_model(writer, data.policy) != data.policy)
      add_part(needs, "writer: weights", sizes.weight_bytes(sizes.weights));
    add_part(needs, "writer: cache", sizes.cache_bytes(writer.local.slots, length + writer.local.max_new_tokens));
    needs.generated_tokens += texts * writer.local.max_new_tokens;
    needs.flops += 2.0 * sizes.weights * texts * (length + writer.local.max_new_tokens);
    return needs;
  }
  const int critique = std::min<int>(static_cast<int>(AssumedTokens{}.answer), writer.remote.max_output_tokens);
  needs.written.push_back({writer.name, revised,
                           [this, seed = data.seed, section = data.section, critique,
                            how = data.maker](std::span<const Prompt* const> about) {
                             const Revising revising(section, revising_, source_.turns, seed);
                             const std::string answer = filler_text("the", answers_.max_new_tokens);
                             std::vector<std::vector<Message>> conversations;
                             for (const Prompt* prompt : about) {
                               for (auto& turns : revising.conversations(*prompt, answer, filler_text("and", critique)))
                                 conversations.push_back(std::move(turns));
                             }
                             return conversations;
                           }});
  return needs;
}

void Revisions::plan(StudyPlan& plan, const Study& study, const DataSet& data) const {
  const WriterOptions& writer = named_writer(study.writers, data.section + ".writer", writer_);
  std::string size = count_text(source_.prompts + source_.heldout_prompts, "answers of ") + data.policy +
                     ", each revised " + count_text(source_.turns, "times by writer ") + writer_;
  if (source_.answers_only() > 0) size += ", and " + count_text(source_.answers_only(), "as they are");
  run::Stage stage =
      demonstrations_stage(study, data, size, {writer.section(), "cost.prices"},
                           [this, data, how = data.maker](const Context& context) { return run(context, data); });
  stage.reads = {tokenizer_file, "models/" + data.policy};
  if (!writer.is_remote() && writer.model != "policy") {
    stage.reads.push_back("models/" + writer.model);
    if (std::filesystem::is_directory(writer.model))
      stage.reads.push_back(std::filesystem::absolute(writer.model).string());
  }
  add_untouched_policy(study, stage.sections);
  stage.needs = [this, &study, data, how = data.maker](const run::Assumed& assumed) {
    return needs(study, data, assumed);
  };
  plan.add(std::move(stage));
}

// Chains of the prompts that fit, with the policy's answers.
std::vector<Chain> answered(const Language& language, const model::Transformer& policy, generate::Engine& engine,
                            const AnswerOptions& options, std::uint64_t seed, std::vector<Chain> unanswered) {
  std::vector<Chain> chains;
  std::vector<generate::GenerationRequest> requests;
  for (Chain& chain : unanswered) {
    std::vector<TokenId> tokens = language.chat.prompt(chain.prompt);
    if (static_cast<std::int64_t>(tokens.size()) > longest_prompt(policy, options.max_new_tokens)) continue;
    requests.push_back({std::move(tokens), chain.prompt.id, {0}});
    chains.push_back(std::move(chain));
  }
  if (requests.empty()) return chains;
  const auto drawn = engine.generate(requests, {options.temperature, options.top_k, options.top_p,
                                                options.max_new_tokens, policy.config().end_tokens.ids(), seed});
  for (std::size_t i = 0; i < chains.size(); ++i) {
    chains[i].answer.text = language.tokenizer.decode(drawn[i].front().tokens);
    chains[i].answer.ended = drawn[i].front().ended;
  }
  return chains;
}

Json Revisions::run(const Context& context, const DataSet& data) const {
  const std::string stage = data.stage("data");
  const auto language = load_language(context);
  const model::Transformer policy = load_run_model(context, data.policy, *language);
  const StageSpending spending(context, stage);
  const WriterOptions& options = named_writer(context.study.writers, "writer", writer_);
  const BoundWriter bound = make_writer(context, options, *language, spending, data.policy, policy);
  std::optional<Revising> revising;
  std::map<Split, ChosenPrompts> prompts;
  context.comm.agree([&] {
    revising.emplace(data.section, revising_, source_.turns, data.seed);
    for (const Split split : {Split::train, Split::heldout})
      prompts.emplace(split, ChosenPrompts(context, data, families_, source_, split));
  });
  require_a_prompt_that_fits(context, *language, policy, stage, data.section + ".max_new_tokens",
                             answers_.max_new_tokens, source_.prompts,
                             [&](std::int64_t item) { return prompts.at(Split::train).at(item); });
  generate::Engine engine(policy, {answers_.slots, 1024});
  std::map<Split, std::vector<Json>> blocks;
  for (const Split split : {Split::train, Split::heldout}) {
    const auto kept = context.directory.checkpoints(stage) / (split == Split::train ? "train" : "heldout");
    blocks[split] = run::work_by_blocks(
        context.comm, {stage, source_.items(split), source_.block, kept, context.stop_requested},
        [&](std::int64_t begin, std::int64_t end) {
          std::vector<Chain> of_block;
          for (std::int64_t item = begin; item < end; ++item) {
            const bool is_revised = split == Split::heldout || item < source_.prompts;
            of_block.push_back({prompts.at(split).at(item), {}, is_revised});
          }
          std::vector<Chain> chains = answered(*language, policy, engine, answers_, data.seed, std::move(of_block));
          revising->revise(chains, *bound.writer);
          Json lines = Json::array();
          for (const Chain& chain : chains) lines.push_back(to_json(chain));
          return std::vector<Json>{std::move(lines)};
        });
  }
  const Json paid = spending.report(context);
  Json facts;
  context.comm.on_root([&] {
    facts = store(context, data, blocks.at(Split::train), blocks.at(Split::heldout));
    facts["writer"] = {{"name", options.name}, {"model", options.model}};
    if (!options.is_remote()) facts["writer"]["digest"] = model_digest(context, writer_model(options, data.policy));
    facts["policy"] = {{"name", data.policy}, {"digest", model_digest(context, data.policy)}};
    facts["seed"] = data.seed;
    if (!paid.empty()) facts["paid"] = paid;
  });
  return facts;
}

// Writes chains and demonstrations. On the root.
Json Revisions::store(const Context& context, const DataSet& data, const std::vector<Json>& train,
                      const std::vector<Json>& heldout) const {
  const auto folder = context.directory.root() / data_path(data);
  make_folders(folder);
  const StepRange range = StepRange::read(data.section + ".steps", steps_, source_.turns);
  std::vector<Json> lines;
  std::vector<Chain> all;
  ChainCounts left_out;
  for (const auto& [split, blocks] : {std::pair(Split::train, &train), std::pair(Split::heldout, &heldout)}) {
    for (std::size_t b = 0; b < blocks->size(); ++b) {
      std::string text;
      for (const Json& line : (*blocks)[b]) text += text::to_json_line(line) + "\n";
      const auto file = folder / chain_file(split, static_cast<std::int64_t>(b));
      write_file_atomic(file, text);
      Json& of_block = lines.emplace_back(Json::array());
      for (Chain& chain : read_chains(file)) {
        if (split == Split::train) {
          for (const Demonstration& one : demonstrations_of(chain, range, left_out))
            of_block.push_back(demonstration_line(one));
        }
        all.push_back(std::move(chain));
      }
      if (split == Split::heldout) lines.pop_back();
    }
  }
  Json facts = this->facts(all, left_out);
  const auto too_long = source_.items(Split::train) + source_.items(Split::heldout) - std::ssize(all);
  facts["revisions"]["prompts_too_long"] = too_long;
  facts.update(write_demonstration_blocks(context, data, lines));
  return facts;
}

Json Revisions::facts(const std::vector<Chain>& chains, const ChainCounts& left_out) const {
  Json facts;
  facts["revisions"] = chain_facts(chains);
  facts["left_out"] = left_out;
  std::string text;
  for (const auto& [why, count] : left_out) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + why;
  if (!text.empty()) log::info("revisions: left out of the demonstrations: " + text);
  return facts;
}

}  // namespace

std::unique_ptr<Maker> make_revisions() { return std::make_unique<Revisions>(); }

}  // namespace rlaif::stages
