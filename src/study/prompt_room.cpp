#include "rlaif/study/prompt_room.hpp"

#include <algorithm>
#include <limits>

#include "rlaif/core/error.hpp"
#include "rlaif/model/transformer.hpp"

namespace rlaif::study {

void require_a_prompt_that_fits(const Context& context, const Language& language, const model::Transformer& policy,
                                const std::string& what, const std::string& key, int max_new_tokens, std::int64_t count,
                                const std::function<Prompt(std::int64_t item)>& prompt) {
  if (count == 0) return;
  context.comm.on_root([&] {
    const std::int64_t room = longest_prompt(policy, max_new_tokens);
    auto shortest = std::numeric_limits<std::int64_t>::max();
    for (std::int64_t item = 0; item < count && shortest > room; ++item) {
      shortest = std::min(shortest, static_cast<std::int64_t>(language.chat.prompt(prompt(item)).size()));
    }
    if (shortest <= room) return;
    throw input_error(what + ": all " + std::to_string(count) + " prompts are too long: the model's context of " +
                      std::to_string(policy.config().max_positions) + " tokens less " + key + " = " +
                      std::to_string(max_new_tokens) + " leaves " + std::to_string(std::max<std::int64_t>(room, 0)) +
                      " tokens for a prompt, and the shortest has " + std::to_string(shortest));
  });
}

}  // namespace rlaif::study
