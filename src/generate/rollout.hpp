// Continuous batching: sequences run in the slots of one KV cache; a slot that ends takes the next sequence.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rlaif/generate/engine.hpp"
#include "rlaif/model/transformer.hpp"

namespace rlaif::generate {

// One sequence to run.
struct Job {
  const std::vector<TokenId>* prompt = nullptr;
  std::uint64_t prompt_id = 0;
  Generated* result = nullptr;  // its `sample` keys the draws
};

// What is done with every job: draw tokens (where `sampling` is given), then append `suffix`, then read `candidates`
// (where there are any).
struct Program {
  const SamplingOptions* sampling = nullptr;
  std::span<const TokenId> suffix;
  std::span<const TokenId> candidates;
};

class Rollout {
 public:
  // Jobs are admitted in their order, options.slots at a time. `cache` has at least as many slots and room for the longest
  // job.
  Rollout(const model::Transformer& model, model::KvCache& cache, const EngineOptions& options, const Program& program,
          std::span<const Job> jobs, EngineStatistics& statistics);
  void run();

 private:
  enum class Phase { idle, waiting, drawing, scoring };
  // `stream` is what the slot's cache holds or will hold: the prompt, then every drawn token that is read again.
  // All of the stream of a slot that is not idle gets computed, so other slots may wait for a part of it.
  struct Slot {
    Phase phase = Phase::idle;
    std::size_t job = 0;
    std::vector<TokenId> stream;
    std::size_t computed = 0;            // leading tokens of the stream that are in the cache
    std::size_t source = 0, shared = 0;  // waiting: take `shared` positions from slot `source` once it has them
  };
  struct Read {
    std::size_t slot;
    std::int64_t row;
  };

  void settle_waiting();
  void admit_jobs();
  void admit(std::size_t job);
  void begin(Slot& slot);
  void copy_shared(std::size_t to);
  void forward();
  void take_rows();
  torch::Tensor logits_of(const torch::Tensor& hidden_Nd);
  void draw(std::size_t slot, std::span<const float> logits);
  void finish_drawing(std::size_t slot);
  void end(std::size_t slot);

  const model::Transformer& model_;
  model::KvCache& cache_;
  EngineOptions options_;
  Program program_;
  std::span<const Job> jobs_;
  EngineStatistics& statistics_;
  std::vector<Slot> slots_;
  std::vector<std::size_t> active_;  // slots that are not idle, in order of admission
  std::size_t next_job_ = 0;
  // Of the pass at hand; the memory is used again, as is that of the slots' streams.
  model::CacheRows rows_;
  std::vector<Read> reads_;  // rows whose logits are wanted
  torch::Tensor logits_SV_;
};

}  // namespace rlaif::generate
