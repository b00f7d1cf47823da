// What a deck says, as plain structs. Each is bound to its keys by the file that uses it, where unit, range and meaning of a
// field stand.
//   study::TaskOptions task;  study::bind_task(table, task);  table.set("task.system", {"Be brief."});
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/core/option_table.hpp"
#include "rlaif/core/resolved_deck.hpp"
#include "rlaif/judge/judge.hpp"
#include "rlaif/judge/kinds/combine.hpp"
#include "rlaif/judge/kinds/local.hpp"
#include "rlaif/judge/kinds/remote.hpp"
#include "rlaif/model/adapter_options.hpp"
#include "rlaif/run/layers.hpp"
#include "rlaif/run/options.hpp"
#include "rlaif/text/chat.hpp"
#include "rlaif/train/options.hpp"

namespace rlaif::stages {
class Algorithm;
class Maker;
}  // namespace rlaif::stages

namespace rlaif::study {

// What --dry-run assumes about machines and prompts. Nothing here decides results.
struct PlanOptions {
  int ranks = 0;
  double memory_gib = 0;
  double gflops = 0;
  double decode_tokens_per_second = 0;
  double usd_per_rank_hour = 0;
  std::int64_t prompt_tokens = 64;
  std::int64_t answer_tokens = 150;
};

struct TaskOptions {
  std::filesystem::path world, train_prompts, heldout_prompts, rules;
  std::string system, date;
  std::optional<text::ChatFormat> chat_format;  // none: what model.folder says, else plain
};

// Prices, and what labels may cost.
struct CostOptions {
  std::filesystem::path prices, assumptions;
  double cap_usd = 0;
};

// A network: a Hugging Face folder, or random weights of these sizes.
struct ModelOptions {
  std::filesystem::path folder;
  std::int64_t hidden_size = 128, num_layers = 3, num_heads = 4, num_kv_heads = 4, intermediate_size = 352;
  std::int64_t max_positions = 256;
  bool tied_embeddings = true;
};
// `whose` network the section describes: "the policy".
void bind_model(OptionTable& table, const std::string& section, ModelOptions& options, const std::string& whose);

struct TokenizerOptions {
  std::filesystem::path file;
  std::int64_t vocab_size = 1024;
};

struct SftOptions {
  std::filesystem::path file;
  std::int64_t examples = 16000, register_examples = 2400, judge_examples = 0;
  int epochs = 2;
  train::LanguageModelOptions training;  // steps are derived
  std::int64_t drawn() const { return examples + register_examples + judge_examples; }
};

struct JudgeModelOptions {
  std::filesystem::path verdict_first_template, rationale_first_template;
  double register_share = 0.15;
  double context_weight = 1.0, verdict_weight = 1.0;
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

// How pairs are drawn: [annotate].
struct AnnotateOptions {
  std::int64_t pairs_a_prompt() const { return static_cast<std::int64_t>(completions) * (completions - 1) / 2; }
  std::int64_t prompts = 4000, heldout_prompts = 600;
  int completions = 2;
  int redraws = 3;
  std::int64_t block = 50;
  double temperature = 1.0;
  int top_k = 0;
  double top_p = 1.0;
  int max_new_tokens = 40;
  int slots = 64;
};

enum class JudgeKind { local, annotators, rules, openai, anthropic, replay, ensemble, cascade, hierarchy };
inline bool is_combined(JudgeKind kind) { return kind >= JudgeKind::ensemble; }
// A section [judge.NAME]. Each kind binds those of the fields that it has use for (study/judge_kinds.hpp).
struct JudgeOptions {
  std::string name;
  JudgeKind kind = JudgeKind::local;
  std::string model = "judge";  // local: models/<model> of the run; "policy": the one whose responses are judged
  std::vector<std::string> members = {};  // of a combined judge: names of judges, in order
  judge::EnsembleOptions ensemble = {};
  std::vector<double> thresholds = {};  // cascade; empty: those of the calibration
  double gate = 0.8;                    // hierarchy
  std::filesystem::path calibration =
      {};                          // what calibration found out about this judge and its members (judge/fitted.hpp)
  bool length_correction = false;  // by this judge's length_slope there
  std::filesystem::path prompt_template = {};  // local: the conversation
  std::filesystem::path style = {};            // remote: the conversation
  std::filesystem::path principles = {};       // local, remote
  judge::PrincipleUse principle_use = judge::PrincipleUse::sample;
  int level = 0;  // of the principles; 0: all levels
  judge::Orders orders = judge::Orders::both;
  std::filesystem::path rules = {};      // rules
  std::filesystem::path tokenizer = {};  // remote: a tokenizer.json of the judge's model; empty: bytes are counted
  std::filesystem::path verdicts = {};   // replay: recorded verdicts
  std::string recorded_judge = {}, recorded_style = {};  // replay: which of them
  std::string price = "ai-label";
  judge::RemoteOptions remote = {};
  judge::LocalJudgeOptions local = {};
  judge::AnnotatorOptions annotators = {};
};

// Pairs whose verdict is known, mixed into what language models are asked.
struct CanaryOptions {
  std::filesystem::path file;
  double rate = 0.0;
};

// Low-rank adapters of one stage; rank 0 trains all weights.
struct LowRankOptions {
  int rank = 0;
  double alpha = 32.0;
};
// What the adapters of a study have in common, so that models over one base can share its lower layers.
struct LoraOptions {
  std::vector<std::string> targets{"all"};
  std::int64_t first_layer = 0;
};
void bind_lora(OptionTable& table, LoraOptions& options);

// Labels by people that take the place of a judge's where a policy or reward model learns: preferences/spotcheck-<name>.
struct PeopleOptions {
  std::string name;  // empty: none
  double weight = 1.0;
};

// What reward models are trained from.
enum class RewardStart {
  policy,   // the policy whose responses are compared
  network,  // a network of other sizes, fine-tuned as the policy was: models/sft-reward
};

struct RewardModelOptions {
  train::RewardOptions training;
  PeopleOptions people;
  RewardStart start = RewardStart::policy;
  ModelOptions network;     // where reward models start from one
  std::int64_t labels = 0;  // the store's first usable ones that are learned from; 0: all
  LowRankOptions adapter;
};

struct EvaluateOptions {
  std::int64_t prompts = 500;
  int samples = 4;
  double temperature = 1.0;
  std::int64_t block = 25;
  int max_new_tokens = 40;
  int slots = 64;
  int resamples = 2000;
  bool specificity = false;
};

inline const char* const first_policy = "sft";

// What an algorithm learns from, and what a maker of data makes.
enum class DataKind { preferences, demonstrations, prompts };
const char* to_string(DataKind kind);

// Data that arms name as what they learn from: [data.NAME].
struct DataOptions {
  std::string name;
  std::string maker = {};                     // a name of stages/maker.hpp
  std::string policy = first_policy;          // whose responses it consists of, where a policy is sampled
  DataKind makes = DataKind::demonstrations;  // by its maker
  std::shared_ptr<stages::Maker> how = {};    // the maker, bound to the keys of the section
  std::string section() const { return "data." + name; }
};

// A policy that the study makes: by an algorithm from `start`, and from `data`, or where it names none, from `judge`'s labels of
// start's responses.
struct ArmOptions {
  std::string name;
  std::string judge;
  std::string start = first_policy;             // or an arm before this one
  bool is_round = false;                        // of iterative training: listed in study.rounds
  std::string algorithm = "ppo";                // a name of stages/algorithm.hpp
  std::string data = {};                        // a name of [data.NAME]; empty: pairs by its start
  std::shared_ptr<stages::Algorithm> how = {};  // the algorithm, bound to the keys of the arm
  std::string section() const { return (is_round ? "round." : "arm.") + name; }
};

// What a judge must come to before a reward model learns from it.
struct AgreementOptions {
  double least = 0.7;
  bool proceed = false;
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
  std::filesystem::path pairs, output, probes, recorded;
  std::vector<std::string> judges;
  double target = 0.98;
  int folds = 10;
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
  std::vector<DataOptions> data;
  RewardModelOptions reward;
  std::vector<std::shared_ptr<stages::Algorithm>> algorithms;  // bound to the sections of their names
  LoraOptions lora;
  EvaluateOptions evaluate;
  CostOptions costs;
  IoOptions io;
  CalibrateOptions calibrate;

  // Whether the policy starts from model.folder as it is: nothing is trained before the pairs.
  bool pretrained_policy() const { return !model.folder.empty() && sft.file.empty() && sft.drawn() == 0; }
  model::AdapterOptions adapter(const LowRankOptions& of) const;
  const JudgeOptions& judge_named(const std::string& name) const;  // or member; throws Error(usage)
};

}  // namespace rlaif::study
