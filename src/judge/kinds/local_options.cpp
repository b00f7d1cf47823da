#include "local_options.hpp"

#include "rlaif/core/error.hpp"

namespace rlaif::judge {
namespace {

void check_ranges(const LocalJudgeOptions& options) {
  if (options.max_rationale_tokens < 1)
    throw usage_error("judge: max_rationale_tokens must be at least 1, not " +
                      std::to_string(options.max_rationale_tokens));
  if (!(options.label_clamp_low >= 0.0 && options.label_clamp_low <= options.label_clamp_high &&
        options.label_clamp_high <= 1.0))
    throw usage_error("judge: the label clamp must be 0 <= low <= high <= 1, not " +
                      std::to_string(options.label_clamp_low) + " and " + std::to_string(options.label_clamp_high));
}

}  // namespace

void check_local(const std::string& name, const LocalJudgeOptions& options, const JudgeEncoder& encoder,
                 const Constitution& principles, const text::ChatEncoder& chat, const generate::Engine& engine) {
  check_ranges(options);
  const text::Conversation& prompt = encoder.prompt();
  if (prompt.has_principles() && principles.empty())
    throw input_error("judge '" + name + "': expected at least one principle");
  if (!prompt.has_principles() && !principles.empty())
    throw input_error("judge '" + name + "': principles are given, but the template has no place for them");
  if (!prompt.scores && options.principle_use == PrincipleUse::each)
    throw usage_error("judge '" + name + "': principle_use = each is for templates that ask for a score ('%% scores')");
  if (chat.tokenizer().vocab_size() > engine.vocab_size())
    throw input_error("judge '" + name + "': the tokenizer has " + std::to_string(chat.tokenizer().vocab_size()) +
                      " tokens, the model only " + std::to_string(engine.vocab_size()));
}

generate::SamplingOptions rationale_sampling(const LocalJudgeOptions& options, const JudgeEncoder& encoder,
                                             const generate::Engine& engine) {
  EndTokens stops(encoder.rationale_stops());
  stops.add(engine.end_tokens().ids());
  generate::SamplingOptions greedy;
  greedy.temperature = 0.0;
  greedy.max_new_tokens = options.max_rationale_tokens;
  greedy.stop_tokens = stops.ids();
  return greedy;
}

}  // namespace rlaif::judge
