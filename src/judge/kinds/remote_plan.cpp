#include "remote_plan.hpp"

#include <algorithm>
#include <cctype>

#include "../prompts/fence.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/judge/kinds/shown_comparison.hpp"
#include "rlaif/judge/prompts/shown_text.hpp"

namespace rlaif::judge {
namespace {

bool is_label(const std::string& word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
}

// Throws Error(usage) for what is out of range.
RemoteOptions checked(const std::string& name, const RemoteOptions& options) {
  remote::check_server("judge " + name, options);
  return options;
}

void check(const std::string& name, const RemoteOptions& o, const RemoteParts& parts) {
  const auto refuse = [&](const std::string& message) { throw usage_error("judge " + name + ": " + message); };
  if (!(o.least_label_mass >= 0.0 && o.least_label_mass <= 1.0)) refuse("least_label_mass must be in [0, 1]");
  if (o.context_tokens < 0) refuse("context_tokens must be at least 0");
  const text::Conversation& style = parts.style;
  if (!style.scores && o.principle_use == PrincipleUse::each)
    refuse("principle_use = each is for styles that ask for a score ('%% scores')");
  if (!is_label(style.verdict_first) || !is_label(style.verdict_second))
    refuse("the style's verdicts must be words of letters and digits, not '" + style.verdict_first + " " +
           style.verdict_second + "'");
  if (!style.has_fence()) refuse("the style has no place {fence} for the word in the marks around what is judged");
  if (style.has_principles() && parts.principles.empty()) refuse("the style asks for principles, and there are none");
  if (!style.has_principles() && !parts.principles.empty())
    refuse("principles are given, but the style has no place {principles} for them");
}

std::uint64_t response_key(const Response& response) {
  return hash_words({checksum(response.prompt->text), checksum(response.completion->text)});
}

// The same for a pair that is asked about again, whichever response stands first.
std::uint64_t pair_key(const Comparison& comparison) {
  const std::uint64_t first = checksum(comparison.first.text), second = checksum(comparison.second.text);
  return hash_words({checksum(comparison.prompt.text), std::min(first, second), std::max(first, second)});
}

}  // namespace

std::vector<remote::Question*> Plan::asked() {
  std::vector<bool> is_asked(questions.size());
  for (const QuestionsOf& one : asked_about)
    for (const auto& order : one.by_order)
      for (const std::size_t index : order) is_asked[index] = is_asked[index] || one.fits;
  std::vector<remote::Question*> result;
  for (std::size_t i = 0; i < questions.size(); ++i)
    if (is_asked[i]) result.push_back(&questions[i]);
  return result;
}

Planner::Planner(const std::string& name, const RemoteOptions& options, const RemoteParts& parts,
                 const remote::Protocol& protocol)
    : options_(checked(name, options)),
      parts_(parts),
      requests_an_order_((options.samples + protocol.answers_a_request() - 1) / protocol.answers_a_request()),
      pricer_(make_pricer(name, protocol)) {}

remote::Pricer Planner::make_pricer(const std::string& name, const remote::Protocol& protocol) const {
  check(name, options_, parts_);
  const text::Conversation& style = parts_.style;
  const auto chosen = parts_.principles.chosen(0, options_.principle_use, options_.seed);
  text::ShownTexts texts;
  texts.principles = principles_text(chosen);
  texts.cases = cases_text(chosen, style.verdict_first, style.verdict_second);
  const bool same_principles = options_.principle_use == PrincipleUse::all || parts_.principles.size() <= 1;
  std::vector<text::Message> opening = style.render(texts);
  opening.resize(style.constant_turns(same_principles));
  const int requests = requests_an_order_ * (options_.orders == Orders::both && !style.scores ? 2 : 1);
  return {"judge " + name, options_, protocol, parts_.price, parts_.count_tokens, opening, requests};
}

void Planner::ask(Plan& plan, QuestionsOf& asked, std::size_t order, remote::Question question) const {
  if (options_.context_tokens > 0 &&
      question.likely_input_tokens + options_.max_output_tokens > options_.context_tokens)
    asked.fits = false;
  const auto [place, added] = plan.known.emplace(question.hash, plan.questions.size());
  asked.by_order[order].push_back(place->second);
  if (added) plan.questions.push_back(std::move(question));
}

Plan Planner::plan(std::span<const Comparison> comparisons) const {
  Plan plan;
  for (const Comparison& comparison : comparisons) {
    QuestionsOf& asked = plan.asked_about.emplace_back();
    const std::string prompt = shown_text(comparison.prompt.text);
    const std::array<std::string, 2> texts{shown_text(comparison.first.text), shown_text(comparison.second.text)};
    const std::uint64_t pair = pair_key(comparison);
    const auto chosen = parts_.principles.chosen(comparison.id, options_.principle_use, options_.seed);
    const std::string principles = principles_text(chosen);
    const std::string cases = cases_text(chosen, parts_.style.verdict_first, parts_.style.verdict_second);
    const std::string fence = fence_of(comparison, options_.seed);
    for (std::size_t order = 0; order < (options_.orders == Orders::both ? 2u : 1u); ++order) {
      const std::vector<text::Message> turns =
          parts_.style.render({principles, prompt, texts[order], texts[1 - order], cases, fence});
      for (int sample = 0; sample < requests_an_order_; ++sample) {
        const std::uint64_t seed =
            hash_words({options_.seed, comparison.id, order, static_cast<std::uint64_t>(sample)});
        remote::Question next = pricer_.question(turns, seed, sample);
        next.topic = pair;
        ask(plan, asked, order, std::move(next));
      }
    }
  }
  return plan;
}

Plan Planner::plan(std::span<const ShownResponse> responses) const {
  Plan plan;
  for (const ShownResponse& shown : responses) {
    QuestionsOf& asked = plan.asked_about.emplace_back();
    const std::vector<text::Message> turns =
        parts_.style.render(shown_response(parts_.style, *shown.response, shown.principles, options_.seed));
    for (int sample = 0; sample < requests_an_order_; ++sample) {
      const std::uint64_t seed =
          hash_words({options_.seed, shown.response->prompt->id, static_cast<std::uint64_t>(sample)});
      remote::Question next = pricer_.question(turns, seed, sample);
      next.topic = response_key(*shown.response);
      ask(plan, asked, 0, std::move(next));
    }
  }
  return plan;
}

ScoringBy Planner::scoring_by() const {
  return {options_.principle_use, options_.scores.level_gate, *parts_.style.scores, options_.seed};
}

std::vector<ShownResponse> Planner::questions_about(std::span<const Response> responses) const {
  return questions_by_principles(responses, parts_.principles, scoring_by());
}

}  // namespace rlaif::judge
