// A language model in this process as judge: log-probabilities of the two verdict tokens after a prompt.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "rlaif/generate/engine.hpp"
#include "rlaif/judge/constitution.hpp"
#include "rlaif/judge/judge.hpp"
#include "rlaif/text/chat.hpp"

namespace rlaif::judge {

// A prompt template file: UTF-8 text with {principle}, {prompt}, {first}, {second}, and where wanted {cases} (those of the
// principles) and {fence}: a random word that no text contains, for marks around the texts that are judged, which then
// are shown as in shown_text.hpp. Lines "%% key: value" at its head set
//   style          verdict_first | rationale_first
//   wrap           raw (the rendered text is what the model continues) | chat (it is a user's turn, answered)
//   verdicts       the two verdict texts, e.g. "A B"; after text they are preceded by a space
//   verdict_cue    what is appended after a rationale, before the verdict; \n is a line break
//   rationale_cue  what follows a verdict, before its rationale (verdict_first; used in training only)
//   principles     given | none (a template without constitution: {principle} and {cases} have no place in it)
// The rest is the text, less one line break at its end. Replaced texts are never replaced again.
struct JudgeTemplate {
  enum class Style { verdict_first, rationale_first };
  enum class Wrap { raw, chat };
  std::string text;
  Style style = Style::verdict_first;
  Wrap wrap = Wrap::raw;
  std::string verdict_first = "A", verdict_second = "B";
  std::string verdict_cue = "\nVerdict:";
  std::string rationale_cue = "\nReason:";
  bool has_principles = true;
  // Throws Error(input) naming file and line: missing or unknown placeholder, unknown key, unknown value.
  static JudgeTemplate load(const std::filesystem::path& file);
  // {name} of lower-case letters is a placeholder; other braces are text.
  std::string render(const std::string& principle, const std::string& prompt, const std::string& first,
                     const std::string& second, const std::string& cases = "(none)",
                     const std::string& fence = "") const;
  bool has_fence() const;
};

struct LocalJudgeOptions {
  Orders orders = Orders::both;
  int max_rationale_tokens = 32;  // rationale_first only; greedy decoding
  double label_clamp_low = 0.0;   // p_first is clamped to [low, high]; p_first_by_order is not
  double label_clamp_high = 1.0;
  int slots = 64;
  PrincipleUse principle_use = PrincipleUse::sample;
  std::uint64_t seed = 0;  // draws the principle where there are several, and fences, keyed by comparison id
};

// P(shown first is better) = softmax over the log-probabilities of the two verdict tokens, after a greedily decoded
// rationale where the style has it first (Lee et al. 2309.00267, section 3.1). The model, tokenizer and chat encoder
// must outlive the judge. `principles` are empty where the template has no place for them. A comparison that does not fit the context gets status truncated and costs nothing.
// Usage: input_tokens of all orders, of them those that the second order shares with the first as cached;
// output_tokens: the rationales' and one verdict an order. Throws Error(input) where the template's verdicts are not
// two different tokens, or the tokenizer does not fit model or template; Error(usage) for options out of range.
std::unique_ptr<Judge> make_local_judge(std::string name, const model::Transformer& model,
                                        const text::ChatEncoder& chat, JudgeTemplate prompt, Constitution principles,
                                        LocalJudgeOptions options, cost::Price price);

}  // namespace rlaif::judge
