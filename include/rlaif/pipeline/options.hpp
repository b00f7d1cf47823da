// What a deck says, as plain structs. The cli fills them; the pipeline hands each module its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "rlaif/comm/device.hpp"
#include "rlaif/judge/judge.hpp"
#include "rlaif/judge/local.hpp"
#include "rlaif/text/chat.hpp"
#include "rlaif/train/language_model.hpp"
#include "rlaif/train/ppo.hpp"
#include "rlaif/train/reward.hpp"

namespace rlaif::pipeline {

struct RunOptions {
  std::filesystem::path directory = "runs/default";
  std::uint64_t seed = 0;
  comm::DeviceChoice device = comm::DeviceChoice::cpu;
  int threads = 1;                  // of libtorch, a rank
  int grains = 4;                   // pieces of a global batch that are summed in one fixed order
  int checkpoint_every_steps = 0;        // 0: by time alone
  double checkpoint_every_seconds = 30;  // 0: by steps alone
};

struct TaskOptions {
  std::filesystem::path world;             // world.json
  std::filesystem::path train_prompts;     // JSON Lines; empty: the world's
  std::filesystem::path heldout_prompts;
  text::ChatFormat chat_format = text::ChatFormat::plain;
};

struct ModelOptions {
  std::filesystem::path folder;  // a Hugging Face folder to start from; empty: random weights of the sizes below
  std::int64_t hidden_size = 128, num_layers = 3, num_heads = 4, num_kv_heads = 4, intermediate_size = 352;
  std::int64_t max_positions = 256;
};

struct TokenizerOptions {
  std::filesystem::path file;  // a tokenizer.json; empty: trained on the world's text
  std::int64_t vocab_size = 1024;
};

struct SftOptions {
  std::int64_t examples = 16000;           // responses by the behaviour mixture
  std::int64_t register_examples = 2400;   // texts that state cells and sums
  int epochs = 2;
  train::LanguageModelOptions training;    // steps are derived
};

struct JudgeModelOptions {
  std::filesystem::path verdict_first_template, rationale_first_template;
  double register_share = 0.15;
  double context_weight = 1.0;    // loss weight of tokens before the verdict and rationale
  double verdict_weight = 1.0;
  train::LanguageModelOptions training;
};

struct AnnotateOptions {
  std::int64_t prompts = 4000, heldout_prompts = 600;
  int completions = 2;        // a prompt; all pairs of distinct texts are asked
  int redraws = 3;            // attempts to replace identical texts
  std::int64_t block = 50;    // prompts a block; one block is one shard
  double temperature = 1.0;
  int top_k = 0;
  double top_p = 1.0;
  int max_new_tokens = 40;
  int slots = 64;
};

enum class JudgeKind { local, annotators };
struct JudgeOptions {
  std::string name;
  JudgeKind kind = JudgeKind::local;
  std::string model = "judge";            // local: models/<model> of the run
  std::filesystem::path prompt_template;  // local
  std::filesystem::path principles;       // local
  std::string price = "ai-label";
  judge::LocalJudgeOptions local;
  judge::AnnotatorOptions annotators;
};

struct EvaluateOptions {
  std::int64_t prompts = 500;
  int samples = 4;
  double temperature = 1.0;
  std::int64_t block = 25;
  int max_new_tokens = 40;
  int slots = 64;
  int resamples = 2000;
};

struct ArmOptions {
  std::string name;
  std::string judge;
};

// For the commands that read and write files of the user's.
struct IoOptions {
  std::filesystem::path input, output;
  std::string model = "sft";
  std::string judge;
  int samples = 1;
  double temperature = 1.0;
  int top_k = 0;
  double top_p = 1.0;
  int max_new_tokens = 40;
};

struct StudyOptions {
  std::string name = "default";      // of the deck
  RunOptions run;
  TaskOptions task;
  ModelOptions model, judge_network;
  TokenizerOptions tokenizer;
  SftOptions sft;
  JudgeModelOptions judge_model;
  AnnotateOptions annotate;
  std::vector<JudgeOptions> judges;
  std::vector<ArmOptions> arms;
  train::RewardOptions reward;
  train::PpoOptions ppo;
  EvaluateOptions evaluate;
  std::filesystem::path prices;
  IoOptions io;

  const JudgeOptions& judge_named(const std::string& name) const;  // throws Error(usage)
};

// The resolved deck: every key with the text that set it. `results` marks the keys that decide results; those are
// hashed, and a run directory is bound to them.
struct ResolvedDeck {
  struct Entry {
    std::string key, text;
    bool results = true;
  };
  std::vector<Entry> entries;                 // in the order of registration
  std::vector<std::pair<std::string, std::string>> inputs;  // key of a path, checksum of the file it names
  std::string canonical() const;              // "key = text" lines of the keys that decide results, and inputs
  std::string hash() const;                   // 16 hex digits
};

}  // namespace rlaif::pipeline
