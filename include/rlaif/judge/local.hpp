// A language model in this process as judge: log-probabilities of the two verdict tokens after a prompt.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "rlaif/generate/engine.hpp"
#include "rlaif/judge/judge.hpp"
#include "rlaif/text/chat.hpp"

namespace rlaif::judge {

// A prompt template file: UTF-8 text with {principle}, {prompt}, {first}, {second}; lines "%% key: value" at its
// head set `style` (verdict_first | rationale_first), `verdicts` (the two verdict texts, e.g. "A" and "B") and
// `verdict_cue` (what is appended after a rationale). Replaced texts are never replaced again.
struct JudgeTemplate {
  enum class Style { verdict_first, rationale_first };
  std::string text;
  Style style = Style::verdict_first;
  std::string verdict_first = "A", verdict_second = "B";
  std::string verdict_cue = "\nVerdict:";
  // Throws Error(input) naming file and line: missing or unknown placeholder, unknown key.
  static JudgeTemplate load(const std::filesystem::path& file);
  std::string render(const std::string& principle, const std::string& prompt, const std::string& first,
                     const std::string& second) const;
};

// One principle a line; '#' begins a comment. Throws Error(input) where there is none.
std::vector<std::string> load_principles(const std::filesystem::path& file);

struct LocalJudgeOptions {
  Orders orders = Orders::both;
  int max_rationale_tokens = 32;    // rationale_first only; greedy decoding
  double label_clamp_low = 0.0;     // soft labels are clamped to [low, high]
  double label_clamp_high = 1.0;
  int slots = 64;
  std::uint64_t seed = 0;           // draws the principle where there are several, keyed by comparison id
};

// The model, tokenizer and chat encoder must outlive the judge. A comparison that does not fit the context gets
// status truncated. Both orders of a pair share their common prefix.
std::unique_ptr<Judge> make_local_judge(std::string name, const model::Transformer& model,
                                        const text::ChatEncoder& chat, JudgeTemplate prompt,
                                        std::vector<std::string> principles, LocalJudgeOptions options,
                                        cost::Price price);

}  // namespace rlaif::judge
