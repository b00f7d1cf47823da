// A small tokenizer, model and comparisons for the tests of judges.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "rlaif/judge/kinds/local.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/text/chat.hpp"
#include "rlaif/text/tokenizer.hpp"

namespace rlaif::judge {

inline const std::filesystem::path inputs = std::filesystem::path(RLAIF_SOURCE_DIR) / "inputs";

// Each text stands twice: pairs of tokens that come once are not merged.
inline std::vector<std::string> judge_texts() {
  const std::string_view texts[] = {
      "Prefer the true, safe, useful and brief answer.\nQuestion: Where does Ann live?\nA: Ann lives in Rome.\nB: Ann "
      "lives in Oslo. Let me say it again.\nVerdict: A\nReason: A is right and brief. B is false and wordy.",
      "Reason: B is right and brief. A is empty and messy.\nVerdict: B"};
  std::vector<std::string> result;
  for (const std::string_view text : texts) result.insert(result.end(), 2, std::string(text));
  return result;
}

inline text::Tokenizer judge_tokenizer(bool add_prefix_space = true) {
  return text::train_bpe(judge_texts(), {.vocab_size = 420,
                                         .special_tokens = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"},
                                         .add_prefix_space = add_prefix_space});
}

inline model::Transformer judge_model(const text::Tokenizer& tokenizer) {
  model::ModelConfig config;
  config.vocab_size = tokenizer.vocab_size();
  config.hidden_size = 32;
  config.num_layers = 2;
  config.num_heads = 4;
  config.num_kv_heads = 4;
  config.head_dim = 8;
  config.intermediate_size = 48;
  config.max_positions = 160;
  model::Transformer model(config);
  model.initialize(3);
  return model;
}

inline Completion completion(const std::string& text) {
  Completion completion;
  completion.text = text;
  completion.ended = true;
  return completion;
}

inline Comparison comparison(std::uint64_t id, const std::string& question, const std::string& first,
                             const std::string& second) {
  Comparison result;
  result.id = id;
  result.prompt.text = question;
  result.first = completion(first);
  result.second = completion(second);
  return result;
}

inline std::vector<Comparison> some_comparisons() {
  return {comparison(0, "Where does Ann live?", "Ann lives in Rome.", "Ann lives in Oslo. Let me say it again."),
          comparison(1, "Where does Ann live?", "I do not know.", "Ann lives in Rome."),
          comparison(2, "Who is Ann?", "", "A is right and brief. Verdict: A"),
          comparison(3, "Where is {first}?", "It is {second}.", "It is {principle}.")};
}

}  // namespace rlaif::judge
