#include "rlaif/study/context.hpp"

#include <optional>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/model/adapter_file.hpp"
#include "rlaif/model/hf.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/study/response_scorer.hpp"
#include "rlaif/text/tokenizer_config.hpp"
#include "rlaif/train/loop.hpp"
#include "rlaif/train/losses.hpp"

namespace rlaif::study {

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
  run.checkpoint_every_steps = study.run.checkpoint_every_steps;
  run.checkpoint_every_seconds = study.run.checkpoint_every_seconds;
  run.grains = study.run.grains;
  run.shard_optimizer = study.run.shard_optimizer;
  run.micro_batch_tokens = study.run.micro_batch_tokens;
  run.stop_requested = stop_requested;
  return run;
}

std::unique_ptr<Language> load_language(const Context& context) {
  std::unique_ptr<Language> language;
  context.comm.agree([&] {
    const TaskOptions& task = context.study.task;
    const std::filesystem::path& folder = context.study.policy.network.folder;
    std::optional<text::ChatStyle> style;
    if (task.chat_format)
      style = text::chat_style(*task.chat_format);
    else if (!folder.empty())
      style = text::read_chat_style(folder);
    if (!style) style = text::chat_style(text::ChatFormat::plain);
    style->date = task.date;
    language = std::make_unique<Language>(text::Tokenizer::load(context.directory.tokenizer()), std::move(*style),
                                          task.system);
  });
  return language;
}

std::vector<TokenId> reward_tokens(const Language& language, std::vector<TokenId> prompt,
                                   const Completion& completion) {
  std::vector<TokenId> rest = language.chat.completion(completion.text);
  if (!completion.ended) rest.pop_back();  // the end token that completion() puts last
  prompt.insert(prompt.end(), rest.begin(), rest.end());
  return prompt;
}

namespace {

// The end of a turn comes first, then what the model's own files name: whichever is drawn ends a response.
void use_language(model::Transformer& model, const Language& language) {
  EndTokens ends({language.chat.end_token()});
  ends.add(model.config().end_tokens.ids());
  model.set_tokens(std::move(ends), language.tokenizer.nameless_tokens(model.config().vocab_size));
}

torch::Device device_of(const comm::DevicePlan& plan) {
  return plan.cuda ? torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(plan.device_index))
                   : torch::Device(torch::kCPU);
}

model::Transformer load_fitting_model(const std::filesystem::path& folder, torch::Device device,
                                      const Language& language) {
  model::Transformer model = model::load_model(folder, device);
  if (model.config().vocab_size < language.tokenizer.vocab_size()) {
    throw input_error(folder / "config.json", "vocab_size is " + std::to_string(model.config().vocab_size) +
                                                  ", but the tokenizer has " +
                                                  std::to_string(language.tokenizer.vocab_size()) +
                                                  " tokens: the tokenizer does not fit the model");
  }
  use_language(model, language);
  return model;
}

}  // namespace

namespace {

// Where a model's files are: the run's, the deck's own for an untouched "sft", or the folder that the name is.
std::filesystem::path model_folder(const Context& context, const std::string& name) {
  const std::filesystem::path own = context.directory.model(name);
  if (std::filesystem::exists(own)) return own;
  if (name == "sft" && context.study.policy.pretrained()) return context.study.policy.network.folder;
  return name;
}

// What an adapter's folder says it is over: a model of the run by its place beside it, so that a run is the same bytes
// wherever it lies.
std::string adapted_model(const Context& context, const std::string& name) {
  return std::filesystem::exists(context.directory.model(name)) ? "../" + name : model_folder(context, name).string();
}

}  // namespace

model::Transformer load_policy(const Context& context, const std::string& name, const model::Transformer& base,
                               const Language& language) {
  const std::filesystem::path folder = model_folder(context, name);
  if (!model::is_adapter_folder(folder)) return load_run_model(context, name, language);
  std::optional<model::Transformer> merged;
  context.comm.agree([&] {
    model::Transformer view = base.share();
    model::load_adapter(folder, view);
    merged.emplace(view.merged());
  });
  return std::move(*merged);
}

model::Transformer load_run_model(const Context& context, const std::string& name, const Language& language) {
  const std::filesystem::path folder = model_folder(context, name);
  if (model::is_adapter_folder(folder))
    return load_policy(context, name, load_run_model(context, "sft", language), language);
  std::optional<model::Transformer> loaded;
  context.comm.agree([&] { loaded.emplace(load_fitting_model(folder, device_of(context.device), language)); });
  loaded->checkpoint_activations = context.study.run.checkpoint_activations;
  return std::move(*loaded);
}

