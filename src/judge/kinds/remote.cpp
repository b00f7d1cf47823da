#include "rlaif/judge/kinds/remote.hpp"

#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "remote_answer.hpp"
#include "remote_plan.hpp"
#include "rlaif/judge/prompts/parser.hpp"
#include "rlaif/remote/client.hpp"
#include "rlaif/text/thoughts.hpp"
#include "scores/remote_score.hpp"

namespace rlaif::judge {
namespace {

using Style = text::Conversation::Style;

// Asks a client what the plan of a call holds, and reads verdicts out of the replies.
class RemoteJudge final : public Judge {
 public:
  RemoteJudge(std::string name, RemoteOptions options, RemoteParts parts, std::unique_ptr<remote::Protocol> protocol)
      : name_(std::move(name)),
        options_(std::move(options)),
        parts_(std::move(parts)),
        protocol_(std::move(protocol)),
        labels_{parts_.style.verdict_first, parts_.style.verdict_second},
        planner_(name_, options_, parts_, *protocol_),
        client_({"judge", name_}, options_, *protocol_, planner_.pricer(), parts_.answers, parts_.meter) {}

  const std::string& name() const override { return name_; }

  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    Plan plan = planner_.plan(comparisons);
    client_.ask(plan.asked());
    std::vector<Verdict> verdicts;
    for (const QuestionsOf& asked : plan.asked_about) verdicts.push_back(verdict_of(plan, asked));
    return verdicts;
  }

 private:
  struct OrderReading {
    VerdictStatus status = VerdictStatus::missing;
    double p_shown_first = not_asked;
    std::string text;  // of the first answer
  };

  Verdict verdict_of(const Plan& plan, const QuestionsOf& asked) const {
    Verdict verdict;
    verdict.p_first_by_order = {not_asked, not_asked};
    if (!asked.fits) {
      verdict.status = VerdictStatus::truncated;
      return verdict;
    }
    const OrderReading first = read_order(plan, asked.by_order[0], verdict.usage);
    if (options_.orders == Orders::first_only) {
      if (first.status == VerdictStatus::ok)
        fill(verdict, single_order(first.p_shown_first));
      else
        verdict.status = first.status;
    } else {
      const OrderReading second = read_order(plan, asked.by_order[1], verdict.usage);
      if (first.status == VerdictStatus::ok && second.status == VerdictStatus::ok) {
        fill(verdict, combine_orders(first.p_shown_first, 1.0 - second.p_shown_first));
      } else {
        verdict.status = first.status != VerdictStatus::ok ? first.status : second.status;
        verdict.p_first_by_order = {first.p_shown_first, 1.0 - second.p_shown_first};
      }
    }
    if (parts_.style.style == Style::rationale_first) verdict.rationale = first.text;
    return verdict;
  }

  static void fill(Verdict& verdict, const Verdict& reading) {
    verdict.status = reading.status;
    verdict.p_first = reading.p_first;
    verdict.p_first_by_order = reading.p_first_by_order;
  }

  OrderReading read_order(const Plan& plan, const std::vector<std::size_t>& questions, Usage& usage) const {
    OrderReading reading;
    SampleMean mean;
    for (const std::size_t index : questions) {
      const remote::Question& question = plan.questions[index];
      if (!question.reply) {
        mean.add(question.status, not_asked);
        continue;
      }
      const remote::Reply reply = protocol_->read(*question.reply);
      usage += client_.usage_of(question, reply);
      for (const remote::Answer& answer : reply.answers) {
        if (reading.text.empty()) reading.text = text::answer_after_thoughts(answer.text).text;
        const TokenReading token = read_answer(answer);
        mean.add(token.status, token.p_first);
      }
    }
    reading.status = mean.status(options_.samples);
    if (reading.status == VerdictStatus::ok) reading.p_shown_first = mean.value();
    return reading;
  }

