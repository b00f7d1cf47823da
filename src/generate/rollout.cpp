#include "rollout.hpp"

#include <algorithm>

#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/generate/softmax.hpp"
#include "rlaif/model/matmul.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::generate {
namespace {

// A prefix shorter than this costs more to copy than to compute; to wait a step for one must save more tokens still.
constexpr std::size_t min_copied_prefix = 2;
constexpr std::size_t min_awaited_prefix = 6;

std::size_t common_prefix(const std::vector<TokenId>& a, const std::vector<TokenId>& b, std::size_t limit) {
  limit = std::min({limit, a.size(), b.size()});
  return std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(limit), b.begin()).first - a.begin();
}

std::span<const float> row_of(const torch::Tensor& logits_MV, std::size_t row) {
  const auto width = static_cast<std::size_t>(logits_MV.size(1));
  return {logits_MV.const_data_ptr<float>() + row * width, width};
}

}  // namespace

Rollout::Rollout(const model::Transformer& model, model::KvCache& cache, const EngineOptions& options,
                 const Program& program, std::span<const Job> jobs, EngineStatistics& statistics)
    : model_(model),
      cache_(cache),
      options_(options),
      program_(program),
      jobs_(jobs),
      statistics_(statistics),
      slots_(options.slots),
      logits_SV_(torch::empty({options.slots, model.config().vocab_size})) {
  const std::size_t longest = cache.capacity;
  for (Slot& slot : slots_) slot.stream.reserve(longest);
  const std::size_t most_rows = slots_.size() + options.max_prefill_tokens;
  rows_.tokens.reserve(most_rows);
  rows_.slots.reserve(most_rows);
  rows_.positions.reserve(most_rows);
  reads_.reserve(slots_.size());
  active_.reserve(slots_.size());
}

void Rollout::run() {
  while (next_job_ < jobs_.size() || !active_.empty()) {
    settle_waiting();
    admit_jobs();
    forward();
  }
}

// Runs before slots are given away: a source may have ended in the last step, and its cache still stands.
void Rollout::settle_waiting() {
  for (const std::size_t s : active_) {
    Slot& slot = slots_[s];
    if (slot.phase != Phase::waiting || slots_[slot.source].computed < slot.shared) continue;
    copy_shared(s);
    begin(slot);
  }
}

void Rollout::admit_jobs() {
  while (next_job_ < jobs_.size() && active_.size() < slots_.size()) admit(next_job_++);
}

// Finds the slot whose stream has most of the prompt at its front. What is computed there is taken at once; where
// much more is about to be computed, the job waits for it.
void Rollout::admit(std::size_t job) {
  const std::vector<TokenId>& prompt = *jobs_[job].prompt;
  std::size_t ready = 0, ready_slot = 0, coming = 0, coming_slot = 0, idle_slot = slots_.size();
  for (std::size_t s = 0; s < slots_.size(); ++s) {
    const Slot& slot = slots_[s];
    const bool idle = slot.phase == Phase::idle;
    if (idle && idle_slot == slots_.size()) idle_slot = s;
    // The last prompt token is always computed anew: its state gives the first draw.
    const std::size_t common = options_.share_prefixes ? common_prefix(prompt, slot.stream, prompt.size() - 1) : 0;
    const std::size_t computed = std::min(common, slot.computed);
    // An idle slot is its own source without a copy, so it wins ties.
    if (computed > ready || (computed == ready && idle && slots_[ready_slot].phase != Phase::idle)) {
      ready = computed;
      ready_slot = s;
    }
    if (!idle && common > coming) {
      coming = common;
      coming_slot = s;
    }
  }
  const bool wait = coming >= ready + min_awaited_prefix;
  const bool in_place = !wait && slots_[ready_slot].phase == Phase::idle;
  const std::size_t s = in_place ? ready_slot : idle_slot;
  Slot& slot = slots_[s];
  slot.job = job;
  slot.stream.assign(prompt.begin(), prompt.end());
  slot.computed = in_place ? ready : 0;
  active_.push_back(s);
  if (wait) {
    slot.phase = Phase::waiting;
    slot.source = coming_slot;
    slot.shared = coming;
    return;
  }
  if (in_place) {
    statistics_.shared_prompt_tokens += static_cast<std::int64_t>(ready);
  } else if (ready >= min_copied_prefix) {
    slot.source = ready_slot;
    slot.shared = ready;
    copy_shared(s);
  }
  begin(slot);
}

void Rollout::begin(Slot& slot) {
  slot.phase = program_.sampling ? Phase::drawing : Phase::scoring;
  if (!program_.sampling) return;
  Generated& result = *jobs_[slot.job].result;
  result.tokens.reserve(program_.sampling->max_new_tokens);
  result.log_probs.reserve(program_.sampling->max_new_tokens);
}

