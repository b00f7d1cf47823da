#include "rlaif/pipeline/context.hpp"

#include <optional>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/model/hf.hpp"
#include "rlaif/train/losses.hpp"

namespace rlaif::pipeline {

std::string libtorch_version() { return TORCH_VERSION; }

void set_threads(int threads) {
  if (threads < 1) throw usage_error("run.threads: at least 1 was expected");
  at::set_num_threads(threads);
}

train::StageRun Context::stage_run(const std::string& stage) const {
  train::StageRun run;
  run.comm = &comm;
  run.device_comm = device_comm;
  run.name = stage;
  run.checkpoint_folder = directory.checkpoints(stage);
  run.metrics_file = directory.metrics(stage);
  run.checkpoint_every_steps = options.run.checkpoint_every_steps;
  run.checkpoint_every_seconds = options.run.checkpoint_every_seconds;
  run.grains = options.run.grains;
  run.stop_requested = stop_requested;
  return run;
}

std::unique_ptr<Language> load_language(const Context& context) {
  std::unique_ptr<Language> language;
  context.comm.agree([&] {
    language = std::make_unique<Language>(text::Tokenizer::load(context.directory.tokenizer()),
                                          context.options.task.chat_format);
  });
  return language;
}

std::vector<TokenId> reward_tokens(const Language& language, const Prompt& prompt, const Completion& completion) {
  std::vector<TokenId> tokens = language.chat.prompt(prompt.text);
  std::vector<TokenId> rest = language.chat.completion(completion.text);
  if (!completion.ended) rest.pop_back();  // the end token that completion() puts last
  tokens.insert(tokens.end(), rest.begin(), rest.end());
  return tokens;
}

namespace {

model::Transformer load_fitting_model(const std::filesystem::path& folder, torch::Device device,
                                      const Language& language) {
  model::Transformer model = model::load_model(folder, device);
  if (model.config().vocab_size < language.tokenizer.vocab_size()) {
    throw input_error(folder / "config.json", "vocab_size is " + std::to_string(model.config().vocab_size) +
                                                  ", but the tokenizer has " +
                                                  std::to_string(language.tokenizer.vocab_size()) +
                                                  " tokens: the tokenizer does not fit the model");
  }
  return model;
}

}  // namespace

model::Transformer load_run_model(const Context& context, const std::string& name, const Language& language) {
  std::optional<model::Transformer> loaded;
  context.comm.agree([&] {
    const std::filesystem::path own = context.directory.model(name);
    loaded.emplace(load_fitting_model(std::filesystem::exists(own) ? own : std::filesystem::path(name), context.device, language));
  });
  return std::move(*loaded);
}

model::ScalarModel load_run_reward(const Context& context, const std::string& name) {
  std::optional<model::ScalarModel> loaded;
  context.comm.agree([&] { loaded.emplace(model::load_scalar_model(context.directory.model(name), context.device)); });
  return std::move(*loaded);
}

model::Transformer fresh_model(const Context& context, const ModelOptions& options, const Language& language,
                               std::uint64_t key) {
  std::optional<model::Transformer> made;
  context.comm.agree([&] {
    if (!options.folder.empty()) {
      made.emplace(load_fitting_model(options.folder, context.device, language));
      return;
    }
    model::ModelConfig config;
    config.vocab_size = language.tokenizer.vocab_size();
    config.hidden_size = options.hidden_size;
    config.num_layers = options.num_layers;
    config.num_heads = options.num_heads;
    config.num_kv_heads = options.num_kv_heads;
    config.head_dim = options.num_heads > 0 ? options.hidden_size / options.num_heads : 0;
    config.intermediate_size = options.intermediate_size;
    config.max_positions = options.max_positions;
    config.eos_token = language.chat.end_token();
    config.validate("the deck's model sizes");
    model::Transformer model(config);
    model.initialize(hash_words({context.options.run.seed, key}));
    made.emplace(std::move(model));
  });
  return std::move(*made);
}

namespace {

void save_with_tokenizer(const Context& context, const std::string& name, const std::function<void()>& save) {
  context.comm.on_root([&] {
    make_folders(context.directory.model(name));
    save();
    write_file_atomic(context.directory.model(name) / "tokenizer.json", read_file(context.directory.tokenizer()));
  });
}

}  // namespace

void save_run_model(const Context& context, const std::string& name, const model::Transformer& model) {
  save_with_tokenizer(context, name, [&] { model::save_model(context.directory.model(name), model); });
}

void save_run_reward(const Context& context, const std::string& name, const model::ScalarModel& model) {
  save_with_tokenizer(context, name, [&] { model::save_scalar_model(context.directory.model(name), model); });
}

std::vector<std::vector<double>> completion_log_probs(const model::Transformer& model,
                                                      const std::vector<ScoredSequence>& sequences, double temperature) {
  constexpr std::int64_t batch_tokens = 2048;
  torch::NoGradGuard no_gradients;
  std::vector<std::vector<double>> result(sequences.size());
  for (std::size_t begin = 0; begin < sequences.size();) {
    std::vector<std::vector<TokenId>> batch;
    std::vector<std::int64_t> rows, targets;
    std::int64_t tokens = 0;
    std::size_t end = begin;
    for (; end < sequences.size() && (end == begin || tokens < batch_tokens); ++end) {
      const ScoredSequence& sequence = sequences[end];
      std::vector<TokenId> all = sequence.prompt;
      all.insert(all.end(), sequence.completion.begin(), sequence.completion.end());
      for (std::size_t i = 0; i < sequence.completion.size(); ++i) {
        rows.push_back(tokens + static_cast<std::int64_t>(sequence.prompt.size() + i) - 1);  // the state before the token
        targets.push_back(sequence.completion[i]);
      }
      tokens += static_cast<std::int64_t>(all.size());
      batch.push_back(std::move(all));
    }
    const model::PackedSequences packed = model::pack(batch, model.device());
    const torch::Tensor hidden = model.hidden_states(packed);
    const torch::Tensor picked = hidden.index_select(0, torch::tensor(rows).to(model.device()));
    const torch::Tensor log_probs =
        train::token_log_probs(model.logits(picked), torch::tensor(targets).to(model.device()), temperature)
            .to(torch::kCPU, torch::kFloat64).contiguous();
    const double* next = log_probs.data_ptr<double>();
    for (std::size_t s = begin; s < end; ++s) {
      const std::size_t count = sequences[s].completion.size();
      result[s].assign(next, next + count);
      next += count;
    }
    begin = end;
  }
  return result;
}

std::int64_t longest_prompt(const model::Transformer& model, int max_new_tokens) {
  return model.config().max_positions - max_new_tokens;
}

}  // namespace rlaif::pipeline
