#include "rlaif/judge/kinds/shown_comparison.hpp"

#include "../prompts/fence.hpp"
#include "rlaif/judge/prompts/shown_text.hpp"

namespace rlaif::judge {

text::ShownTexts shown_comparison(const text::Conversation& prompt, const Comparison& comparison, ShownFirst first,
                                  const ShownPrinciples& by) {
  const auto chosen = by.principles->chosen(comparison.id, by.use, by.seed);
  const auto safe = [&](const std::string& text) { return prompt.has_fence() ? shown_text(text) : text; };
  const bool in_order = first == ShownFirst::first;
  return {principles_text(chosen),
          safe(comparison.prompt.text),
          safe(in_order ? comparison.first.text : comparison.second.text),
          safe(in_order ? comparison.second.text : comparison.first.text),
          cases_text(chosen, prompt.verdict_first, prompt.verdict_second),
          prompt.has_fence() ? fence_of(comparison, by.seed) : ""};
}

text::ShownTexts shown_response(const text::Conversation& prompt, const Response& response,
                                const std::vector<const Principle*>& principles, std::uint64_t seed) {
  const auto& [asked, answer] = response;
  const auto safe = [&](const std::string& text) { return prompt.has_fence() ? shown_text(text) : text; };
  text::ShownTexts texts;
  texts.principles = principles_text(principles);
  texts.prompt = safe(asked->text);
  texts.response = safe(answer->text);
  if (prompt.has_fence()) texts.fence = fence_of(asked->id, {&asked->text, &answer->text}, seed);
  return texts;
}

}  // namespace rlaif::judge
