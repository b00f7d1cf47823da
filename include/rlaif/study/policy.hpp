// The first policy of a study, "sft": its tokenizer, its network, and the texts that it is fine-tuned on.
//   if (study.policy.pretrained()) ...   // it is the folder's model as it is
#pragma once

#include <cstdint>
#include <filesystem>

#include "rlaif/study/network.hpp"

namespace rlaif::study {

inline const char* const first_policy = "sft";

// Of the run; a folder's own where neither is said.
struct TokenizerOptions {
  std::filesystem::path file;
  std::int64_t vocab_size = 1024;
};

// Demonstrations of a file, or so many texts that the closed world writes.
struct FirstTexts {
  std::filesystem::path file;
  bool every_turn = false;  // of its conversations, every answer of the assistant's
  std::int64_t examples = 16000, register_examples = 2400, judge_examples = 0;
  std::int64_t drawn() const { return examples + register_examples + judge_examples; }
};

struct PolicyOptions {
  TokenizerOptions tokenizer;
  ModelOptions network;
  FirstTexts texts;

  // Whether it is its folder's model as it is: nothing is trained before the pairs.
  bool pretrained() const { return !network.folder.empty() && texts.file.empty() && texts.drawn() == 0; }
};

}  // namespace rlaif::study
