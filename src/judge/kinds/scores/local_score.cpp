#include "local_score.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "../local_options.hpp"
#include "rlaif/judge/kinds/shown_comparison.hpp"
#include "scored_by_principles.hpp"

namespace rlaif::judge {
namespace {

using Tokens = std::vector<TokenId>;

// Answers of one and of several tokens, as the questions that tell them apart: which token comes first and, where "10" is the
// tokens of "1" and "0", which comes after "1".
class AnswerTree {
 public:
  struct Node {
    Tokens begun, candidates;  // what was said so far, and what may follow
  };
  explicit AnswerTree(const std::vector<Tokens>& answers) : answers_(answers) {
    std::map<std::size_t, std::map<Tokens, Tokens>> by_length;
    for (const Tokens& answer : answers_) {
      for (std::size_t length = 0; length < answer.size(); ++length) {
        Tokens& next = by_length[length][Tokens(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(length))];
        if (std::find(next.begin(), next.end(), answer[length]) == next.end()) next.push_back(answer[length]);
      }
    }
    for (auto& [length, nodes] : by_length)
      for (auto& [begun, candidates] : nodes) nodes_.push_back({begun, candidates});
  }
  const std::vector<Node>& nodes() const { return nodes_; }  // the shortest first; the first has said nothing
  std::size_t longest() const {
    std::size_t length = 0;
    for (const Tokens& answer : answers_) length = std::max(length, answer.size());
    return length;
  }
  // Of every answer, by the log-probabilities of each node's candidates. What goes on to a longer answer is not the shorter one.
  std::vector<double> probabilities(const std::vector<std::vector<double>>& log_probs) const {
    std::map<Tokens, double> of{{{}, 1.0}};
    std::map<Tokens, double> gone_on;
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      const auto& [begun, candidates] = nodes_[n];
      for (std::size_t c = 0; c < candidates.size(); ++c) {
        Tokens said = begun;
        said.push_back(candidates[c]);
        gone_on[begun] += of[said] = of[begun] * std::exp(log_probs[n][c]);
      }
    }
    std::vector<double> result;
    for (const Tokens& answer : answers_) result.push_back(std::max(0.0, of.at(answer) - gone_on[answer]));
    return result;
  }

 private:
  std::vector<Tokens> answers_;
  std::vector<Node> nodes_;
};

class LocalScorer final : public ResponseScorer {
 public:
  LocalScorer(const std::string& name, const model::Transformer& model, const text::ChatEncoder& chat,
              text::Conversation prompt, Constitution principles, LocalJudgeOptions options)
      : encoder_(chat, std::move(prompt)),
        tree_(encoder_.answers()),
        principles_(std::move(principles)),
        options_(options),
        engine_(model, {.slots = options.slots}) {
    check_local(name, options_, encoder_, principles_, chat, engine_);
    room_needed_ = tree_.longest();
    if (reasons())
      room_needed_ += static_cast<std::size_t>(options_.max_rationale_tokens) + encoder_.verdict_cue().size();
  }

  std::vector<ResponseScore> score(std::span<const Response> responses) override {
    const ScoringBy by{options_.principle_use, options_.scores.level_gate, *encoder_.prompt().scores, options_.seed};
    return score_by_principles(responses, principles_, by,
                               [this](std::span<const ShownResponse> shown) { return ask(shown); });
  }

 private:
  // What was put before the number: the context and, where the model reasons first, its reasons and the cue.
  struct Asked {
    Tokens context, rationale;
    bool ended = true;
    std::vector<std::vector<double>> log_probs;  // by node
  };

  bool reasons() const { return encoder_.prompt().style == text::Conversation::Style::rationale_first; }

  std::vector<ResponseScore> ask(std::span<const ShownResponse> shown) {
    std::vector<ResponseScore> scores(shown.size());
    std::vector<Asked> asked;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < shown.size(); ++i) {
      scores[i].status = VerdictStatus::truncated;
      Tokens context =
          encoder_.context(shown_response(encoder_.prompt(), *shown[i].response, shown[i].principles, options_.seed));
      if (context.size() + room_needed_ > static_cast<std::size_t>(engine_.max_positions())) continue;
      asked.push_back({std::move(context), {}, true, {}});
      places.push_back(i);
    }
    if (reasons())
      reason(asked);
    else
      ask_node(asked, 0);
    for (std::size_t node = 1; node < tree_.nodes().size(); ++node) ask_node(asked, node);
    for (std::size_t i = 0; i < asked.size(); ++i) scores[places[i]] = score_of(asked[i]);
    return scores;
  }

  void reason(std::vector<Asked>& asked) {
    std::vector<generate::GenerationRequest> requests;
    for (const Asked& one : asked) requests.push_back({.prompt_tokens = one.context, .prompt_id = 0, .samples = {0}});
    const auto said = engine_.generate_and_score(requests, rationale_sampling(options_, encoder_, engine_),
                                                 encoder_.verdict_cue(), tree_.nodes().front().candidates);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      asked[i].rationale = said[i].front().tokens;
      asked[i].ended = said[i].front().ended;
      asked[i].log_probs.push_back(said[i].front().candidate_log_probs);
    }
  }

  void ask_node(std::vector<Asked>& asked, std::size_t node) {
    const auto& [begun, candidates] = tree_.nodes()[node];
    std::vector<Tokens> sequences;
    for (const Asked& one : asked) {
      Tokens& tokens = sequences.emplace_back(one.context);
      tokens.insert(tokens.end(), one.rationale.begin(), one.rationale.end());
      if (reasons()) tokens.insert(tokens.end(), encoder_.verdict_cue().begin(), encoder_.verdict_cue().end());
      tokens.insert(tokens.end(), begun.begin(), begun.end());
    }
    auto log_probs = engine_.next_token_log_probs(sequences, candidates);
    for (std::size_t i = 0; i < asked.size(); ++i) asked[i].log_probs.push_back(std::move(log_probs[i]));
  }

  ResponseScore score_of(const Asked& asked) const {
    ResponseScore score;
    score.usage.input_tokens = static_cast<std::int64_t>(asked.context.size());
    score.usage.output_tokens = static_cast<std::int64_t>(asked.rationale.size()) + 1;
    if (reasons()) score.usage.input_tokens += static_cast<std::int64_t>(encoder_.verdict_cue().size());
    score.rationale = encoder_.rationale_text(asked.rationale);
    if (!asked.ended) {
      score.status = VerdictStatus::truncated;
      return score;
    }
    const ScoreReading reading =
        expected_score(tree_.probabilities(asked.log_probs), *encoder_.prompt().scores, options_.scores.least_mass);
    score.status = reading.status;
    if (reading.status == VerdictStatus::ok) score.score = reading.score;
    return score;
  }

  JudgeEncoder encoder_;
  AnswerTree tree_;
  Constitution principles_;
  LocalJudgeOptions options_;
  generate::Engine engine_;
  std::size_t room_needed_ = 0;  // tokens after the context
};

}  // namespace

std::shared_ptr<ResponseScorer> make_local_scorer(const std::string& name, const model::Transformer& model,
                                                  const text::ChatEncoder& chat, text::Conversation prompt,
                                                  Constitution principles, LocalJudgeOptions options) {
  return std::make_shared<LocalScorer>(name, model, chat, std::move(prompt), std::move(principles), options);
}

}  // namespace rlaif::judge
