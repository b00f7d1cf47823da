// Decoding, prefill and verdicts of a real model: RLAIF_BENCH_MODEL names its Hugging Face folder (jobs/bench_model.sh
// does); without it nothing is measured. One thread; every run of a benchmark is one iteration, for
// analysis/bench_peers.py, which runs other engines on the same prompts beside this one.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>

#include "rlaif/core/error.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/model/hf.hpp"
#include "rlaif/model/torch.hpp"

namespace {

using namespace rlaif;

constexpr int new_tokens = 64;

const char* model_folder() { return std::getenv("RLAIF_BENCH_MODEL"); }

const model::Transformer& bench_model() {
  static const model::Transformer model = [] {
    at::set_num_threads(1);
    model::Transformer loaded = model::load_model(model_folder());
    // The first pass over the weights brings them into memory.
    const std::vector<std::vector<TokenId>> warm_up{{1, 2, 3}};
    generate::Engine(loaded, {}).next_token_log_probs(warm_up, std::vector<TokenId>{1});
    return loaded;
  }();
  return model;
}

// The time of a pass does not depend on which tokens it reads. analysis/bench_peers.py has the same formula.
TokenId prompt_token(std::int64_t prompt, std::int64_t position) {
  return static_cast<TokenId>(5 + (7919 * prompt + 104729 * position + 31 * prompt * position) %
                                      (bench_model().config().vocab_size - 5));
}
std::vector<TokenId> prompt(std::int64_t number, std::int64_t length) {
  std::vector<TokenId> tokens;
  for (std::int64_t i = 0; i < length; ++i) tokens.push_back(prompt_token(number, i));
  return tokens;
}

void set_rate(benchmark::State& state, const char* name, double count) {
  state.counters[name] = benchmark::Counter(count, benchmark::Counter::kIsIterationInvariantRate);
}

// Prompts of 24 to 36 tokens, 64 new ones for each, at temperature 1 and without a stop token.
void decode(benchmark::State& state) {
  std::vector<generate::GenerationRequest> requests;
  for (std::int64_t p = 0; p < state.range(0); ++p)
    requests.push_back({prompt(p, 24 + 5 * p % 13), static_cast<std::uint64_t>(p), {0}});
  generate::SamplingOptions options;
  options.max_new_tokens = new_tokens;
  generate::Engine engine(bench_model(), {.slots = static_cast<int>(state.range(0))});
  for (auto _ : state) benchmark::DoNotOptimize(engine.generate(requests, options));
  set_rate(state, "tokens/s", static_cast<double>(state.range(0) * new_tokens));
}

void read_all(benchmark::State& state, const std::vector<std::vector<TokenId>>& sequences, bool share_prefixes,
              const char* rate, double count) {
  generate::Engine engine(bench_model(), {.slots = 16, .share_prefixes = share_prefixes});
  const std::vector<TokenId> candidates{5, 6};
  for (auto _ : state) benchmark::DoNotOptimize(engine.next_token_log_probs(sequences, candidates));
  set_rate(state, rate, count);
}

void prefill(benchmark::State& state) {
  std::vector<std::vector<TokenId>> sequences;
  for (std::int64_t p = 0; p < state.range(0); ++p) sequences.push_back(prompt(p, state.range(1)));
  read_all(state, sequences, true, "tokens/s", static_cast<double>(state.range(0) * state.range(1)));
}

// Judgements of pairs in both orders: a preamble of 600 tokens that all share, then 16 of question and 32 an answer.
void verdicts(benchmark::State& state, bool share_prefixes) {
  const std::vector<TokenId> preamble = prompt(0, 600);
  std::vector<std::vector<TokenId>> sequences;
  for (std::int64_t pair = 1; pair <= state.range(0) / 2; ++pair) {
    const std::vector<TokenId> question = prompt(3 * pair, 16), a = prompt(3 * pair + 1, 32),
                               b = prompt(3 * pair + 2, 32);
    for (const auto& [first, second] : {std::pair(a, b), std::pair(b, a)}) {
      std::vector<TokenId> sequence = preamble;
      for (const auto* part : {&question, &first, &second}) sequence.insert(sequence.end(), part->begin(), part->end());
      sequences.push_back(std::move(sequence));
    }
  }
  read_all(state, sequences, share_prefixes, "verdicts/s", static_cast<double>(sequences.size()));
}

void register_all() {
  const auto once = [](benchmark::internal::Benchmark* b) {
    b->Iterations(1)->Unit(benchmark::kSecond)->UseRealTime();
  };
  benchmark::RegisterBenchmark("decode/engine", decode)->Arg(1)->Arg(16)->Arg(64)->Apply(once);
  benchmark::RegisterBenchmark("prefill/engine", prefill)->Args({64, 256})->Apply(once);
  benchmark::RegisterBenchmark("verdicts/baseline", verdicts, false)->Arg(16)->Apply(once);
  benchmark::RegisterBenchmark("verdicts/engine", verdicts, true)->Arg(16)->Apply(once);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  if (!model_folder()) {
    std::cerr << "real_model_bench: RLAIF_BENCH_MODEL names no model folder; nothing is measured\n";
    return 0;
  }
  try {
    bench_model();
    register_all();
    benchmark::RunSpecifiedBenchmarks();
  } catch (const Error& error) {
    std::cerr << "real_model_bench: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