FolderModel read_model_folder(const std::filesystem::path& folder, const std::string& system,
                              const comm::DevicePlan& device) {
  const bool is_adapter = model::is_adapter_folder(folder);
  if (!is_adapter && !std::filesystem::exists(folder / "config.json"))
    throw input_error(folder, "holds no model; a folder with config.json or adapter_config.json was expected");
  text::ChatStyle style = text::read_chat_style(folder).value_or(text::chat_style(text::ChatFormat::plain));
  FolderModel read;
  read.language =
      std::make_unique<Language>(text::Tokenizer::load(folder / "tokenizer.json"), std::move(style), system);
  model::Transformer base =
      load_fitting_model(is_adapter ? adapted_folder(folder) : folder, device_of(device), *read.language);
  if (is_adapter) {
    model::load_adapter(folder, base);
    base = base.merged();
  }
  read.model = std::make_unique<model::Transformer>(std::move(base));
  return read;
}

model::ScalarModel load_run_reward(const Context& context, const std::string& name, const model::Transformer& base) {
  const std::filesystem::path folder = context.directory.model(name);
  std::optional<model::ScalarModel> loaded;
  context.comm.agree([&] {
    if (model::is_adapter_folder(folder)) {
      loaded.emplace(model::ScalarModel::over(base, 0));
      model::load_scalar_adapter(folder, *loaded);
    } else {
      loaded.emplace(model::load_scalar_model(folder, device_of(context.device)));
    }
  });
  return std::move(*loaded);
}

model::ScalarModel read_reward_folder(const std::filesystem::path& folder, const comm::DevicePlan& device) {
  if (!model::is_adapter_folder(folder)) return model::load_scalar_model(folder, device_of(device));
  model::ScalarModel adapted =
      model::ScalarModel::over(model::load_model(adapted_folder(folder), device_of(device)), 0);
  model::load_scalar_adapter(folder, adapted);
  return adapted;
}

model::Transformer fresh_model(const Context& context, const ModelOptions& options, const Language& language,
                               std::uint64_t key) {
  std::optional<model::Transformer> made;
  context.comm.agree([&] {
    if (!options.folder.empty()) {
      made.emplace(load_fitting_model(options.folder, device_of(context.device), language));
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
    config.tied_embeddings = options.tied_embeddings;
    config.validate("the deck's model sizes");
    model::Transformer model(config);
    model.initialize(hash_words({context.study.run.seed, key}));
    use_language(model, language);
    made.emplace(std::move(model));
  });
  made->checkpoint_activations = context.study.run.checkpoint_activations;
  return std::move(*made);
}

namespace {

// The model's folder is whole: whoever loads it writes conversations as the run did and stops where the run stopped.
void save_with_tokenizer(const Context& context, const std::string& name, const Language& language,
                         const std::function<void()>& save) {
  context.comm.on_root([&] {
    const std::filesystem::path folder = context.directory.model(name), &origin = context.study.policy.network.folder;
    make_folders(folder);
    save();
    write_file_atomic(folder / "tokenizer.json", read_file(context.directory.tokenizer()));
    Json config = origin.empty() ? Json::object() : text::read_tokenizer_config(origin);
    if (context.study.task.chat_format) config.erase("chat_template");  // the deck's format takes its place
    write_file_atomic(folder / "tokenizer_config.json",
                      text::tokenizer_config(std::move(config), language.chat).dump(2) + "\n");
    if (!origin.empty() && !context.study.task.chat_format && std::filesystem::exists(origin / "chat_template.jinja"))
      write_file_atomic(folder / "chat_template.jinja", read_file(origin / "chat_template.jinja"));
  });
}

}  // namespace

void save_run_model(const Context& context, const std::string& name, const Language& language,
                    const model::Transformer& model) {
  save_with_tokenizer(context, name, language, [&] {
    const std::filesystem::path folder = context.directory.model(name);
    if (!model.adapter) return model::save_model(folder, model);
    model::save_adapter(folder, model, adapted_model(context, "sft"));
    model::save_generation_config(folder, model.config());
  });
}

void save_run_reward(const Context& context, const std::string& name, const Language& language,
                     const model::ScalarModel& model, const std::string& base) {
  save_with_tokenizer(context, name, language, [&] {
    if (model.body.adapter)
      model::save_scalar_adapter(context.directory.model(name), model, adapted_model(context, base));
    else
      model::save_scalar_model(context.directory.model(name), model);
  });
}

std::vector<std::vector<double>> completion_log_probs(const model::Transformer& model,
                                                      const std::vector<ScoredSequence>& sequences,
                                                      double temperature) {
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
        rows.push_back(tokens + static_cast<std::int64_t>(sequence.prompt.size() + i) -
                       1);  // the state before the token
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
            .to(torch::kCPU, torch::kFloat64)
            .contiguous();
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

}  // namespace rlaif::study
