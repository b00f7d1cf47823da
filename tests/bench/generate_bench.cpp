// The rollout engine (cache, refilled slots) against forwarding the whole batch again for every new token, with the
// same keyed draws. One step of the world's rollouts: 128 sequences, prompts of about 10 tokens, at most 40 new ones.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "rlaif/core/rng.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/model/transformer.hpp"

namespace {

using namespace rlaif;

constexpr std::int64_t vocabulary = 1000;
constexpr int num_sequences = 128;

const model::Transformer& bench_model() {
  static const model::Transformer model = [] {
    at::set_num_threads(1);
    model::ModelConfig config;
    config.vocab_size = vocabulary;
    model::Transformer result(config);
    result.initialize(1);
    return result;
  }();
  return model;
}

// A twentieth of the vocabulary stops, so that lengths spread around 20.
generate::SamplingOptions bench_options() {
  generate::SamplingOptions options;
  options.max_new_tokens = 40;
  for (TokenId token = 0; token < vocabulary / 20; ++token) options.stop_tokens.push_back(token);
  return options;
}

std::vector<generate::GenerationRequest> bench_requests() {
  std::vector<generate::GenerationRequest> requests;
  for (std::uint64_t r = 0; r < num_sequences; ++r) {
    Rng rng(1, Stream::test, {r});
    generate::GenerationRequest request{{}, r, {0}};
    for (std::uint64_t length = 7 + rng.below(7); length > 0; --length)
      request.prompt_tokens.push_back(static_cast<TokenId>(rng.below(vocabulary)));
    requests.push_back(std::move(request));
  }
  return requests;
}

// Batches of `slots` sequences; each batch runs until its last sequence has ended.
std::int64_t forward_again(const model::Transformer& model, const std::vector<generate::GenerationRequest>& requests,
                           const generate::SamplingOptions& options, std::size_t slots) {
  const torch::NoGradGuard no_gradients;
  std::int64_t drawn = 0;
  for (std::size_t begin = 0; begin < requests.size(); begin += slots) {
    const std::size_t size = std::min(slots, requests.size() - begin);
    std::vector<std::vector<TokenId>> sequences;
    std::vector<bool> ended(size);
    for (std::size_t i = 0; i < size; ++i) sequences.push_back(requests[begin + i].prompt_tokens);
    for (int position = 0; position < options.max_new_tokens; ++position) {
      if (std::all_of(ended.begin(), ended.end(), [](bool e) { return e; })) break;
      const auto batch = model::pack(sequences);
      const auto logits = model.logits(model.hidden_states(batch).index_select(0, batch.last_rows_S())).contiguous();
      for (std::size_t i = 0; i < size; ++i) {
        if (ended[i]) continue;
        const std::uint64_t key = requests[begin + i].prompt_id;
        const double u = Rng(options.seed, Stream::sampling, {key, 0, static_cast<std::uint64_t>(position)}).uniform();
        const auto token =
            generate::sample_token({logits.const_data_ptr<float>() + i * vocabulary, vocabulary}, options, u).token;
        ++drawn;
        ended[i] =
            std::find(options.stop_tokens.begin(), options.stop_tokens.end(), token) != options.stop_tokens.end();
        if (!ended[i]) sequences[i].push_back(token);
      }
    }
  }
  return drawn;
}

void engine(benchmark::State& state) {
  const auto requests = bench_requests();
  const auto options = bench_options();
  generate::Engine engine(bench_model(), {.slots = static_cast<int>(state.range(0))});
  for (auto _ : state) benchmark::DoNotOptimize(engine.generate(requests, options));
  state.counters["tokens/s"] =
      benchmark::Counter(static_cast<double>(engine.statistics().generated_tokens), benchmark::Counter::kIsRate);
  state.counters["passes"] =
      static_cast<double>(engine.statistics().forward_passes) / static_cast<double>(state.iterations());
}
BENCHMARK(engine)->Name("rollout/engine")->Arg(16)->Arg(64)->Unit(benchmark::kMillisecond)->UseRealTime();

void forwarding_again(benchmark::State& state) {
  const auto requests = bench_requests();
  const auto options = bench_options();
  std::int64_t drawn = 0;
  for (auto _ : state)
    drawn += forward_again(bench_model(), requests, options, static_cast<std::size_t>(state.range(0)));
  state.counters["tokens/s"] = benchmark::Counter(static_cast<double>(drawn), benchmark::Counter::kIsRate);
}
BENCHMARK(forwarding_again)->Name("rollout/baseline")->Arg(16)->Arg(64)->Unit(benchmark::kMillisecond)->UseRealTime();

void sampling(benchmark::State& state) {
  std::vector<float> logits(static_cast<std::size_t>(state.range(0)));
  Rng rng(1, Stream::test);
  for (float& logit : logits) logit = static_cast<float>(2.0 * rng.normal());
  const auto options = bench_options();
  for (auto _ : state) benchmark::DoNotOptimize(generate::sample_token(logits, options, rng.uniform()));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(sampling)->Arg(1000)->Arg(49152)->Arg(151936);

}  // namespace

BENCHMARK_MAIN();
