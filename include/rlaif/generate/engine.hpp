// The rollout engine: continuous batching over slots with a KV cache. Annotation, PPO, evaluation and the judge
// all generate through it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "rlaif/core/end_tokens.hpp"
#include "rlaif/core/types.hpp"

namespace rlaif::model {
class Transformer;
}

namespace rlaif::generate {

struct SamplingOptions {
  double temperature = 1.0;  // 0: greedy
  int top_k = 0;             // 0: off
  double top_p = 1.0;        // 1: off
  int max_new_tokens = 40;
  std::vector<TokenId> stop_tokens;
  std::uint64_t seed = 0;
  // Told of every token as it is drawn, stop tokens apart: for who reads along. Empty: nobody.
  std::function<void(std::uint64_t prompt_id, std::uint32_t sample, TokenId token)> drawn = {};
};

struct EngineOptions {
  int slots = 64;                 // sequences decoded together
  int max_prefill_tokens = 1024;  // most prompt tokens in one forward pass
  bool share_prefixes = true;     // compute the prompts' common beginnings once; off: to measure what that saves
};

struct GenerationRequest {
  std::vector<TokenId> prompt_tokens;
  std::uint64_t prompt_id = 0;         // keys the draws, with sample and position
  std::vector<std::uint32_t> samples;  // which draws to make; all share one prompt but for its last token
};

struct Generated {
  std::uint32_t sample = 0;
  std::vector<TokenId> tokens;   // without the stop token
  std::vector<float> log_probs;  // of log softmax(logits / temperature) (temperature 0: of logits), one per
                                 // token, then the stop token's where ended; NaN where the logits are not finite
  bool ended = false;            // a stop token was drawn
  TokenId end_token = -1;        // which one; -1 where not ended
  std::vector<double> candidate_log_probs;  // generate_and_score only: one per candidate
};

struct EngineStatistics {
  std::int64_t prompt_tokens = 0;         // computed, forced suffixes included
  std::int64_t shared_prompt_tokens = 0;  // taken from a shared prefix instead
  std::int64_t generated_tokens = 0;      // drawn, stop tokens included
  std::int64_t forward_passes = 0;
};

class Engine {
 public:
  // Keeps a reference to the model; its weights may change between calls. Requests longer than the model's
  // context less max_new_tokens must have been filtered by the caller: that is an invariant here.
  Engine(const model::Transformer& model, EngineOptions options);
  ~Engine();
  Engine(Engine&&) noexcept;

  // Results in the order of requests, inside in the order of samples. What comes back depends on the requests and
  // options of this call alone, not on earlier calls. Throws Error(usage) for options out of range.
  std::vector<std::vector<Generated>> generate(std::span<const GenerationRequest> requests,
                                               const SamplingOptions& options);

  // The same, and then for every sequence: `suffix` (not empty) is put after the drawn tokens, in place of the stop
  // token, and candidate_log_probs are read after it, as next_token_log_probs would. The cache of the sequence is
  // used on, so the prompt is not computed again. prompt + max_new_tokens + suffix must fit the context.
  std::vector<std::vector<Generated>> generate_and_score(std::span<const GenerationRequest> requests,
                                                         const SamplingOptions& options,
                                                         std::span<const TokenId> suffix,
                                                         std::span<const TokenId> candidates);

  // log softmax of the next-token logits at the end of every sequence, at the candidate tokens: [sequence][candidate].
  // Common prefixes of sequences are computed once. Sequences are not empty and fit the context: an invariant.
  std::vector<std::vector<double>> next_token_log_probs(std::span<const std::vector<TokenId>> sequences,
                                                        std::span<const TokenId> candidates);

  // Of the model: context in tokens, tokens it knows, and those that end its responses.
  std::int64_t max_positions() const;
  std::int64_t vocab_size() const;
  const EndTokens& end_tokens() const;

  const EngineStatistics& statistics() const;
  void reset_statistics();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Index drawn from logits by the keyed uniform u in [0, 1): temperature, top-k, top-p, then inverse CDF in the order
// of ids. Returns the token and its log-probability under softmax(logits / temperature) over the whole vocabulary.
// top-p keeps the smallest set of most probable tokens whose mass reaches top_p (Holtzman et al. 2020), after top-k has
// renormalised; equal logits go to the lower id. Where the logits hold a NaN or +infinity, log_prob is NaN.
struct SampledToken {
  TokenId token;
  float log_prob;
};
// Ids in `never` are not drawn, whatever their logits; log_prob counts them all the same, as it counts what top-k leaves out.
SampledToken sample_token(std::span<const float> logits, const SamplingOptions& options, double u,
                          std::span<const TokenId> never = {});

}  // namespace rlaif::generate
