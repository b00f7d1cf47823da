#include "remote_score.hpp"

#include <utility>

#include "../remote_answer.hpp"
#include "../remote_plan.hpp"
#include "rlaif/judge/prompts/scores.hpp"
#include "rlaif/remote/client.hpp"

namespace rlaif::judge {
namespace {

using Style = text::Conversation::Style;

class RemoteScorer final : public ResponseScorer {
 public:
  RemoteScorer(const std::string& name, RemoteOptions options, RemoteParts parts,
               std::unique_ptr<remote::Protocol> protocol)
      : options_(std::move(options)),
        parts_(std::move(parts)),
        protocol_(std::move(protocol)),
        planner_(name, options_, parts_, *protocol_),
        client_({"judge", name}, options_, *protocol_, planner_.pricer(), parts_.answers, parts_.meter) {}

  std::vector<ResponseScore> score(std::span<const Response> responses) override {
    return score_by_principles(responses, parts_.principles, planner_.scoring_by(),
                               [this](std::span<const ShownResponse> shown) { return ask(shown); });
  }

 private:
  bool at_once() const { return parts_.style.style == Style::verdict_first; }

  std::vector<ResponseScore> ask(std::span<const ShownResponse> shown) {
    Plan plan = planner_.plan(shown);
    client_.ask(plan.asked());
    std::vector<bool> is_counted(plan.questions.size());  // what two responses share has cost once
    std::vector<ResponseScore> scores;
    for (const QuestionsOf& asked : plan.asked_about) {
      ResponseScore& score = scores.emplace_back();
      if (asked.fits)
        read(plan, asked.by_order[0], is_counted, score);
      else
        score.status = VerdictStatus::truncated;
    }
    return scores;
  }

  void read(const Plan& plan, const std::vector<std::size_t>& questions, std::vector<bool>& is_counted,
            ResponseScore& score) const {
    SampleMean mean;
    for (const std::size_t index : questions) {
      const remote::Question& question = plan.questions[index];
      if (!question.reply) {
        mean.add(question.status, 0.0);
        continue;
      }
      const remote::Reply reply = protocol_->read(*question.reply);
      if (!is_counted[index]) score.usage += client_.usage_of(question, reply);
      is_counted[index] = true;
      for (const remote::Answer& answer : reply.answers) {
        const SaidAnswer said = said_in(answer, *protocol_, at_once());
        if (score.rationale.empty() && !at_once()) score.rationale = said.text;
        const ScoreReading reading = reading_of(said);
        mean.add(reading.status, reading.score);
      }
    }
    score.status = mean.status(options_.samples);
    if (score.status == VerdictStatus::ok) score.score = mean.value();
  }

  ScoreReading reading_of(const SaidAnswer& said) const {
    if (said.status != VerdictStatus::ok) return {said.status, 0.0, 0, "there is no answer"};
    const ScoreScale& scale = *parts_.style.scores;
    return said.tokens.empty() ? read_score(said.text, scale)
                               : read_score_tokens(said.tokens, scale, at_once(), options_.scores.least_mass);
  }

  RemoteOptions options_;
  RemoteParts parts_;
  std::unique_ptr<remote::Protocol> protocol_;
  Planner planner_;
  remote::Client client_;
};

}  // namespace

std::shared_ptr<ResponseScorer> make_remote_scorer(const std::string& name, RemoteOptions options, RemoteParts parts,
                                                   std::unique_ptr<remote::Protocol> protocol) {
  return std::make_shared<RemoteScorer>(name, std::move(options), std::move(parts), std::move(protocol));
}

}  // namespace rlaif::judge