  TokenReading read_answer(const remote::Answer& answer) const {
    const bool letter = parts_.style.style == Style::verdict_first;
    const SaidAnswer said = said_in(answer, *protocol_, letter);
    if (said.status != VerdictStatus::ok) return {said.status, 0.5, 0.0};
    const TextReading text = read_verdict(said.text, labels_);
    const bool is_tie = text.status == VerdictStatus::ok && text.choice == Choice::tie;
    if (!answer.tokens.empty() && protocol_->asks_log_probs() && !is_tie)
      return read_tokens(said.tokens, labels_, letter, options_.least_label_mass);
    if (text.status != VerdictStatus::ok) return {text.status, 0.5, 0.0};
    return {VerdictStatus::ok, is_tie ? 0.5 : text.choice == Choice::shown_first ? 1.0 : 0.0, 1.0};
  }

  std::string name_;
  RemoteOptions options_;
  RemoteParts parts_;
  std::unique_ptr<remote::Protocol> protocol_;
  VerdictLabels labels_;
  Planner planner_;
  remote::Client client_;
};

std::unique_ptr<Judge> make_remote(std::string name, RemoteOptions options, RemoteParts parts,
                                   std::unique_ptr<remote::Protocol> protocol) {
  if (!parts.style.scores)
    return std::make_unique<RemoteJudge>(std::move(name), std::move(options), std::move(parts), std::move(protocol));
  const double temperature = options.scores.temperature;
  auto scorer = make_remote_scorer(name, std::move(options), std::move(parts), std::move(protocol));
  return make_scoring_judge(std::move(name), std::move(scorer), temperature, std::nullopt);
}

Estimate estimate_of(const RemoteOptions& options, const RemoteParts& parts, std::span<const Comparison> comparisons,
                     AsksAbout about, std::int64_t answer_tokens, const remote::Protocol& protocol) {
  const Planner planner("estimate", options, parts, protocol);
  std::vector<Response> responses;
  if (parts.style.scores) {
    for (const Comparison& one : comparisons) {
      responses.push_back({&one.prompt, &one.first});
      if (about == AsksAbout::pairs) responses.push_back({&one.prompt, &one.second});
    }
  }
  Plan plan = parts.style.scores ? planner.plan(planner.questions_about(responses)) : planner.plan(comparisons);
  const std::vector<remote::Question*> asked = plan.asked();
  const std::vector<const remote::Question*> questions(asked.begin(), asked.end());
  Estimate estimate = remote::estimate(questions, planner.pricer(), protocol, parts.answers.get(), answer_tokens);
  for (const QuestionsOf& one : plan.asked_about) estimate.too_long += !one.fits;
  return estimate;
}

}  // namespace

RemoteOptions openai_options() { return {remote::openai_server()}; }
RemoteOptions anthropic_options() { return {remote::anthropic_server()}; }

std::unique_ptr<Judge> make_openai_judge(std::string name, RemoteOptions options, RemoteParts parts) {
  auto protocol = remote::make_openai_protocol(options);
  return make_remote(std::move(name), std::move(options), std::move(parts), std::move(protocol));
}

std::unique_ptr<Judge> make_anthropic_judge(std::string name, RemoteOptions options, RemoteParts parts) {
  auto protocol = remote::make_anthropic_protocol(options);
  return make_remote(std::move(name), std::move(options), std::move(parts), std::move(protocol));
}

Estimate estimate_openai(const RemoteOptions& options, const RemoteParts& parts,
                         std::span<const Comparison> comparisons, std::int64_t answer_tokens, AsksAbout about) {
  return estimate_of(options, parts, comparisons, about, answer_tokens, *remote::make_openai_protocol(options));
}

Estimate estimate_anthropic(const RemoteOptions& options, const RemoteParts& parts,
                            std::span<const Comparison> comparisons, std::int64_t answer_tokens, AsksAbout about) {
  return estimate_of(options, parts, comparisons, about, answer_tokens, *remote::make_anthropic_protocol(options));
}

}  // namespace rlaif::judge
