#include "rlaif/remote/question.hpp"

#include <algorithm>

#include "rlaif/text/jsonl.hpp"
#include "stored.hpp"

namespace rlaif::remote {
namespace {

// Around a turn: its role and the marks of the chat format.
constexpr std::int64_t tokens_a_turn = 16;
// What the vendors' prompt caches take at the least (platform.openai.com, docs.anthropic.com, "prompt caching").
constexpr std::int64_t least_cached_tokens = 1024;

}  // namespace

Pricer::Pricer(const std::string& asker, const ServerOptions& options, const Protocol& protocol, cost::Price price,
               TokenCount count_tokens, std::span<const text::Message> opening, int requests_a_label)
    : base_url_(options.base_url),
      max_output_tokens_(options.max_output_tokens),
      protocol_(&protocol),
      price_(std::move(price)),
      count_tokens_(std::move(count_tokens)),
      opening_turns_(opening.size()),
      requests_a_label_(requests_a_label) {
  check_server(asker, options);
  while (base_url_.ends_with('/')) base_url_.pop_back();
  opening_ = tokens_of(opening);
}

double Pricer::request_usd(const Usage& usage, std::int64_t cache_write_tokens) const {
  cost::Price tokens = price_;
  tokens.per_label_usd = 0.0;
  return tokens.label_usd(usage, cache_write_tokens) + price_.per_label_usd / requests_a_label_;
}

Usage Pricer::worst_usage(const Question& question) const {
  Usage usage;
  usage.input_tokens = question.most_input_tokens;
  usage.output_tokens = static_cast<std::int64_t>(max_output_tokens_) * protocol_->answers_a_request();
  // Whatever is dearer: that the server writes its cache, or that it does not.
  usage.cost_usd = std::max(request_usd(usage, question.most_written_tokens), request_usd(usage, 0));
  return usage;
}

Pricer::Tokens Pricer::tokens_of(std::span<const text::Message> turns) const {
  std::int64_t bytes = 0, counted = 0;
  for (const text::Message& turn : turns) {
    bytes += static_cast<std::int64_t>(turn.content.size());
    if (count_tokens_) counted += count_tokens_(turn.content);
  }
  return count_tokens_ ? Tokens{counted, counted} : Tokens{bytes, (bytes + 3) / 4};
}

Question Pricer::question(const std::vector<text::Message>& turns, std::uint64_t seed, int sample) const {
  Question question;
  Json body = protocol_->body(turns, seed);
  question.hash = request_hash(url() + "\n" + std::to_string(sample) + "\n" + text::to_json_line(body));
  protocol_->mark_cached(body, opening_turns_);
  question.body = text::to_json_line(body);
  const Tokens varying = tokens_of(std::span(turns).subspan(opening_turns_));
  const std::int64_t marks = tokens_a_turn * static_cast<std::int64_t>(turns.size() + 1);
  question.most_input_tokens = marks + opening_.most + varying.most;
  question.likely_input_tokens = marks / 4 + opening_.likely + varying.likely;
  if (opening_turns_ > 0 && protocol_->marks_cached()) question.most_written_tokens = marks + opening_.most;
  question.worst_usd = worst_usage(question).cost_usd;
  return question;
}

Estimate estimate(std::span<const Question* const> questions, const Pricer& pricer, const Protocol& protocol,
                  const AnswerCache* answers, std::int64_t answer_tokens) {
  const std::int64_t opening = pricer.likely_opening_tokens();
  const std::int64_t cached = opening >= least_cached_tokens ? opening : 0;
  Estimate estimate;
  for (const Question* question : questions) {
    ++estimate.requests;
    if (answers != nullptr && stored_answer(*answers, protocol, question->hash)) {
      ++estimate.stored;
      continue;
    }
    const bool is_first = estimate.requests - estimate.stored == 1;
    Usage likely;
    likely.input_tokens = question->likely_input_tokens;
    if (!is_first) likely.cached_input_tokens = cached;
    likely.output_tokens = answer_tokens * protocol.answers_a_request();
    likely.cost_usd = pricer.request_usd(likely, is_first && protocol.marks_cached() ? cached : 0);
    estimate.likely += likely;
    estimate.worst += pricer.worst_usage(*question);
    estimate.least_request_usd =
        is_first ? question->worst_usd : std::min(estimate.least_request_usd, question->worst_usd);
  }
  return estimate;
}

}  // namespace rlaif::remote
