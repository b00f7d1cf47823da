#include "rlaif/train/language_model.hpp"

#include <string>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/losses.hpp"
#include "rlaif/train/throughput.hpp"
#include "tensors.hpp"

namespace rlaif::train {

namespace {

enum TextColumn : std::size_t { kTextLoss, kTextWeight, kTextTokens, kTextInputs, kTextColumns };

// The targets that carry a loss, and the rows of the packed inputs that predict them.
struct WeightedTargets {
  std::vector<std::vector<TokenId>> inputs;  // every example without its last token, which predicts nothing
  std::vector<std::int64_t> rows, targets;
  std::vector<float> weights;
};

void append_example(WeightedTargets& batch, const Example& example, std::int64_t index, std::int64_t context) {
  const auto length = static_cast<std::int64_t>(example.tokens.size());
  const std::string name = "training example " + std::to_string(index);
  if (example.weights.size() != example.tokens.size()) throw input_error(name + ": one weight a token was expected");
  if (length < 2) return;
  if (length - 1 > context) {
    throw input_error(name + ": " + std::to_string(length) + " tokens, the model's context is " +
                      std::to_string(context));
  }
  std::int64_t first_row = 0;
  for (const auto& sequence : batch.inputs) first_row += static_cast<std::int64_t>(sequence.size());
  for (std::int64_t t = 1; t < length; ++t) {
    const float weight = example.weights[static_cast<std::size_t>(t)];
    if (weight == 0.0F) continue;
    batch.rows.push_back(first_row + t - 1);
    batch.targets.push_back(example.tokens[static_cast<std::size_t>(t)]);
    batch.weights.push_back(weight);
  }
  batch.inputs.emplace_back(example.tokens.begin(), example.tokens.end() - 1);
}

// Forward and backward of the sum of weighted losses; its row of sums. `last_of`: whose grain ends with this pass.
std::vector<double> backward(const model::Transformer& model, const WeightedTargets& batch, DataParallel* last_of) {
  if (batch.rows.empty()) return std::vector<double>(kTextColumns, 0.0);
  const auto device = model.device();
  const auto packed = model::pack(batch.inputs, device);
  const auto rows_M = torch::tensor(batch.rows).to(device);
  const auto targets_M = torch::tensor(batch.targets).to(device);
  const auto weights_M = torch::tensor(batch.weights).to(device);
  const auto hidden_Md = model.hidden_states(packed).index_select(0, rows_M);
  const auto loss = -(chosen_log_probs(hidden_Md, model.output_Vd, targets_M) * weights_M).sum();
  if (last_of) last_of->last_backward();
  loss.backward();
  double weight = 0.0;
  for (const float value : batch.weights) weight += value;
  return {loss.item<double>(), weight, static_cast<double>(batch.rows.size()),
          static_cast<double>(packed.num_tokens())};
}

}  // namespace

void train_language_model(model::Transformer& model, const std::function<Example(std::int64_t)>& example,
                          const LanguageModelOptions& options, const StageRun& run) {
  if (options.batch < 1) throw usage_error(run.name + ": a batch of at least 1 example was expected");
  FlatParameters parameters({{"model", model.trainable_parameters()}});
  AdamW optimizer(parameters, options.adam, run.state_shards());
  DataParallel data_parallel(run, parameters);

  const Checkpoint start = resume(run, model.trainable_parameters(), optimizer);

  const double flops_per_token = training_flops_per_token(model, OutputMatrix::used);
  LoopCallbacks::Work work;
  LoopCallbacks callbacks;
  callbacks.work = [&] { return work; };
  callbacks.step = [&](std::int64_t step) -> Json {
    const auto sums = data_parallel.accumulate(kTextColumns, [&](int grain) {
      const auto [begin, end] = grain_items(options.batch, grain, run.grains);
      std::vector<Example> examples;
      std::vector<std::int64_t> lengths;
      for (std::int64_t i = begin; i < end; ++i) {
        examples.push_back(example(step * options.batch + i));
        lengths.push_back(static_cast<std::int64_t>(examples.back().tokens.size()));
      }
      const auto groups = micro_batches(lengths, run.micro_batch_tokens);
      std::vector<double> row(kTextColumns, 0.0);
      for (const auto& group : groups) {
        WeightedTargets batch;
        for (const std::size_t i : group) {
          const std::int64_t index = step * options.batch + begin + static_cast<std::int64_t>(i);
          append_example(batch, examples[i], index, model.config().max_positions);
        }
        const auto sums = backward(model, batch, &group == &groups.back() ? &data_parallel : nullptr);
        for (std::size_t column = 0; column < row.size(); ++column) row[column] += sums[column];
      }
      return row;
    });
    work = {sums[kTextInputs], sums[kTextInputs] * flops_per_token};
    if (!(sums[kTextWeight] > 0.0)) throw input_error(run.name + ": a step without any token that carries a loss");
    const double rate = scheduled_rate(options.schedule, step, options.steps);
    const double norm = optimizer.step(rate, 1.0 / sums[kTextWeight]);
    return {{"step", step + 1},
            {"loss", sums[kTextLoss] / sums[kTextWeight]},
            {"tokens", static_cast<std::int64_t>(sums[kTextTokens])},
            {"learning_rate", rate},
            {"gradient_norm", norm}};
  };
  callbacks.save = [&] {
    Checkpoint checkpoint;
    checkpoint.tensors = model.trainable_parameters();
    append_prefixed(checkpoint.tensors, "", optimizer.state());
    return checkpoint;
  };
  callbacks.progress_text = [](const Json& line) { return progress_number("loss", line["loss"].get<double>()); };
  run_loop(run, options.steps, start, callbacks);
}

}  // namespace rlaif::train
