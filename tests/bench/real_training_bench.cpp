// Reward-model and PPO updates of a real model: RLAIF_BENCH_MODEL names its Hugging Face folder (jobs/bench_model.sh does);
// without it nothing is measured. One rank, one thread; analysis/bench_peers.py runs a loop of transformers, torch and
// PEFT on sequences of the same lengths beside this one, every measure in a process of its own, for the sake of the peak
// memory.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/model/hf.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/policy_gradient.hpp"
#include "rlaif/train/reward.hpp"

namespace {

using namespace rlaif;
using Clock = std::chrono::steady_clock;

// analysis/bench_peers.py has the same numbers.
constexpr std::int64_t pairs_a_step = 12, reward_steps = 2;
constexpr std::int64_t responses_a_step = 16, minibatch = 8, ppo_steps = 2, prompt_length = 32, response_length = 64;

const char* model_folder() { return std::getenv("RLAIF_BENCH_MODEL"); }

TokenId token(std::int64_t sequence, std::int64_t position, std::int64_t vocabulary) {
  return static_cast<TokenId>(5 + (7919 * sequence + 104729 * position + 31 * sequence * position) % (vocabulary - 5));
}
std::vector<TokenId> tokens(std::int64_t number, std::int64_t length, std::int64_t vocabulary) {
  std::vector<TokenId> all;
  for (std::int64_t i = 0; i < length; ++i) all.push_back(token(number, i, vocabulary));
  return all;
}

model::Transformer load() { return model::load_model(model_folder()); }

std::shared_ptr<model::Adapter> adapter(const model::Transformer& base, std::int64_t rank, std::uint64_t seed) {
  model::AdapterOptions options;
  options.rank = rank;
  options.alpha = 2.0 * static_cast<double>(rank);
  return std::make_shared<model::Adapter>(base.config(), options, seed, base.device());
}

train::StageRun stage(const comm::Communicator& comm) {
  train::StageRun run;
  run.comm = &comm;
  run.name = "bench";
  run.checkpoint_every_steps = 0;
  run.grains = 1;
  return run;
}

void report(benchmark::State& state, double seconds, double count) {
  state.SetIterationTime(seconds);
  state.counters["tokens/s"] = count / seconds;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_mib"] = static_cast<double>(usage.ru_maxrss) / 1024.0;
}

// The first step warms up; the time is that of the others.
void reward(benchmark::State& state, bool low_rank) {
  at::set_num_threads(1);
  const comm::Communicator comm = comm::Communicator::self();
  const model::Transformer base = load();
  const std::int64_t vocabulary = base.config().vocab_size;
  model::ScalarModel scores = low_rank ? model::ScalarModel::over(base, 1) : model::ScalarModel::from_body(base, 1);
  if (low_rank) scores.body.adapter = adapter(base, 8, 1);
  std::vector<train::TokenPair> pairs;
  for (std::int64_t p = 0; p < pairs_a_step; ++p) {
    pairs.push_back({tokens(2 * p, 64 + 16 * (p % 4), vocabulary), tokens(2 * p + 1, 112 - 16 * (p % 4), vocabulary),
                     0.8, static_cast<std::uint64_t>(p)});
  }
  std::int64_t count = 0;
  for (const auto& pair : pairs) count += static_cast<std::int64_t>(pair.first.size() + pair.second.size());
  train::RewardOptions options;
  options.epochs = static_cast<int>(reward_steps);
  options.batch = pairs_a_step;
  options.schedule = {1e-4, 0, 1.0};
  for (auto _ : state) {
    train::StageRun run = stage(comm);
    std::vector<Clock::time_point> boundaries;
    run.stop_requested = [&] {
      boundaries.push_back(Clock::now());
      return false;
    };
    train::train_reward_model(scores, pairs, options, run);
    RLAIF_CHECK(boundaries.size() >= static_cast<std::size_t>(reward_steps), "a look at the signal every step");
    const std::size_t steps = static_cast<std::size_t>(reward_steps) - 1;
    const double seconds = std::chrono::duration<double>(boundaries[steps] - boundaries[0]).count();
    report(state, seconds, static_cast<double>(count) * static_cast<double>(steps));
  }
}

// From the finished responses of a step to its end: reward model, reference and value model read them, then one epoch of
// updates of policy and value model.
void ppo(benchmark::State& state, bool low_rank) {
  at::set_num_threads(1);
  const comm::Communicator comm = comm::Communicator::self();
  const model::Transformer base = load();
  const std::int64_t vocabulary = base.config().vocab_size;
  model::ScalarModel scores = low_rank ? model::ScalarModel::over(base, 1) : model::ScalarModel::from_body(base, 1);
  if (low_rank) scores.body.adapter = adapter(base, 8, 1);
  model::Transformer policy = low_rank ? base.share() : base.clone();
  model::ScalarModel value = low_rank ? model::ScalarModel::over(base, 2) : scores.clone();
  if (low_rank) {
    policy.adapter = adapter(base, 16, 2);
    value.body.adapter = adapter(base, 16, 3);
  }
  train::PolicyGradientOptions options;
  options.steps = ppo_steps;
  options.rollout.prompts_per_step = responses_a_step;
  options.minibatch = minibatch;
  options.critic.only_steps = 0;
  options.schedule = {1e-5, 0, 1.0};
  options.rollout.max_new_tokens = static_cast<int>(response_length);
  options.rollout.slots = static_cast<int>(responses_a_step);
  for (auto _ : state) {
    std::vector<double> seconds;
    Clock::time_point begin;
    std::int64_t count = 0;
    train::PolicyGradientCallbacks callbacks;
    callbacks.prompt = [&](std::int64_t i) {
      Prompt prompt;
      prompt.id = static_cast<std::uint64_t>(i);
      return std::make_pair(prompt, tokens(i, prompt_length, vocabulary));
    };
    callbacks.reward = [&](std::span<const train::Drawn> drawn) {
      begin = Clock::now();
      count = 0;
      std::vector<std::vector<TokenId>> sequences;
      for (const train::Drawn& one : drawn) {
        sequences.push_back(one.prompt_tokens);
        sequences.back().insert(sequences.back().end(), one.completion.tokens.begin(), one.completion.tokens.end());
        count += static_cast<std::int64_t>(sequences.back().size());
      }
      return train::score_sequences(scores, sequences);
    };
    train::StageRun run = stage(comm);
    double rate_tokens = 0;
    run.stop_requested = [&] {
      seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
      if (seconds.size() > 1) rate_tokens += static_cast<double>(count);
      return false;
    };
    const model::Transformer reference = base.share();
    train::train_policy_gradient({policy, reference, &value}, callbacks, options, run);
    double sum = 0;
    for (std::size_t s = 1; s < seconds.size(); ++s) sum += seconds[s];
    report(state, sum, rate_tokens);
  }
}

void register_all() {
  const auto once = [](benchmark::internal::Benchmark* b) {
    b->Iterations(1)->Unit(benchmark::kSecond)->UseManualTime();
  };
  benchmark::RegisterBenchmark("train/reward-full", reward, false)->Apply(once);
  benchmark::RegisterBenchmark("train/reward-lora", reward, true)->Apply(once);
  benchmark::RegisterBenchmark("train/ppo-full", ppo, false)->Apply(once);
  benchmark::RegisterBenchmark("train/ppo-lora", ppo, true)->Apply(once);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  if (!model_folder()) {
    std::cerr << "real_training_bench: RLAIF_BENCH_MODEL names no model folder; nothing is measured\n";
    return 0;
  }
  comm::Session session(&argc, &argv);
  try {
    register_all();
    benchmark::RunSpecifiedBenchmarks();
  } catch (const Error& error) {
    std::cerr << "real_training_bench: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