void Rollout::copy_shared(std::size_t to) {
  Slot& slot = slots_[to];
  const auto length = static_cast<std::int64_t>(slot.shared);
  model_.copy_prefix(cache_, static_cast<std::int64_t>(slot.source), static_cast<std::int64_t>(to), length);
  slot.computed = slot.shared;
  statistics_.shared_prompt_tokens += length;
}

// Rows of the next pass: one for each sequence that decodes, and prompts in order of admission up to the limit.
void Rollout::take_rows() {
  rows_.tokens.clear();
  rows_.slots.clear();
  rows_.positions.clear();
  reads_.clear();
  std::int64_t budget = options_.max_prefill_tokens;
  for (const std::size_t s : active_) {
    Slot& slot = slots_[s];
    if (slot.phase == Phase::waiting) continue;
    auto count = static_cast<std::int64_t>(slot.stream.size() - slot.computed);
    if (count > 1) {
      count = std::min(count, budget);
      budget -= count;
    }
    const std::size_t forced = jobs_[slot.job].prompt->size();
    for (std::int64_t i = 0; i < count; ++i, ++slot.computed) {
      rows_.tokens.push_back(slot.stream[slot.computed]);
      rows_.slots.push_back(static_cast<std::int32_t>(s));
      rows_.positions.push_back(static_cast<std::int32_t>(slot.computed));
      if (slot.computed < forced || slot.phase == Phase::scoring) ++statistics_.prompt_tokens;
    }
    if (slot.computed == slot.stream.size()) reads_.push_back({s, rows_.size() - 1});
  }
}

// Of the rows that are read, [M, V] on the CPU; valid until the next call. Those of one pass exist at a time.
torch::Tensor Rollout::logits_of(const torch::Tensor& hidden_Nd) {
  const auto count = static_cast<std::int64_t>(reads_.size());
  torch::Tensor read_Md = hidden_Nd;
  if (count < rows_.size()) {  // while all sequences decode, all rows are read
    std::vector<std::int64_t> read_rows;
    for (const Read& read : reads_) read_rows.push_back(read.row);
    read_Md = hidden_Nd.index_select(0, torch::tensor(read_rows, torch::kInt64).to(hidden_Nd.device()));
  }
  torch::Tensor logits_MV = logits_SV_.narrow(0, 0, count);
  if (hidden_Nd.is_cpu())
    model::matmul_into(read_Md, model_.output_Vd, logits_MV);
  else
    logits_MV.copy_(model_.logits(read_Md));
  return logits_MV;
}

void Rollout::forward() {
  take_rows();
  RLAIF_CHECK(rows_.size() > 0, "no sequence could go on");
  const torch::Tensor hidden_Nd = model_.extend(rows_, cache_);
  ++statistics_.forward_passes;
  if (reads_.empty()) return;
  const torch::Tensor logits_MV = logits_of(hidden_Nd);
  for (std::size_t m = 0; m < reads_.size(); ++m) {
    const std::size_t s = reads_[m].slot;
    const std::span<const float> logits = row_of(logits_MV, m);
    if (slots_[s].phase == Phase::drawing) {
      draw(s, logits);
      continue;
    }
    const double log_total = log_sum_exp(logits);
    for (const TokenId candidate : program_.candidates)
      jobs_[slots_[s].job].result->candidate_log_probs.push_back(logits[candidate] - log_total);
    end(s);
  }
}

void Rollout::draw(std::size_t s, std::span<const float> logits) {
  Slot& slot = slots_[s];
  const SamplingOptions& options = *program_.sampling;
  const Job& job = jobs_[slot.job];
  Generated& result = *job.result;
  const double u = Rng(options.seed, Stream::sampling, {job.prompt_id, result.sample, result.tokens.size()}).uniform();
  const SampledToken drawn = sample_token(logits, options, u, model_.nameless_tokens());
  ++statistics_.generated_tokens;
  result.log_probs.push_back(drawn.log_prob);
  result.ended =
      std::find(options.stop_tokens.begin(), options.stop_tokens.end(), drawn.token) != options.stop_tokens.end();
  if (result.ended) {
    result.end_token = drawn.token;
    finish_drawing(s);
    return;
  }
  result.tokens.push_back(drawn.token);
  if (options.drawn) options.drawn(job.prompt_id, result.sample, drawn.token);
  const bool full = result.tokens.size() == static_cast<std::size_t>(options.max_new_tokens);
  if (!full || !program_.suffix.empty()) slot.stream.push_back(drawn.token);
  if (full) finish_drawing(s);
}

void Rollout::finish_drawing(std::size_t s) {
  if (program_.suffix.empty()) {
    end(s);
    return;
  }
  Slot& slot = slots_[s];
  slot.phase = Phase::scoring;
  slot.stream.insert(slot.stream.end(), program_.suffix.begin(), program_.suffix.end());
}

void Rollout::end(std::size_t s) {
  slots_[s].phase = Phase::idle;
  active_.erase(std::find(active_.begin(), active_.end(), s));
}

}  // namespace rlaif::generate
