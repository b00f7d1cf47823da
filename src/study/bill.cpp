#include "rlaif/study/bill.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/core/option_table.hpp"
#include "rlaif/run/run_directory.hpp"
#include "rlaif/study/canaries.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/judges.hpp"
#include "rlaif/study/task.hpp"
#include "rlaif/study/writers.hpp"

namespace rlaif::study {
namespace {

constexpr std::int64_t most_rendered = 20000;
constexpr std::int64_t most_written = 200;

bool is_missing(const std::filesystem::path& file) { return !file.empty() && !std::filesystem::exists(file); }

// Decks are planned before their files are there.
bool prompts_are_there(const TaskOptions& task) {
  return !is_missing(task.world) && !is_missing(task.train_prompts) && !is_missing(task.heldout_prompts) &&
         !is_missing(task.rules);
}

// One comparison a prompt; the pairs of a prompt differ in responses that are not there yet.
std::vector<Comparison> planned_comparisons(const Study& study, const AssumedTokens& assumed,
                                            std::span<const Comparison> recorded) {
  if (!recorded.empty()) {
    const std::size_t every = (recorded.size() + most_rendered - 1) / static_cast<std::size_t>(most_rendered);
    std::vector<Comparison> spaced;
    for (std::size_t i = 0; i < recorded.size(); i += every) spaced.push_back(recorded[i]);
    return spaced;
  }
  std::unique_ptr<Task> task;
  if (study.pairs.empty() && prompts_are_there(study.task)) task = std::make_unique<Task>(study.task);
  const std::int64_t all = study.annotate.prompts + study.annotate.heldout_prompts;
  const std::int64_t step = std::max<std::int64_t>(1, (all + most_rendered - 1) / most_rendered);
  // Two texts: the orders of a pair of equal ones would be one question, which is asked once.
  const std::string first = filler_text("the", study.annotate.max_new_tokens),
                    second = filler_text("and", study.annotate.max_new_tokens);
  std::vector<Comparison> comparisons;
  for (std::int64_t i = 0; i < all; i += step) {
    const bool is_train = i < study.annotate.prompts;
    Comparison comparison;
    if (task) {
      comparison.prompt = task->draw(Task::Purpose::annotate, is_train ? Split::train : Split::heldout, study.run.seed,
                                     is_train ? i : i - study.annotate.prompts);
    } else {
      comparison.prompt = {static_cast<std::uint64_t>(i), filler_text("the", static_cast<int>(assumed.prompt)), ""};
    }
    comparison.id = comparison.prompt.id;
    comparison.first.text = first;
    comparison.second.text = second;
    comparisons.push_back(std::move(comparison));
  }
  return comparisons;
}

std::int64_t scaled(std::int64_t count, double factor) { return std::llround(static_cast<double>(count) * factor); }

Usage scaled(const Usage& usage, double factor) {
  return {scaled(usage.input_tokens, factor), scaled(usage.cached_input_tokens, factor),
          scaled(usage.output_tokens, factor), usage.cost_usd * factor};
}

remote::Estimate scaled(remote::Estimate estimate, double factor) {
  estimate.requests = scaled(estimate.requests, factor);
  estimate.too_long = scaled(estimate.too_long, factor);
  estimate.likely = scaled(estimate.likely, factor);
  estimate.worst = scaled(estimate.worst, factor);
  return estimate;
}

double spent_before(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder)) return 0.0;
  const remote::AnswerCache answers(folder, 0);
  return answers.paid_usd() + answers.unsettled_usd();
}

// A judge over HTTP, the one that asks it first, and the comparisons and single responses that it is asked about.
struct Billed {
  const JudgeOptions *asked, *by;
  double pairs = 0.0, responses = 0.0;
};

std::vector<Billed> billed_judges(const Study& study, std::span<const AskedJudges> stages) {
  std::vector<Billed> billed;
  for (const AskedJudges& of_stage : stages) {
    std::vector<std::pair<const JudgeOptions*, AsksAbout>> counted;  // a member of two judges is asked once
    for (const auto& [name, count, about] : of_stage) {
      const JudgeOptions& judge = study.judges.named(name);
      for (const JudgeOptions* asked : leaves_of(study.judges, judge)) {
        const std::pair once(asked, about);
        if (!kind_of(*asked).is_remote || std::find(counted.begin(), counted.end(), once) != counted.end()) continue;
        counted.push_back(once);
        auto known =
            std::find_if(billed.begin(), billed.end(), [&](const Billed& other) { return other.asked == asked; });
        if (known == billed.end()) known = billed.insert(billed.end(), {asked, &judge});
        (about == AsksAbout::pairs ? known->pairs : known->responses) += count;
      }
    }
  }
  return billed;
}

