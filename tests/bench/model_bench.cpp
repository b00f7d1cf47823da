// Cost of the model's operations: own kernels against the torch compositions they replace, and whole passes of the
// size that the closed world uses. Arguments of whole passes: sequences (or slots).
#include <benchmark/benchmark.h>

#include "rlaif/core/rng.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/model/transformer.hpp"

namespace rlaif::model {
namespace {

using torch::Tensor;

ModelConfig world_config() {
  ModelConfig config;
  config.vocab_size = 1000;
  return config;
}

// Lengths as in the closed world: a prompt and its answer, 15 to 35 tokens.
PackedSequences batch_of(std::int64_t count) {
  Rng rng(1, Stream::test);
  std::vector<std::vector<TokenId>> sequences;
  for (std::int64_t s = 0; s < count; ++s) {
    sequences.emplace_back();
    for (std::uint64_t i = 15 + rng.below(21); i > 0; --i)
      sequences.back().push_back(static_cast<TokenId>(rng.below(1000)));
  }
  return pack(sequences);
}

enum class Kernel { own, reference };
enum class Pass { forward, both };

// Runs an operation on an input, backward too where asked.
template <class Operation>
void run(benchmark::State& state, const Tensor& input, Pass pass, Operation operation) {
  at::set_num_threads(1);
  Tensor x = input.clone().set_requires_grad(pass == Pass::both);
  const torch::AutoGradMode mode(pass == Pass::both);
  Tensor gradient;
  for (auto _ : state) {
    const Tensor y = operation(x);
    if (pass == Pass::both) {
      if (!gradient.defined()) gradient = torch::ones_like(y);
      y.backward(gradient);
      x.mutable_grad().reset();
    }
    benchmark::DoNotOptimize(y.const_data_ptr<float>());
  }
  state.SetItemsProcessed(state.iterations() * input.size(0));
}

void rms_norm_of(benchmark::State& state, Kernel kernel, Pass pass) {
  const Tensor weight = torch::ones({128}).set_requires_grad(pass == Pass::both);
  run(state, torch::randn({800, 128}), pass, [&](const Tensor& x) {
    return kernel == Kernel::own ? rms_norm(x, weight, 1e-5) : rms_norm_reference(x, weight, 1e-5);
  });
}
void swiglu_of(benchmark::State& state, Kernel kernel, Pass pass) {
  run(state, torch::randn({800, 704}), pass,
      [&](const Tensor& x) { return kernel == Kernel::own ? swiglu(x) : swiglu_reference(x); });
}
void attention_of(benchmark::State& state, Kernel kernel, Pass pass) {
  const PackedSequences layout = batch_of(32);
  const RotaryTable rotary = rotary_table(256, 32, 1e4, torch::kCPU);
  const AttentionShape shape{4, 4, 32};
  run(state, torch::randn({layout.num_tokens(), 384}), pass, [&](const Tensor& x) {
    return kernel == Kernel::own ? rotary_attention(x, layout, rotary, shape)
                                 : rotary_attention_reference(x, layout, rotary, shape);
  });
}
void long_attention_of(benchmark::State& state, Kernel kernel, Pass pass) {
  const PackedSequences layout = pack(std::vector<std::vector<TokenId>>{std::vector<TokenId>(1024, 1)});
  const RotaryTable rotary = rotary_table(1024, 64, 1e4, torch::kCPU);
  const AttentionShape shape{4, 4, 64};
  run(state, torch::randn({1024, 768}), pass, [&](const Tensor& x) {
    return kernel == Kernel::own ? rotary_attention(x, layout, rotary, shape)
                                 : rotary_attention_reference(x, layout, rotary, shape);
  });
}
#define RLAIF_COMPARE(operation)                                                                                   \
  BENCHMARK_CAPTURE(operation, own, Kernel::own, Pass::forward)->Name(#operation "_forward/own");                  \
  BENCHMARK_CAPTURE(operation, reference, Kernel::reference, Pass::forward)->Name(#operation "_forward/baseline"); \
  BENCHMARK_CAPTURE(operation, own_both, Kernel::own, Pass::both)->Name(#operation "_and_backward/own");           \
  BENCHMARK_CAPTURE(operation, reference_both, Kernel::reference, Pass::both)->Name(#operation "_and_backward/baseline")
RLAIF_COMPARE(rms_norm_of);
RLAIF_COMPARE(swiglu_of);
RLAIF_COMPARE(attention_of);
RLAIF_COMPARE(long_attention_of);

// One step of next-token training without the optimizer; gradients add up into standing buffers.
void training_step(benchmark::State& state) {
  at::set_num_threads(1);
  Transformer model(world_config());
  model.initialize(1);
  for (auto& [name, parameter] : model.parameters()) {
    parameter.set_requires_grad(true);
    parameter.mutable_grad() = torch::zeros_like(parameter);
  }
  const PackedSequences batch = batch_of(state.range(0));
  const Tensor targets = batch.tokens_N.roll(-1);
  for (auto _ : state) {
    const Tensor logits = model.logits(model.hidden_states(batch));
    torch::cross_entropy_loss(logits, targets).backward();
  }
  state.SetItemsProcessed(state.iterations() * batch.num_tokens());
}
BENCHMARK(training_step)->Name("training/step")->Arg(8)->Arg(32)->Unit(benchmark::kMillisecond);

// The matrix products of a training step and nothing else: the bound that the step is held against.
void training_products(benchmark::State& state) {
  at::set_num_threads(1);
  const torch::NoGradGuard no_grad;
  Transformer model(world_config());
  model.initialize(1);
  const std::int64_t tokens = batch_of(state.range(0)).num_tokens();
  std::vector<std::pair<Tensor, Tensor>> products;
  for (const auto& [name, weight] : model.parameters())
    if (weight.dim() == 2) products.emplace_back(torch::randn({tokens, weight.size(1)}), weight);
  for (auto _ : state)
    for (const auto& [x, weight] : products) {
      const Tensor y = x.mm(weight.t());
      benchmark::DoNotOptimize(y.mm(weight).data_ptr());
      benchmark::DoNotOptimize(y.t().mm(x).data_ptr());
    }
  state.SetItemsProcessed(state.iterations() * tokens);
}
BENCHMARK(training_products)->Name("training/baseline")->Arg(8)->Arg(32)->Unit(benchmark::kMillisecond);

// Decoding: one token of each slot a call, from position 20 to 60.
void decode(benchmark::State& state) {
  at::set_num_threads(1);
  const torch::NoGradGuard no_grad;
  Transformer model(world_config());
  model.initialize(1);
  const std::int64_t slots = state.range(0);
  KvCache cache = model.make_cache(slots, 64);
  CacheRows rows;
  for (std::int32_t s = 0; s < slots; ++s) {
    rows.tokens.push_back(s % 1000);
    rows.slots.push_back(s);
    rows.positions.push_back(20);
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(model.logits(model.extend(rows, cache)).data_ptr());
    for (auto& position : rows.positions) position = position < 60 ? position + 1 : 20;
  }
  state.SetItemsProcessed(state.iterations() * slots);
}
BENCHMARK(decode)->Name("decode/step")->Arg(1)->Arg(16)->Arg(64)->Arg(128)->Unit(benchmark::kMicrosecond);

void decode_products(benchmark::State& state) {
  at::set_num_threads(1);
  const torch::NoGradGuard no_grad;
  Transformer model(world_config());
  model.initialize(1);
  std::vector<std::tuple<Tensor, Tensor, Tensor>> products;
  for (const auto& [name, weight] : model.parameters())
    if (weight.dim() == 2)
      products.emplace_back(torch::randn({state.range(0), weight.size(1)}), weight,
                            torch::empty({state.range(0), weight.size(0)}));
  for (auto _ : state)
    for (auto& [x, weight, y] : products) benchmark::DoNotOptimize(at::mm_out(y, x, weight.t()).data_ptr());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(decode_products)->Name("decode/baseline")->Arg(1)->Arg(16)->Arg(64)->Arg(128)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace rlaif::model

BENCHMARK_MAIN();
