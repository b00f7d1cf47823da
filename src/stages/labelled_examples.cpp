#include "labelled_examples.hpp"

#include <algorithm>
#include <numeric>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/evaluate/labelled_pairs.hpp"

namespace rlaif::stages {
namespace {

constexpr std::uint64_t kOrder = 1, kVerdict = 2;  // what a draw is for

}  // namespace

void check_labelled_examples(const JudgeModel& model) {
  const JudgeModelOptions& options = model.training;
  const std::string section = "judge_model" + model.suffix();
  if (options.pairs.empty()) {
    if (options.principles.empty()) return;
    throw usage_error(section + ".principles: nothing was expected without " + section + ".pairs, found '" +
                      options.principles.string() + "'");
  }
  if (!std::filesystem::exists(options.verdict_first_template)) return;  // the deck says so
  const text::Conversation prompt = text::Conversation::load(options.verdict_first_template);
  if (prompt.style != text::Conversation::Style::verdict_first) {
    throw usage_error(section + ".verdict_first_template: '" + options.verdict_first_template.string() +
                      "' asks for reasons first, which people's labels do not hold; one of style verdict_first was "
                      "expected");
  }
  if (prompt.has_principles() && options.principles.empty()) {
    throw usage_error(section + ".principles: a file of principles was expected, for which '" +
                      options.verdict_first_template.string() + "' has a place");
  }
}

double share_of_votes(const evaluate::LabelledPair& pair) {
  if (pair.annotators.empty()) return pair.label;
  return std::accumulate(pair.annotators.begin(), pair.annotators.end(), 0.0) /
         static_cast<double>(pair.annotators.size());
}

LabelledExamples::LabelledExamples(std::uint64_t seed, const Language& language, const JudgeModel& model,
                                   std::int64_t max_positions)
    : seed_(seed),
      model_(checksum(model.name)),
      options_(model.training),
      encoder_(language.chat, text::Conversation::load(model.training.verdict_first_template)) {
  if (encoder_.prompt().has_principles()) principles_ = judge::load_constitution(options_.principles);
  for (evaluate::LabelledPair& read : evaluate::read_labelled_pairs(options_.pairs)) {
    const Pair pair{read.comparison, share_of_votes(read)};
    const auto length = [&](judge::ShownFirst first) {
      return static_cast<std::int64_t>(example(pair, first, true).tokens.size());
    };
    if (std::max(length(judge::ShownFirst::first), length(judge::ShownFirst::second)) > max_positions) {
      ++too_long_;
      continue;
    }
    soft_ += pair.p_first != 0.0 && pair.p_first != 1.0;
    pairs_.push_back(pair);
  }
  if (pairs_.empty()) {
    throw input_error(options_.pairs, "holds no pair that fits the judge's context of " +
                                          std::to_string(max_positions) + " tokens; at least one was expected");
  }
}

const std::vector<std::size_t>& LabelledExamples::order_of(std::uint64_t pass) const {
  if (const auto known = orders_.find(pass); known != orders_.end()) return known->second;
  while (orders_.size() > 1) orders_.erase(orders_.begin());  // a step reaches over two at most, or begins anew
  std::vector<std::size_t>& order = orders_[pass];
  order.resize(pairs_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Rng(seed_, Stream::judge_data, {model_, kOrder, pass}).shuffle(order);
  return order;
}

train::Example LabelledExamples::at(std::int64_t item) const {
  const auto place = static_cast<std::size_t>(item % pairs());
  const Pair& pair = pairs_[order_of(static_cast<std::uint64_t>(item / pairs()))[place]];
  Rng rng(seed_, Stream::judge_data, {model_, kVerdict, static_cast<std::uint64_t>(item)});
  const bool in_order = rng.below(2) == 0;
  const bool first_is_better = rng.uniform() < pair.p_first;
  return example(pair, in_order ? judge::ShownFirst::first : judge::ShownFirst::second, first_is_better == in_order);
}

train::Example LabelledExamples::example(const Pair& pair, judge::ShownFirst shown_first,
                                         bool shown_first_is_better) const {
  const text::ShownTexts texts = judge::shown_comparison(encoder_.prompt(), pair.comparison, shown_first,
                                                         {&principles_, judge::PrincipleUse::sample, seed_});
  const judge::TrainingTokens all = encoder_.training(texts, "", judge::better_is(shown_first_is_better));
  train::Example example;
  for (std::size_t t = 0; t < all.tokens.size(); ++t) {
    const bool is_verdict = all.segments[t] == judge::Segment::verdict;
    if (!is_verdict && !example.weights.empty() && all.segments[t - 1] == judge::Segment::verdict) break;
    example.tokens.push_back(all.tokens[t]);
    example.weights.push_back(static_cast<float>(is_verdict ? options_.verdict_weight : options_.context_weight));
  }
  return example;
}

}  // namespace rlaif::stages
