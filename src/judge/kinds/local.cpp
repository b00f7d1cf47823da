#include "rlaif/judge/kinds/local.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "local_options.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/judge/kinds/shown_comparison.hpp"
#include "rlaif/judge/prompts/training_text.hpp"
#include "scores/local_score.hpp"

namespace rlaif::judge {
namespace {

// What the model said when it was shown one order.
struct Answer {
  double p_shown_first = 0.5;
  std::vector<TokenId> rationale;
};

class LocalJudge final : public Judge {
 public:
  LocalJudge(std::string name, const model::Transformer& model, const text::ChatEncoder& chat,
             text::Conversation prompt, Constitution principles, LocalJudgeOptions options, cost::Price price)
      : name_(std::move(name)),
        encoder_(chat, std::move(prompt)),
        principles_(std::move(principles)),
        options_(options),
        price_(std::move(price)),
        engine_(model, {.slots = options.slots}),
        max_context_(static_cast<std::size_t>(engine_.max_positions())) {
    check_local(name_, options_, encoder_, principles_, chat, engine_);
    if (rationale_first())
      room_needed_ = static_cast<std::size_t>(options_.max_rationale_tokens) + encoder_.verdict_cue().size();
  }

  const std::string& name() const override { return name_; }

  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    const std::size_t orders = options_.orders == Orders::both ? 2 : 1;
    std::vector<std::vector<TokenId>> contexts;  // `orders` for every comparison that fits
    std::vector<bool> fits;
    for (const Comparison& comparison : comparisons) {
      std::vector<std::vector<TokenId>> shown = contexts_of(comparison, orders);
      fits.push_back(std::all_of(shown.begin(), shown.end(),
                                 [&](const auto& tokens) { return tokens.size() + room_needed_ <= max_context_; }));
      if (fits.back()) std::move(shown.begin(), shown.end(), std::back_inserter(contexts));
    }
    const std::vector<Answer> answers = rationale_first() ? reason_then_score(contexts) : score(contexts);

    std::vector<Verdict> verdicts(comparisons.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < comparisons.size(); ++i) {
      if (!fits[i]) {
        verdicts[i].status = VerdictStatus::truncated;
        continue;
      }
      verdicts[i] = verdict_of(std::span(contexts).subspan(next, orders), std::span(answers).subspan(next, orders));
      next += orders;
    }
    return verdicts;
  }

 private:
  bool rationale_first() const { return encoder_.prompt().style == text::Conversation::Style::rationale_first; }

  std::vector<std::vector<TokenId>> contexts_of(const Comparison& comparison, std::size_t orders) const {
    const ShownPrinciples by{&principles_, options_.principle_use, options_.seed};
    std::vector<std::vector<TokenId>> contexts;
    for (const ShownFirst first : {ShownFirst::first, ShownFirst::second}) {
      if (contexts.size() < orders)
        contexts.push_back(encoder_.context(shown_comparison(encoder_.prompt(), comparison, first, by)));
    }
    return contexts;
  }

  std::vector<TokenId> candidates() const { return {encoder_.first_token(), encoder_.second_token()}; }

  std::vector<Answer> score(const std::vector<std::vector<TokenId>>& contexts) {
    std::vector<Answer> answers;
    for (const std::vector<double>& log_probs : engine_.next_token_log_probs(contexts, candidates()))
      answers.push_back({two_way_softmax(log_probs[0], log_probs[1]), {}});
    return answers;
  }

  std::vector<Answer> reason_then_score(const std::vector<std::vector<TokenId>>& contexts) {
    std::vector<generate::GenerationRequest> requests;
    for (const std::vector<TokenId>& context : contexts)
      requests.push_back({.prompt_tokens = context, .prompt_id = 0, .samples = {0}});
    const generate::SamplingOptions greedy = rationale_sampling(options_, encoder_, engine_);
    std::vector<Answer> answers;
    for (auto& said : engine_.generate_and_score(requests, greedy, encoder_.verdict_cue(), candidates())) {
      const std::vector<double>& log_probs = said.front().candidate_log_probs;
      answers.push_back({two_way_softmax(log_probs[0], log_probs[1]), std::move(said.front().tokens)});
    }
    return answers;
  }

  // What the engine shared with other comparisons of the batch does not count as cached: a comparison costs the same
  // in any batch.
  Usage usage_of(std::span<const std::vector<TokenId>> contexts, std::span<const Answer> answers) const {
    Usage usage;
    for (std::size_t order = 0; order < contexts.size(); ++order) {
      usage.input_tokens += static_cast<std::int64_t>(contexts[order].size());
      if (rationale_first()) usage.input_tokens += static_cast<std::int64_t>(encoder_.verdict_cue().size());
      usage.output_tokens += static_cast<std::int64_t>(answers[order].rationale.size()) + 1;
    }
    if (contexts.size() == 2) {
      const auto &a = contexts[0], &b = contexts[1];
      usage.cached_input_tokens = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
    }
    usage.cost_usd = price_.label_usd(usage);
    return usage;
  }

  Verdict verdict_of(std::span<const std::vector<TokenId>> contexts, std::span<const Answer> answers) const {
    Verdict verdict = answers.size() == 2 ? combine_orders(answers[0].p_shown_first, 1.0 - answers[1].p_shown_first)
                                          : single_order(answers[0].p_shown_first);
    if (verdict.status == VerdictStatus::ok)
      verdict.p_first = std::clamp(verdict.p_first, options_.label_clamp_low, options_.label_clamp_high);
    verdict.rationale = encoder_.rationale_text(answers[0].rationale);
    verdict.usage = usage_of(contexts, answers);
    return verdict;
  }

  std::string name_;
  JudgeEncoder encoder_;
  Constitution principles_;
  LocalJudgeOptions options_;
  cost::Price price_;
  generate::Engine engine_;
  std::size_t max_context_;
  std::size_t room_needed_ = 0;  // tokens after the context
};

}  // namespace

std::unique_ptr<Judge> make_local_judge(std::string name, const model::Transformer& model,
                                        const text::ChatEncoder& chat, text::Conversation prompt,
                                        Constitution principles, LocalJudgeOptions options, cost::Price price) {
  if (prompt.scores) {
    const double temperature = options.scores.temperature;
    auto scorer = make_local_scorer(name, model, chat, std::move(prompt), std::move(principles), options);
    return make_scoring_judge(std::move(name), std::move(scorer), temperature, std::move(price));
  }
  return std::make_unique<LocalJudge>(std::move(name), model, chat, std::move(prompt), std::move(principles), options,
                                      std::move(price));
}

}  // namespace rlaif::judge
