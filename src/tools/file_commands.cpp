// Commands over the user's own files: generate completions of prompts, judge pairs.
#include <algorithm>
#include <limits>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/option_table.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/records/records.hpp"
#include "rlaif/run/artefacts.hpp"
#include "rlaif/run/blocks.hpp"
#include "rlaif/stages/judge_facts.hpp"
#include "rlaif/study/canaries.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/judges.hpp"
#include "rlaif/study/paid_run.hpp"
#include "rlaif/study/prompt_room.hpp"
#include "rlaif/text/jsonl.hpp"
#include "rlaif/tools/file_commands.hpp"

namespace rlaif::tools {
namespace {

// `work` makes lines of a block of items; the root writes all, in the order of the items.
void write_lines_by_blocks(const comm::Communicator& comm, const std::string& what, std::int64_t items,
                           const std::filesystem::path& output,
                           const std::function<std::vector<Json>(std::int64_t begin, std::int64_t end)>& work) {
  const std::vector<Json> lines = work_by_blocks(comm, {what, items}, work);
  comm.on_root([&] {
    std::string text;
    for (const Json& line : lines) text += line.get<std::string>() + "\n";
    write_file_atomic(output, text);
  });
}

void require_places(const IoOptions& io) {
  if (io.input.empty()) throw usage_error("io.input: a file to read was expected");
  if (io.output.empty()) throw usage_error("io.output: a file to write was expected");
  if (std::filesystem::is_directory(io.output))
    throw usage_error("io.output = " + io.output.string() + ": is a folder; a file to write was expected");
}

std::vector<Comparison> read_pairs(const std::filesystem::path& file) {
  std::vector<Comparison> pairs;
  records::RecordReader reader(file, records::Kind::pair, records::Flawed::keep);
  for (records::Record record; reader.next(record);) {
    Comparison comparison;
    comparison.id = pairs.size();
    comparison.prompt = {pairs.size(), std::move(record.prompt.text), "", std::move(record.prompt.turns)};
    comparison.first.text = std::move(record.responses[0]);
    comparison.second.text = std::move(record.responses[1]);
    comparison.first.ended = comparison.second.ended = true;
    comparison.label = record.label;
    pairs.push_back(std::move(comparison));
  }
  if (pairs.empty()) throw input_error(file, "holds no pair; at least one line was expected");
  return pairs;
}

std::string verdict_line(const Comparison& comparison, const Verdict& verdict) {
  Json line;
  line["prompt"] = text::prompt_json(comparison.prompt);
  line["response_a"] = comparison.first.text;
  line["response_b"] = comparison.second.text;
  line["status"] = to_string(verdict.status);
  line["p_a"] = verdict.status == VerdictStatus::ok ? Json(verdict.p_first) : Json();
  line["p_a_by_order"] =
      Json::array({number_or_null(verdict.p_first_by_order[0]), number_or_null(verdict.p_first_by_order[1])});
  line["rationale"] = verdict.rationale;
  line["input_tokens"] = verdict.usage.input_tokens;
  line["output_tokens"] = verdict.usage.output_tokens;
  line["cost_usd"] = verdict.usage.cost_usd;
  return text::to_json_line(line);
}

}  // namespace

void run_generate_command(Study& study, const IoOptions& io, const ResolvedDeck& deck, const comm::Communicator& comm) {
  std::vector<Prompt> prompts;
  comm.agree([&] {
    require_places(io);
    study.load();
    prompts = records::read_prompts(io.input);
  });
  const Context context = study.context(
      {study.run, RunDirectory(study.run.directory), deck.hash(), comm, {}, nullptr, [] { return false; }});
  require_whole_models(comm, study.run.directory, {io.model});
  const auto language = load_language(context);
  const model::Transformer policy = load_run_model(context, io.model, *language);
  require_a_prompt_that_fits(context, *language, policy, io.input.string(), "io.max_new_tokens", io.max_new_tokens,
                             static_cast<std::int64_t>(prompts.size()),
                             [&](std::int64_t item) { return prompts[static_cast<std::size_t>(item)]; });
  generate::Engine engine(policy, {study.annotate.slots, 1024});
  double too_long = 0;
  write_lines_by_blocks(
      comm, "generate", static_cast<std::int64_t>(prompts.size()), io.output,
      [&](std::int64_t begin, std::int64_t end) {
        std::vector<generate::GenerationRequest> requests;
        std::vector<const Prompt*> asked;
        for (std::int64_t i = begin; i < end; ++i) {
          const Prompt& prompt = prompts[static_cast<std::size_t>(i)];
          generate::GenerationRequest request{language->chat.prompt(prompt), prompt.id, {}};
          if (static_cast<std::int64_t>(request.prompt_tokens.size()) > longest_prompt(policy, io.max_new_tokens)) {
            too_long += 1;
            continue;
          }
          for (int k = 0; k < io.samples; ++k) request.samples.push_back(static_cast<std::uint32_t>(k));
          requests.push_back(std::move(request));
          asked.push_back(&prompt);
        }
        const auto generated = engine.generate(requests, {io.temperature, io.top_k, io.top_p, io.max_new_tokens,
                                                          policy.config().end_tokens.ids(), study.run.seed});
        std::vector<Json> lines;
        for (std::size_t r = 0; r < requests.size(); ++r) {
          for (const generate::Generated& one : generated[r]) {
            Json line;
            line["id"] = asked[r]->id;
            line["prompt"] = text::prompt_json(*asked[r]);
            line["sample"] = one.sample;
            line["response"] = language->tokenizer.decode_text(one.tokens);
            line["ended"] = one.ended;
            lines.push_back(text::to_json_line(line));
          }
        }
        return lines;
      });
  std::vector<double> skipped{too_long};
  comm.all_reduce_sum(std::span<double>(skipped));
  if (skipped[0] > 0) {
    log::info("generate: " + std::to_string(static_cast<std::int64_t>(skipped[0])) + " of " +
              std::to_string(prompts.size()) + " prompts were longer than the context allows (" +
              std::to_string(longest_prompt(policy, io.max_new_tokens)) + " tokens) and were skipped");
  }
}

void run_judge_command(Study& study, const IoOptions& io, const ResolvedDeck& deck, const comm::Communicator& comm) {
  std::vector<Comparison> pairs;
  const JudgeOptions* judge_options = nullptr;
  comm.agree([&] {
    require_places(io);
    if (study.judges.labelling.empty()) throw usage_error("study.judges: at least one name was expected");
    judge_options = io.judge.empty() ? &study.judges.labelling.front() : &study.judges.named(io.judge);
    study.load();
    pairs = read_pairs(io.input);
  });
  const Context context = study.context(
      {study.run, RunDirectory(study.run.directory), deck.hash(), comm, {}, nullptr, [] { return false; }});
  const RunLock lock = lock_of_paid_run(comm, study, {judge_options});
  require_whole_models(comm, study.run.directory, local_models(study.judges, *judge_options));
  const auto language = needs_language(study.judges, *judge_options) ? load_language(context) : nullptr;
  const StageSpending spending(context, "judge");
  BoundJudge bound = make_judge(context, *judge_options, language.get(), spending);
  add_canaries(context, *judge_options, bound);
  write_lines_by_blocks(
      comm, "judge", static_cast<std::int64_t>(pairs.size()), io.output, [&](std::int64_t begin, std::int64_t end) {
        const std::span<const Comparison> block(pairs.data() + begin, static_cast<std::size_t>(end - begin));
        const std::vector<Verdict> verdicts = bound.judge->judge(block);
        std::vector<Json> lines;
        for (std::size_t i = 0; i < block.size(); ++i) lines.push_back(verdict_line(block[i], verdicts[i]));
        return lines;
      });
  comm.on_root([&] {
    AlteredTexts altered(study.judges, *judge_options);
    for (const Comparison& pair : pairs) altered.add(pair);
    if (altered.count() > 0) {
      log::info("judge " + judge_options->name + ": " + std::to_string(altered.count()) +
                " texts held marks that could steer a judge "
                "(control tokens, invisible characters); it was shown them broken");
    }
  });
  report_canaries(comm, "judge " + judge_options->name, bound);
}

void bind_io(OptionTable& table, IoOptions& o) {
  table.add_place("io.input", &o.input,
                  "generate: prompts (JSON Lines); judge: pairs (prompt, response_a, response_b; or other forms)");
  table.add_place("io.output", &o.output, "where the answers go (JSON Lines)");
  table.add("io.model", &o.model, "", "generate: a model of the run (sft, an arm), or a folder").no_result();
  table.add("io.judge", &o.judge, "", "judge: a name of study.judges or study.members; empty: the first").no_result();
  table.add("io.samples", &o.samples, "responses", "generate: responses to a prompt").at_least(1).no_result();
  table.add("io.temperature", &o.temperature, "", "generate: temperature of sampling; 0: greedy")
      .at_least(0)
      .no_result();
  table.add("io.top_k", &o.top_k, "tokens", "generate: likeliest tokens that sampling draws from; 0: all")
      .at_least(0)
      .no_result();
  table.add("io.top_p", &o.top_p, "", "generate: share of the probability that sampling draws from; 1: all")
      .above(0)
      .at_most(1)
      .no_result();
  table.add("io.max_new_tokens", &o.max_new_tokens, "tokens", "generate: longest response").at_least(1).no_result();
}

}  // namespace rlaif::tools