// Of the stages that label recorded pairs: each of their judges is asked about all of them.
std::int64_t most_recorded(std::span<const AskedJudges> stages) {
  double most = 0.0;
  for (const AskedJudges& of_stage : stages)
    for (const run::Needs::Asked& asked : of_stage)
      if (asked.about == AsksAbout::pairs) most = std::max(most, asked.count);
  return static_cast<std::int64_t>(most);
}

void add(remote::Estimate& sum, const remote::Estimate& part) {
  const bool is_first = sum.requests == 0;
  sum.requests += part.requests;
  sum.stored += part.stored;
  sum.too_long += part.too_long;
  sum.likely += part.likely;
  sum.worst += part.worst;
  sum.least_request_usd = is_first ? part.least_request_usd : std::min(sum.least_request_usd, part.least_request_usd);
}

JudgeBill judge_bill(const Study& study, const AssumedTokens& assumed, const Billed& billed,
                     std::span<const Comparison> comparisons) {
  const JudgeOptions& judge = *billed.asked;
  const judge::RemoteParts parts = remote_parts(study.judges, judge);
  const judge::RemoteOptions remote = remote_options(study, judge);
  const std::int64_t answer = std::min<std::int64_t>(assumed.answer, remote.max_output_tokens);
  JudgeBill bill{judge.name,
                 billed.by->name,
                 judge.model,
                 parts.price.name,
                 parts.price.as_of,
                 judge.tokenizer.empty() ? "bytes / 4" : judge.tokenizer.string(),
                 {},
                 0.0,
                 billed.responses};
  const auto add_part = [&](double count, AsksAbout about) {
    if (count == 0.0 || comparisons.empty()) return;
    double factor = count / static_cast<double>(comparisons.size());
    if (about == AsksAbout::pairs && takes_canaries(study.judges, *billed.by))
      factor *= 1.0 + study.judges.canaries.rate;
    const remote::Estimate part = judge.kind == JudgeKind::openai
                                      ? judge::estimate_openai(remote, parts, comparisons, answer, about)
                                      : judge::estimate_anthropic(remote, parts, comparisons, answer, about);
    add(bill.estimate, scaled(part, factor));
  };
  add_part(billed.pairs, AsksAbout::pairs);
  add_part(billed.responses, AsksAbout::responses);
  bill.spent_usd = spent_before(RunDirectory(study.run.directory).verdicts(judge.name));
  return bill;
}

// "both orders, 1 answer(s) an order"
std::string asked_how(const JudgeOptions& judge, double responses) {
  if (!text::Conversation::load(judge.style).scores) {
    return fmt::format("{}, {} answer(s) an order", judge.orders == judge::Orders::both ? "both orders" : "one order",
                       judge.remote.samples);
  }
  std::string how = fmt::format("{} answer(s) a score", judge.remote.samples);
  if (judge.principle_use == judge::PrincipleUse::each) how += " and principle";
  return how + fmt::format(", {:.0f} single responses among what is scored", responses);
}

// The prompts of the comparisons, evenly spaced.
std::vector<const Prompt*> spaced_prompts(const std::vector<Comparison>& comparisons) {
  const std::size_t every = comparisons.size() / static_cast<std::size_t>(most_written) + 1;
  std::vector<const Prompt*> prompts;
  for (std::size_t i = 0; i < comparisons.size(); i += every) prompts.push_back(&comparisons[i].prompt);
  return prompts;
}

std::vector<write::Request> requests_of(const run::Needs::Written& asked, std::span<const Prompt* const> prompts) {
  std::vector<write::Request> requests;
  for (std::vector<Message>& turns : asked.conversations(prompts))
    requests.push_back({static_cast<std::uint64_t>(requests.size()), std::move(turns)});
  return requests;
}

WriterBill writer_bill(const Study& study, const AssumedTokens& assumed, const run::Needs::Written& asked,
                       const std::vector<const Prompt*>& prompts) {
  const WriterOptions& writer = named_writer(study.writers, "writer", asked.writer);
  const cost::Price price = server_price(study.judges, {"writer", writer.name, writer.model, writer.price});
  const std::int64_t answer = std::min<std::int64_t>(assumed.answer, writer.remote.max_output_tokens);
  WriterBill bill{writer.name, writer.model, price.name, price.as_of,
                  writer.tokenizer.empty() ? "bytes / 4" : writer.tokenizer.string()};
  bill.prompts = asked.prompts;
  bill.spent_usd = spent_before(RunDirectory(study.run.directory).written(writer.name));
  if (prompts.empty()) return bill;
  bill.estimate = scaled(estimate_texts(study, writer, requests_of(asked, prompts), answer),
                         asked.prompts / static_cast<double>(prompts.size()));
  const auto shortest = std::min_element(
      prompts.begin(), prompts.end(), [](const Prompt* a, const Prompt* b) { return a->text.size() < b->text.size(); });
  bill.least_chain_usd =
      estimate_texts(study, writer, requests_of(asked, std::span(shortest, 1)), answer).worst.cost_usd;
  return bill;
}

