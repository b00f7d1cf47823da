// A comparison, or a response that is scored, as a model in this process is shown it, where it is asked and where it is trained.
//   encoder.context(shown_comparison(encoder.prompt(), comparison, ShownFirst::first, {&principles, use, seed}));
#pragma once

#include <cstdint>
#include <vector>

#include "rlaif/core/types.hpp"
#include "rlaif/judge/constitution/constitution.hpp"
#include "rlaif/judge/scorer.hpp"
#include "rlaif/text/conversation.hpp"

namespace rlaif::judge {

enum class ShownFirst { first, second };

// What a comparison is held against. `seed` draws the principle where there are several, and fences, keyed by the
// comparison's id.
struct ShownPrinciples {
  const Constitution* principles;
  PrincipleUse use = PrincipleUse::sample;
  std::uint64_t seed = 0;
};

// Texts for the places of `prompt`, whose marks that could steer a judge are broken where it has a fence.
text::ShownTexts shown_comparison(const text::Conversation& prompt, const Comparison& comparison, ShownFirst first,
                                  const ShownPrinciples& by);
// The same of one response, by these principles. The fence is keyed by the prompt's id.
text::ShownTexts shown_response(const text::Conversation& prompt, const Response& response,
                                const std::vector<const Principle*>& principles, std::uint64_t seed);

}  // namespace rlaif::judge
