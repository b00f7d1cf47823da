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

}  // namespace rlaif::judge
