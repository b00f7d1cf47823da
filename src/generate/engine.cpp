#include "rlaif/generate/engine.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rollout.hpp"

namespace rlaif::generate {
namespace {

void check(const SamplingOptions& options) {
  const auto refuse = [](const std::string& message) { throw usage_error("sampling options: " + message); };
  if (!(options.temperature >= 0.0) || !std::isfinite(options.temperature))
    refuse("temperature must be 0 (greedy) or a positive number, not " + std::to_string(options.temperature));
  if (options.top_k < 0) refuse("top_k must be 0 (off) or positive, not " + std::to_string(options.top_k));
  if (!(options.top_p > 0.0 && options.top_p <= 1.0))
    refuse("top_p must be in (0, 1], not " + std::to_string(options.top_p));
  if (options.max_new_tokens < 1)
    refuse("max_new_tokens must be at least 1, not " + std::to_string(options.max_new_tokens));
}

}  // namespace

struct Engine::State {
  const model::Transformer& model;
  EngineOptions options;
  EngineStatistics statistics;
  model::KvCache cache;

  void run(const Program& program, std::span<const Job> jobs);
  // Grows the cache where it is too small; its contents are of no interest between calls.
  void reserve(std::int64_t slots, std::int64_t capacity);
};

void Engine::State::reserve(std::int64_t slots, std::int64_t capacity) {
  if (cache.slots >= slots && cache.capacity >= capacity) return;
  slots = std::max(slots, cache.slots);
  // In steps, so that calls of slowly growing lengths do not allocate each time.
  capacity = std::max((capacity + 31) / 32 * 32, cache.capacity);
  cache = model::KvCache();
  cache = model.make_cache(slots, std::min(capacity, model.config().max_positions));
}

void Engine::State::run(const Program& program, std::span<const Job> jobs) {
  if (jobs.empty()) return;
  std::size_t longest = 0;
  for (const Job& job : jobs) {
    RLAIF_CHECK(!job.prompt->empty(), "an empty prompt");
    longest = std::max(longest, job.prompt->size());
  }
  const std::size_t added = program.suffix.size() + (program.sampling ? program.sampling->max_new_tokens : 0);
  const auto capacity = static_cast<std::int64_t>(longest + added);
  RLAIF_CHECK(capacity <= model.config().max_positions, "a sequence does not fit the model's context");
  const auto vocabulary = model.config().vocab_size;
  for (const TokenId candidate : program.candidates)
    RLAIF_CHECK(candidate >= 0 && candidate < vocabulary, "a candidate is not in the vocabulary");

  EngineOptions used = options;
  used.slots = static_cast<int>(std::min(jobs.size(), static_cast<std::size_t>(options.slots)));
  reserve(used.slots, capacity);
  const torch::NoGradGuard no_gradients;
  Rollout(model, cache, used, program, jobs, statistics).run();
}

Engine::Engine(const model::Transformer& model, EngineOptions options) : state_(new State{model, options, {}, {}}) {
  if (options.slots < 1) throw usage_error("slots must be at least 1, not " + std::to_string(options.slots));
  if (options.max_prefill_tokens < 1)
    throw usage_error("max_prefill_tokens must be at least 1, not " + std::to_string(options.max_prefill_tokens));
}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;

std::int64_t Engine::max_positions() const { return state_->model.config().max_positions; }
std::int64_t Engine::vocab_size() const { return state_->model.config().vocab_size; }
const EndTokens& Engine::end_tokens() const { return state_->model.config().end_tokens; }

const EngineStatistics& Engine::statistics() const { return state_->statistics; }
void Engine::reset_statistics() { state_->statistics = {}; }

namespace {

// Results of every request with their samples filled in, and a job for each.
std::vector<std::vector<Generated>> prepare(std::span<const GenerationRequest> requests, std::vector<Job>& jobs) {
  std::vector<std::vector<Generated>> results(requests.size());
  for (std::size_t r = 0; r < requests.size(); ++r) {
    results[r].resize(requests[r].samples.size());
    for (std::size_t k = 0; k < results[r].size(); ++k) {
      results[r][k].sample = requests[r].samples[k];
      jobs.push_back({&requests[r].prompt_tokens, requests[r].prompt_id, &results[r][k]});
    }
  }
  return results;
}

// Where there are more jobs than slots, those with long prompts come first: begun last, they would run on alone. Only
// differences that tell are looked at; else jobs keep their order, and those of one prompt stay together.
void put_longest_first(std::vector<Job>& jobs, int slots) {
  constexpr std::size_t step = 256;  // tokens
  if (jobs.size() <= static_cast<std::size_t>(slots)) return;
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const Job& a, const Job& b) { return a.prompt->size() / step > b.prompt->size() / step; });
}

}  // namespace

std::vector<std::vector<Generated>> Engine::generate(std::span<const GenerationRequest> requests,
                                                     const SamplingOptions& options) {
  check(options);
  std::vector<Job> jobs;
  auto results = prepare(requests, jobs);
  put_longest_first(jobs, state_->options.slots);
  state_->run({.sampling = &options, .suffix = {}, .candidates = {}}, jobs);
  return results;
}

std::vector<std::vector<Generated>> Engine::generate_and_score(std::span<const GenerationRequest> requests,
                                                               const SamplingOptions& options,
                                                               std::span<const TokenId> suffix,
                                                               std::span<const TokenId> candidates) {
  check(options);
  RLAIF_CHECK(!suffix.empty(), "generate_and_score needs a suffix");
  std::vector<Job> jobs;
  auto results = prepare(requests, jobs);
  put_longest_first(jobs, state_->options.slots);
  state_->run({.sampling = &options, .suffix = suffix, .candidates = candidates}, jobs);
  return results;
}

// Sequences run in lexicographic order, so that those with common prefixes follow each other and the slots of one
// feed the next; equal ones run once.
std::vector<std::vector<double>> Engine::next_token_log_probs(std::span<const std::vector<TokenId>> sequences,
                                                              std::span<const TokenId> candidates) {
  std::vector<std::size_t> order(sequences.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return sequences[a] != sequences[b] ? sequences[a] < sequences[b] : a < b;
  });

  std::vector<Generated> results(sequences.size());
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && sequences[order[i]] == sequences[order[i - 1]]) {
      state_->statistics.shared_prompt_tokens += static_cast<std::int64_t>(sequences[order[i]].size());
      continue;
    }
    jobs.push_back({&sequences[order[i]], 0, &results[order[i]]});
  }
  state_->run({.sampling = nullptr, .suffix = {}, .candidates = candidates}, jobs);

  std::vector<std::vector<double>> log_probs(sequences.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool repeated = i > 0 && sequences[order[i]] == sequences[order[i - 1]];
    log_probs[order[i]] = repeated ? log_probs[order[i - 1]] : std::move(results[order[i]].candidate_log_probs);
  }
  return log_probs;
}

}  // namespace rlaif::generate
