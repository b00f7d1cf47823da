// What a deck says, as plain structs. The cli fills them; the study hands each module its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/core/resolved_deck.hpp"
#include "rlaif/judge/combine.hpp"
#include "rlaif/judge/judge.hpp"
#include "rlaif/judge/local.hpp"
#include "rlaif/judge/remote.hpp"
#include "rlaif/model/adapter_options.hpp"
#include "rlaif/run/layers.hpp"
#include "rlaif/run/options.hpp"
#include "rlaif/text/chat.hpp"
#include "rlaif/train/options.hpp"

namespace rlaif::stages {
class Algorithm;
}

namespace rlaif::study {

// What --dry-run assumes about machines and prompts. Nothing here decides results.
struct PlanOptions {
  int ranks = 0;                        // to plan for; 0: as many as are started
  double memory_gib = 0;                // a rank; 0: not stated
  double gflops = 0;                    // sustained, a rank; 0: no times
  double decode_tokens_per_second = 0;  // generated, a rank
  double usd_per_rank_hour = 0;
  std::int64_t prompt_tokens = 64;
  std::int64_t answer_tokens = 150;  // of an asked judge, an answer
};

struct TaskOptions {
  std::filesystem::path world;          // world.json
  std::filesystem::path train_prompts;  // JSON Lines; empty: the world's
  std::filesystem::path heldout_prompts;
  std::filesystem::path rules;                  // what responses are held against; empty: the world's gold utility
  std::string system;                           // system turn of every prompt; empty: the template's own, if any
  std::string date;                             // the day that a template may write, YYYY-MM-DD; empty: none
  std::optional<text::ChatFormat> chat_format;  // none: what model.folder says, else plain
};

struct ModelOptions {
  std::filesystem::path folder;  // a Hugging Face folder to start from; empty: random weights of the sizes below
  std::int64_t hidden_size = 128, num_layers = 3, num_heads = 4, num_kv_heads = 4, intermediate_size = 352;
  std::int64_t max_positions = 256;
  bool tied_embeddings = true;
};

struct TokenizerOptions {
  std::filesystem::path file;  // a tokenizer.json; empty: trained on the world's text
  std::int64_t vocab_size = 1024;
};

struct SftOptions {
  std::filesystem::path file;     // demonstrations, JSON Lines of prompt and response; they take the mixture's place
  std::int64_t examples = 16000;  // responses by the behaviour mixture
  std::int64_t register_examples = 2400;  // texts that state cells and sums
  std::int64_t judge_examples = 0;        // pairs with the verdict that gold gives: a policy that can judge
  int epochs = 2;
  train::LanguageModelOptions training;  // steps are derived
  std::int64_t drawn() const { return examples + register_examples + judge_examples; }
};

struct JudgeModelOptions {
  std::filesystem::path verdict_first_template, rationale_first_template;
  double register_share = 0.15;
  double context_weight = 1.0;  // loss weight of tokens before the verdict and rationale
  double verdict_weight = 1.0;
  train::LanguageModelOptions training;
};

// A judge of the closed world that the study trains: models/<name>.
struct JudgeModel {
  std::string name;
  ModelOptions network;
  JudgeModelOptions training;
  // "judge-model" for the one named "judge", else "judge-model-<name>".
  std::string stage() const;
};

struct AnnotateOptions {
  std::int64_t pairs_a_prompt() const { return static_cast<std::int64_t>(completions) * (completions - 1) / 2; }
  std::int64_t prompts = 4000, heldout_prompts = 600;
  int completions = 2;      // a prompt; all pairs of distinct texts are asked
  int redraws = 3;          // attempts to replace identical texts
  std::int64_t block = 50;  // prompts a block; one block is one shard
  double temperature = 1.0;
  int top_k = 0;
  double top_p = 1.0;
  int max_new_tokens = 40;
  int slots = 64;
};

enum class JudgeKind { local, annotators, rules, openai, anthropic, replay, ensemble, cascade, hierarchy };
inline bool is_combined(JudgeKind kind) { return kind >= JudgeKind::ensemble; }
struct JudgeOptions {
  std::string name;
  JudgeKind kind = JudgeKind::local;
  std::string model = "judge";  // local: models/<model> of the run; "policy": the one whose responses are judged
  std::string members;          // ensemble, cascade, hierarchy: names of judges, in order
  judge::EnsembleOptions ensemble;
  std::string thresholds;             // cascade: numbers; empty: those of the calibration
  double gate = 0.8;                  // hierarchy
  std::filesystem::path calibration;  // what calibration found out about this judge and its members (judge/fitted.hpp)
  bool length_correction = false;     // by this judge's length_slope there
  std::filesystem::path prompt_template;  // local
  std::filesystem::path principles;       // local, openai, anthropic
  int level = 0;                          // of the principles; 0: all levels
  std::filesystem::path rules;            // rules
  std::filesystem::path style;            // openai, anthropic: the conversation
  std::filesystem::path
      tokenizer;                   // openai, anthropic: a tokenizer.json of the judge's model; empty: bytes are counted
  std::filesystem::path verdicts;  // replay: recorded verdicts
  std::string recorded_judge, recorded_style;  // replay: which of them
  std::string temperature, top_p;              // openai, anthropic: numbers, or empty: not sent
  judge::RemoteOptions remote;
  std::string price = "ai-label";
  judge::LocalJudgeOptions local;
  judge::AnnotatorOptions annotators;
};

// Pairs whose verdict is known, mixed into what language models are asked.
struct CanaryOptions {
  std::filesystem::path file;
  double rate = 0.0;  // of the comparisons; 0: none
};

// Low-rank adapters of one stage; rank 0 trains all weights.
struct LowRankOptions {
  int rank = 0;
  double alpha = 32.0;
};
// What the adapters of a study have in common, so that models over one base can share its lower layers.
struct LoraOptions {
  std::string targets = "all";  // names of projections, or all
  std::int64_t first_layer = 0;
};

// Labels by people that take the place of a judge's in the training of reward models: preferences/spotcheck-<name>.
struct PeopleOptions {
  std::string name;     // empty: none
  double weight = 1.0;  // of such a pair's loss
};

struct EvaluateOptions {
  std::int64_t prompts = 500;
  int samples = 4;
  double temperature = 1.0;
  std::int64_t block = 25;
  int max_new_tokens = 40;
  int slots = 64;
  int resamples = 2000;
  bool specificity = false;  // whether a response fits its own question better than another one
};

inline const char* const first_policy = "sft";

// A policy that the study makes: by an algorithm from `start`, and from `judge`'s labels of start's responses.
struct ArmOptions {
  std::string name;
  std::string judge;
  std::string start = first_policy;             // or an arm before this one
  bool is_round = false;                        // of iterative training: listed in study.rounds
  std::string algorithm = "ppo";                // a name of stages/algorithm.hpp
  std::shared_ptr<stages::Algorithm> how = {};  // it, bound to the keys of the arm
  std::string section() const { return (is_round ? "round." : "arm.") + name; }
};

// What reward models are trained from.
enum class RewardStart {
  policy,   // the policy whose responses are compared
  network,  // a network of other sizes, fine-tuned as the policy was: models/sft-reward
};

// What a judge must come to before a reward model learns from it.
struct AgreementOptions {
  double least = 0.7;    // share of pairs on which it names the better side; 0: whatever it is
  bool proceed = false;  // go on below it, and say so
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

// For `rlaif calibrate`.
struct CalibrateOptions {
  std::filesystem::path pairs;     // labelled by people
  std::string judges;              // names; empty: all of study.judges
  std::filesystem::path output;    // a folder
  std::filesystem::path probes;    // a good and a bad response each
  std::filesystem::path recorded;  // verdicts instead of judges
  double target = 0.98;            // of the last judge's agreement, that a cascade is to keep
  int folds = 10;  // of the prompts, for what is learned to be held against pairs it has not seen; 0: none
  int resamples = 2000;
};

struct StudyOptions {
  std::string name = "default";  // of the deck
  RunOptions run;
  PlanOptions plan;
  TaskOptions task;
  ModelOptions model;
  TokenizerOptions tokenizer;
  SftOptions sft;
  std::vector<JudgeModel> judge_models;
  AnnotateOptions annotate;
  std::vector<JudgeOptions> judges;   // each labels all pairs
  std::vector<JudgeOptions> members;  // asked as members of others only
  AgreementOptions agreement;
  CanaryOptions canaries;
  std::vector<ArmOptions> arms;
  train::RewardOptions reward;
  PeopleOptions people;
  RewardStart reward_start = RewardStart::policy;
  ModelOptions reward_network;     // where reward models start from one
  std::int64_t reward_labels = 0;  // the store's first usable ones that reward models learn from; 0: all
  std::vector<std::shared_ptr<stages::Algorithm>> algorithms;  // bound to the sections of their names
  LoraOptions lora;
  LowRankOptions reward_adapter;
  EvaluateOptions evaluate;
  std::filesystem::path prices, assumptions;
  double cap_usd = 0;  // what judges may cost in all, runs before included; 0: no cap
  IoOptions io;
  CalibrateOptions calibrate;

  // Whether the policy starts from model.folder as it is: nothing is trained before the pairs.
  bool pretrained_policy() const { return !model.folder.empty() && sft.file.empty() && sft.drawn() == 0; }
  model::AdapterOptions adapter(const LowRankOptions& of) const;
  const JudgeOptions& judge_named(const std::string& name) const;  // or member; throws Error(usage)
};

}  // namespace rlaif::study
