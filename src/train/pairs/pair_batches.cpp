#include "pair_batches.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/train/loop.hpp"
#include "rlaif/train/throughput.hpp"

namespace rlaif::train {

namespace {

std::string pair_name(const std::string& stage, std::size_t i) { return stage + ": pair " + std::to_string(i); }

}  // namespace

void check_pairs(std::span<const TokenPair> pairs, std::int64_t context, const std::string& stage) {
  if (pairs.empty()) throw input_error(stage + ": no preference pairs to train on");
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const TokenPair& pair = pairs[i];
    const std::string name = pair_name(stage, i);
    if (!(pair.p_first >= 0.0 && pair.p_first <= 1.0)) throw input_error(name + ": a label in [0, 1] was expected");
    if (!(pair.weight > 0.0 && std::isfinite(pair.weight))) throw input_error(name + ": a weight above 0 was expected");
    for (const auto* tokens : {&pair.first, &pair.second}) {
      if (tokens->empty()) throw input_error(name + ": an empty sequence");
      if (static_cast<std::int64_t>(tokens->size()) > context) {
        throw input_error(name + ": " + std::to_string(tokens->size()) + " tokens, the model's context is " +
                          std::to_string(context));
      }
    }
  }
}

void check_answers(std::span<const TokenPair> pairs, const std::string& stage) {
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const TokenPair& pair = pairs[i];
    const auto shorter = static_cast<std::int64_t>(std::min(pair.first.size(), pair.second.size()));
    if (pair.prompt_length < 1 || pair.prompt_length >= shorter) {
      throw input_error(pair_name(stage, i) + ": a prompt of " + std::to_string(pair.prompt_length) + " of " +
                        std::to_string(shorter) + " tokens; at least 1 token each of prompt and answer was expected");
    }
    if (!std::equal(pair.first.begin(), pair.first.begin() + pair.prompt_length, pair.second.begin())) {
      throw input_error(pair_name(stage, i) + ": the two answers have different prompts; one was expected");
    }
  }
}

namespace {

std::vector<std::size_t> epoch_order(std::span<const TokenPair> pairs, std::uint64_t seed, std::int64_t epoch) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i == 0 || pairs[i].prompt_id != pairs[i - 1].prompt_id || pairs[i].prompt_id == 0) starts.push_back(i);
  }
  Rng(seed, Stream::data_order, {static_cast<std::uint64_t>(epoch)}).shuffle(starts);
  std::vector<std::size_t> order;
  for (const std::size_t start : starts) {
    std::size_t i = start;
    do {
      order.push_back(i++);
    } while (i < pairs.size() && pairs[i].prompt_id != 0 && pairs[i].prompt_id == pairs[start].prompt_id);
  }
  return order;
}

}  // namespace

PairSteps::PairSteps(std::span<const TokenPair> pairs, std::int64_t batch, int epochs, std::uint64_t seed)
    : pairs_(pairs),
      batch_(batch),
      steps_per_epoch_((static_cast<std::int64_t>(pairs.size()) + batch - 1) / batch),
      epochs_(epochs),
      seed_(seed) {}

std::span<const std::size_t> PairSteps::of(std::int64_t step, int grain, int grains) {
  const std::int64_t epoch = epoch_of(step);
  if (epoch != ordered_epoch_) order_ = epoch_order(pairs_, seed_, epoch);
  ordered_epoch_ = epoch;
  const std::int64_t first = step % steps_per_epoch_ * batch_;
  const std::int64_t count = std::min(batch_, static_cast<std::int64_t>(pairs_.size()) - first);
  const auto [begin, end] = grain_items(count, grain, grains);
  return std::span(order_).subspan(static_cast<std::size_t>(first + begin), static_cast<std::size_t>(end - begin));
}

std::vector<std::vector<std::size_t>> micro_batches(std::span<const TokenPair> pairs,
                                                    std::span<const std::size_t> chosen, std::int64_t limit) {
  std::vector<std::vector<std::size_t>> items;
  std::vector<std::int64_t> tokens;
  for (const std::size_t i : chosen) {
    const TokenPair& pair = pairs[i];
    const bool joins =
        limit > 0 && !items.empty() && pair.prompt_id != 0 && pairs[items.back().back()].prompt_id == pair.prompt_id;
    if (!joins) {
      items.emplace_back();
      tokens.push_back(0);
    }
    // A completion of several pairs counts once for each: a bound.
    tokens.back() += static_cast<std::int64_t>(pair.first.size() + pair.second.size());
    items.back().push_back(i);
  }
  std::vector<std::vector<std::size_t>> groups;
  for (const auto& group : micro_batches(tokens, limit)) {
    groups.emplace_back();
    for (const std::size_t item : group)
      groups.back().insert(groups.back().end(), items[item].begin(), items[item].end());
  }
  return groups;
}

namespace {

struct InSomeOrder {
  bool operator()(const Answer& a, const Answer& b) const {
    if (a.prompt_length != b.prompt_length) return a.prompt_length < b.prompt_length;
    return std::lexicographical_compare(a.tokens.begin(), a.tokens.end(), b.tokens.begin(), b.tokens.end());
  }
};

}  // namespace

DistinctAnswers distinct_answers(std::span<const TokenPair> pairs, std::span<const std::size_t> chosen) {
  DistinctAnswers distinct;
  std::map<Answer, std::int64_t, InSomeOrder> known;
  for (const std::size_t i : chosen) {
    for (const auto* tokens : {&pairs[i].first, &pairs[i].second}) {
      const Answer answer{*tokens, pairs[i].prompt_length};
      const auto [place, is_new] = known.try_emplace(answer, static_cast<std::int64_t>(distinct.answers.size()));
      if (is_new) distinct.answers.push_back(answer);
      distinct.places.push_back(place->second);
    }
  }
  return distinct;
}

}  // namespace rlaif::train