void add_writer_bill(std::vector<WriterBill>& bills, WriterBill bill) {
  const auto known =
      std::find_if(bills.begin(), bills.end(), [&](const WriterBill& other) { return other.writer == bill.writer; });
  if (known == bills.end()) {
    bills.push_back(std::move(bill));
    return;
  }
  known->prompts += bill.prompts;
  add(known->estimate, bill.estimate);
  known->least_chain_usd = std::min(known->least_chain_usd, bill.least_chain_usd);
}

std::string describe_estimate(const remote::Estimate& e, double spent_usd) {
  std::string text =
      fmt::format("#   {:<10} {:14} in, of which {} cached; {} out; ${:.2f}\n", "likely", e.likely.input_tokens,
                  e.likely.cached_input_tokens, e.likely.output_tokens, e.likely.cost_usd);
  text += fmt::format("#   {:<10} {:14} in; {} out; ${:.2f}\n", "worst", e.worst.input_tokens, e.worst.output_tokens,
                      e.worst.cost_usd);
  if (spent_usd > 0.0) text += fmt::format("#   {:<10} ${:.2f} by earlier starts\n", "spent", spent_usd);
  return text;
}

std::string describe_writer(const WriterBill& bill) {
  std::string text = fmt::format("# writer {}: {}, price {} of {}, tokens by {}\n", bill.writer, bill.model, bill.price,
                                 bill.as_of, bill.counted_by);
  text += fmt::format("#   {:<10} {:14}   (up to {:.0f} prompts)\n", "requests", bill.estimate.requests, bill.prompts);
  if (bill.estimate.too_long > 0) {
    text += fmt::format("#   {:<10} {:14}   requests are longer than writer.{}.context_tokens and are not sent\n",
                        "too long", bill.estimate.too_long, bill.writer);
  }
  return text + describe_estimate(bill.estimate, bill.spent_usd);
}

// Throws Error(usage) where what is left of the cap does not pay for the first of what is asked.
void expect_first(double cap, double spent, const std::string& what, double usd) {
  if (usd <= cap - spent) return;
  throw usage_error(
      fmt::format("cost.cap_usd: {:g} was given, of which ${:.6f} are spent; the first {} may cost ${:.6f}: at "
                  "least so much was expected to be left",
                  cap, spent, what, usd));
}

std::string describe_judge(const Judges& judges, const JudgeBill& bill) {
  const remote::Estimate& e = bill.estimate;
  const JudgeOptions& judge = judges.named(bill.judge);
  const std::string member = bill.asked_by == bill.judge ? "" : ", member of " + bill.asked_by;
  std::string text = fmt::format("# judge {}{}: {}, style {}, price {} of {}, tokens by {}\n", bill.judge, member,
                                 bill.model, judge.style.filename().string(), bill.price, bill.as_of, bill.counted_by);
  text += fmt::format("#   {:<10} {:14}   ({})\n", "requests", e.requests, asked_how(judge, bill.responses));
  if (e.too_long > 0) {
    text += fmt::format("#   {:<10} {:14}   pairs are longer than judge.{}.context_tokens and are not asked\n",
                        "too long", e.too_long, bill.judge);
  }
  return text + describe_estimate(e, bill.spent_usd);
}

// What is asked about, and what is not known before.
std::string describe_assumed(const Study& study, const AssumedTokens& assumed, const Bill& bill, bool is_recorded) {
  std::string text = study.pairs.empty() ? fmt::format(": up to {} pairs of {} prompts", bill.pairs, bill.prompts)
                                         : fmt::format(": up to {} recorded pairs, and those of policies", bill.pairs);
  if (bill.judges.empty()) text.clear();
  if (!bill.judges.empty() && study.pairs.empty() && bill.rendered_prompts < bill.prompts)
    text += fmt::format(", of which {} stand for all", bill.rendered_prompts);
  text += "; assumed: ";
  if (!is_recorded)
    text += fmt::format("responses of {} tokens (annotate.max_new_tokens), ", study.annotate.max_new_tokens);
  text += fmt::format("answers of {} (plan.answer_tokens)", assumed.answer);
  if (!is_recorded && !prompts_are_there(study.task)) {
    text += fmt::format("; the prompts are not there: {} tokens each (plan.prompt_tokens)", assumed.prompt);
  }
  return text + '\n';
}

}  // namespace

