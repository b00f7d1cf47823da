// Training of a model with a vocabulary of today's size: the loss in chunks against logits and log_softmax, and forward and
// backward passes with all weights trained, with an adapter in all layers, and with one above frozen layers.
#include <benchmark/benchmark.h>

#include "rlaif/core/rng.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/train/losses.hpp"
#include "rlaif/train/optimizer.hpp"
#include "rlaif/train/throughput.hpp"

namespace rlaif::train {
namespace {

using torch::Tensor;

constexpr std::int64_t kVocabulary = 49152, kWidth = 576;

enum class Loss { chunked, composed };
enum class Output { frozen, trained };

void loss_of(benchmark::State& state, Loss loss, Output output) {
  at::set_num_threads(1);
  const std::int64_t rows = state.range(0);
  auto hidden = torch::randn({rows, kWidth}).requires_grad_(true);
  auto weight = (torch::randn({kVocabulary, kWidth}) * 0.04).requires_grad_(output == Output::trained);
  const Tensor targets = torch::randint(0, kVocabulary, {rows}, torch::kInt64);
  for (auto _ : state) {
    const Tensor log_probs = loss == Loss::chunked
                                 ? chosen_log_probs(hidden, weight, targets)
                                 : torch::log_softmax(hidden.mm(weight.t()), 1).gather(1, targets.unsqueeze(1));
    log_probs.sum().backward();
    hidden.mutable_grad() = Tensor();
    weight.mutable_grad() = Tensor();
  }
  state.SetItemsProcessed(state.iterations() * rows);
}
BENCHMARK_CAPTURE(loss_of, frozen_own, Loss::chunked, Output::frozen)
    ->Name("loss_output_frozen/own")
    ->Arg(300)
    ->Arg(1000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(loss_of, frozen, Loss::composed, Output::frozen)
    ->Name("loss_output_frozen/baseline")
    ->Arg(300)
    ->Arg(1000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(loss_of, trained_own, Loss::chunked, Output::trained)
    ->Name("loss_output_trained/own")
    ->Arg(300)
    ->Arg(1000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(loss_of, trained, Loss::composed, Output::trained)
    ->Name("loss_output_trained/baseline")
    ->Arg(300)
    ->Arg(1000)
    ->Unit(benchmark::kMillisecond);

// Six layers of SmolLM2-135M's shape.
model::ModelConfig config() {
  model::ModelConfig config;
  config.vocab_size = kVocabulary;
  config.hidden_size = kWidth;
  config.num_layers = 6;
  config.num_heads = 9;
  config.num_kv_heads = 3;
  config.head_dim = 64;
  config.intermediate_size = 1536;
  config.max_positions = 512;
  return config;
}

enum class Trained { all, adapter, upper_adapter };

void training_pass(benchmark::State& state, Trained trained) {
  at::set_num_threads(1);
  model::Transformer model(config());
  model.initialize(1);
  if (trained != Trained::all) {
    model::AdapterOptions options;
    options.first_layer = trained == Trained::upper_adapter ? 4 : 0;
    model.adapter = std::make_shared<model::Adapter>(model.config(), options, 1, model.device());
  }
  model.checkpoint_activations = state.range(0) == 1;
  const FlatParameters parameters({{"model", model.trainable_parameters()}});
  std::vector<std::vector<TokenId>> sequences(8);
  Rng rng(1, Stream::test, {1});
  for (auto& tokens : sequences)
    for (int t = 0; t < 96; ++t) tokens.push_back(static_cast<TokenId>(rng.below(kVocabulary)));
  const auto packed = model::pack(sequences);
  // Half of the tokens are answers and carry a loss.
  const Tensor rows = torch::arange(0, packed.num_tokens(), 2),
               targets = packed.tokens_N.roll(-1).index_select(0, rows);
  for (auto _ : state) {
    (-chosen_log_probs(model.hidden_states(packed).index_select(0, rows), model.output_Vd, targets)).sum().backward();
  }
  state.SetItemsProcessed(state.iterations() * packed.num_tokens());
  const double flops = training_flops_per_token(model, OutputMatrix::unused) * static_cast<double>(packed.num_tokens());
  state.counters["FLOP/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * flops, benchmark::Counter::kIsRate);
}
BENCHMARK_CAPTURE(training_pass, all, Trained::all)
    ->Name("training_pass/all")
    ->ArgName("checkpointed")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(training_pass, adapter, Trained::adapter)
    ->Name("training_pass/adapter")
    ->ArgName("checkpointed")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(training_pass, upper_adapter, Trained::upper_adapter)
    ->Name("training_pass/upper_adapter")
    ->ArgName("checkpointed")
    ->Arg(0)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rlaif::train

BENCHMARK_MAIN();