std::string filler_text(const std::string& word, int tokens) {
  std::string text;
  for (int i = 0; i < tokens; ++i) text += i == 0 ? word : " " + word;
  return text;
}

Bill plan_bill(const Study& study, const AssumedTokens& assumed, std::span<const AskedJudges> stages,
               std::span<const Comparison> recorded, const AskedWriters& writers) {
  Bill bill;
  const std::vector<Comparison> comparisons = planned_comparisons(study, assumed, recorded);
  bill.prompts = study.annotate.prompts + study.annotate.heldout_prompts;
  bill.pairs = bill.prompts * study.annotate.pairs_a_prompt();
  if (!study.pairs.empty()) bill.prompts = bill.pairs = most_recorded(stages);
  bill.rendered_prompts = static_cast<std::int64_t>(comparisons.size());
  for (const Billed& billed : billed_judges(study, stages))
    bill.judges.push_back(judge_bill(study, assumed, billed, comparisons));
  const std::vector<const Prompt*> prompts = spaced_prompts(comparisons);
  for (const run::Needs::Written& asked : writers) {
    if (named_writer(study.writers, "writer", asked.writer).is_remote())
      add_writer_bill(bill.writers, writer_bill(study, assumed, asked, prompts));
  }
  return bill;
}

std::string describe_bill(const Study& study, const AssumedTokens& assumed, std::span<const AskedJudges> stages,
                          std::span<const Comparison> recorded, const AskedWriters& writers) {
  const auto billed = billed_judges(study, stages);
  const bool is_written = std::any_of(writers.begin(), writers.end(), [&](const run::Needs::Written& asked) {
    return named_writer(study.writers, "writer", asked.writer).is_remote();
  });
  if (billed.empty() && !is_written) return "";
  for (const Billed& one : billed) {
    if (!is_missing(one.asked->style)) continue;
    return "# bill of asked judges: none, " + one.asked->style.string() + " is not there\n";
  }
  const Bill bill = plan_bill(study, assumed, stages, recorded, writers);
  const std::string who = billed.empty() ? "writers" : is_written ? "asked judges and writers" : "asked judges";
  std::string text = "# bill of " + who + describe_assumed(study, assumed, bill, !recorded.empty());
  double likely = 0.0, worst = 0.0, spent = 0.0;
  for (const JudgeBill& judge : bill.judges) {
    text += describe_judge(study.judges, judge);
    likely += judge.estimate.likely.cost_usd;
    worst += judge.estimate.worst.cost_usd;
    spent += judge.spent_usd;
  }
  for (const WriterBill& writer : bill.writers) {
    text += describe_writer(writer);
    likely += writer.estimate.likely.cost_usd;
    worst += writer.estimate.worst.cost_usd;
    spent += writer.spent_usd;
  }
  text += fmt::format("# all {}: likely ${:.2f}, worst ${:.2f}", who, likely, worst);
  const double cap = study.judges.costs.cap_usd;
  if (cap <= 0.0) return text + "; no cap (cost.cap_usd)\n";
  for (const JudgeBill& judge : bill.judges) {
    if (judge.estimate.requests > 0)
      expect_first(cap, spent, "request of judge " + judge.judge, judge.estimate.least_request_usd);
  }
  for (const WriterBill& writer : bill.writers)
    expect_first(cap, spent, "chain of writer " + writer.writer, writer.least_chain_usd);
  text += fmt::format("; cost.cap_usd ${:.2f}", cap);
  if (spent > 0.0) text += fmt::format(", of which ${:.2f} are spent", spent);
  if (spent + worst <= cap) return text + ": covers the worst\n";
  return text +
         (spent + likely <= cap ? ": covers what is likely, not the worst\n" : ": TOO LOW, the job would stop there\n");
}

void bind_costs(OptionTable& table, CostOptions& o) {
  table.add_input("cost.prices", &o.prices, "prices.json", "price table");
  table
      .add_input("cost.assumptions", &o.assumptions, "cost_assumptions.json",
                 "what `rlaif cost` compares labels by people and judges with")
      .no_result();
  table
      .add("cost.cap_usd", &o.cap_usd, "USD",
           "what asked judges and writers may cost in all, earlier starts of this run included; 0: no cap")
      .at_least(0)
      .no_result();
}

}  // namespace rlaif::study
