#include "remote_plan.hpp"

#include <algorithm>
#include <map>

#include "remote_prompt.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/judge/shown_text.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::judge {
namespace {

// Around a turn: its role and the marks of the chat format.
constexpr std::int64_t tokens_a_turn = 16;

void check(const std::string& name, const RemoteOptions& o, const RemoteParts& parts) {
  const auto refuse = [&](const std::string& message) { throw usage_error("judge " + name + ": " + message); };
  if (!o.base_url.starts_with("http://") && !o.base_url.starts_with("https://"))
    refuse("base_url: expected an address that begins with http:// or https://, not '" + o.base_url + "'");
  if (o.base_url.find('@') != std::string::npos) refuse("base_url: expected an address without user and password");
  if (o.model.empty()) refuse("model: expected the name of a model");
  if (o.max_output_tokens < 1)
    refuse("max_output_tokens must be at least 1, not " + std::to_string(o.max_output_tokens));
  // The vendor's limit; servers of other people give as many as they are asked for.
  const int most = o.base_url.starts_with(openai_options().base_url) ? 20 : 1000;
  if (o.top_logprobs < 0 || o.top_logprobs > most) {
    refuse("top_logprobs must be 0 to " + std::to_string(most) + " at " + o.base_url + ", not " +
           std::to_string(o.top_logprobs));
  }
  if (o.samples < 1 || o.samples > 128) refuse("samples must be 1 to 128, not " + std::to_string(o.samples));
  if (o.top_logprobs > 0 && o.samples > 1) refuse("samples must be 1 where log-probabilities are asked for");
  if (!(o.least_label_mass >= 0.0 && o.least_label_mass <= 1.0)) refuse("least_label_mass must be in [0, 1]");
  if (o.temperature && !(*o.temperature >= 0.0 && *o.temperature <= 2.0)) refuse("temperature must be in [0, 2]");
  if (o.top_p && !(*o.top_p > 0.0 && *o.top_p <= 1.0)) refuse("top_p must be in (0, 1]");
  if (o.context_tokens < 0) refuse("context_tokens must be at least 0");
  if (parts.style.has_principles() && parts.principles.empty())
    refuse("the style asks for principles, and there are none");
  if (!parts.style.has_principles() && !parts.principles.empty())
    refuse("principles are given, but the style has no place {principles} for them");
}

// The same for a pair that is asked about again, whichever response stands first.
std::uint64_t pair_key(const Comparison& comparison) {
  const std::uint64_t first = checksum(comparison.first.text), second = checksum(comparison.second.text);
  return hash_words({checksum(comparison.prompt.text), std::min(first, second), std::max(first, second)});
}

}  // namespace

std::int64_t count_at(const Json& object, const char* key) {
  if (!object.is_object()) return 0;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return 0;
  // No answer has more tokens; sums of counts that a server makes up must not overflow.
  constexpr std::int64_t most = std::int64_t{1} << 31;
  if (found->is_number_unsigned())
    return static_cast<std::int64_t>(std::min<std::uint64_t>(found->get<std::uint64_t>(), most));
  return std::clamp<std::int64_t>(found->get<std::int64_t>(), 0, most);
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Planner::Planner(const std::string& name, const RemoteOptions& options, const RemoteParts& parts,
                 const Protocol& protocol)
    : options_(options), parts_(parts), protocol_(&protocol) {
  while (options_.base_url.ends_with('/')) options_.base_url.pop_back();
  check(name, options_, parts_);
  requests_an_order_ = (options_.samples + protocol.answers_a_request() - 1) / protocol.answers_a_request();
  const bool same_principles = options_.principle_use == PrincipleUse::all || parts_.principles.size() <= 1;
  constant_turns_ = parts_.style.constant_turns(same_principles);
  const auto chosen = parts_.principles.chosen(0, options_.principle_use, options_.seed);
  std::vector<ChatTurn> turns =
      parts_.style.render(principles_text(chosen), "", "", "", "",
                          cases_text(chosen, parts_.style.labels.first, parts_.style.labels.second));
  turns.resize(constant_turns_);
  constant_ = tokens_of(turns);
}

double Planner::request_usd(const Usage& usage, std::int64_t cache_write_tokens) const {
  cost::Price tokens = parts_.price;
  tokens.per_label_usd = 0.0;
  const int requests = requests_an_order_ * (options_.orders == Orders::both ? 2 : 1);
  return tokens.label_usd(usage, cache_write_tokens) + parts_.price.per_label_usd / requests;
}

Usage Planner::worst_usage(const Question& question) const {
  Usage usage;
  usage.input_tokens = question.most_input_tokens;
  usage.output_tokens = static_cast<std::int64_t>(options_.max_output_tokens) * protocol_->answers_a_request();
  // Whatever is dearer: that the server writes its cache, or that it does not.
  usage.cost_usd = std::max(request_usd(usage, question.most_written_tokens), request_usd(usage, 0));
  return usage;
}

Planner::Tokens Planner::tokens_of(std::span<const ChatTurn> turns) const {
  std::int64_t bytes = 0, counted = 0;
  for (const ChatTurn& turn : turns) {
    bytes += static_cast<std::int64_t>(turn.content.size());
    if (parts_.count_tokens) counted += parts_.count_tokens(turn.content);
  }
  return parts_.count_tokens ? Tokens{counted, counted} : Tokens{bytes, (bytes + 3) / 4};
}

Question Planner::question(const std::vector<ChatTurn>& turns, std::uint64_t comparison, std::size_t order,
                           int sample) const {
  Question question;
  const std::uint64_t seed = hash_words({options_.seed, comparison, order, static_cast<std::uint64_t>(sample)});
  Json body = protocol_->body(turns, seed);
  question.hash = request_hash(url() + "\n" + std::to_string(sample) + "\n" + text::to_json_line(body));
  protocol_->mark_cached(body, constant_turns_);
  question.body = text::to_json_line(body);
  const Tokens varying = tokens_of(std::span(turns).subspan(constant_turns_));
  const std::int64_t marks = tokens_a_turn * static_cast<std::int64_t>(turns.size() + 1);
  question.most_input_tokens = marks + constant_.most + varying.most;
  question.likely_input_tokens = marks / 4 + constant_.likely + varying.likely;
  if (constant_turns_ > 0 && protocol_->marks_cached()) question.most_written_tokens = marks + constant_.most;
  question.worst_usd = worst_usage(question).cost_usd;
  return question;
}

Plan Planner::plan(std::span<const Comparison> comparisons) const {
  Plan plan;
  std::map<RequestHash, std::size_t> known;
  for (const Comparison& comparison : comparisons) {
    Asked& asked = plan.asked.emplace_back();
    const std::string prompt = shown_text(comparison.prompt.text);
    const std::array<std::string, 2> texts{shown_text(comparison.first.text), shown_text(comparison.second.text)};
    const std::uint64_t pair = pair_key(comparison);
    const auto chosen = parts_.principles.chosen(comparison.id, options_.principle_use, options_.seed);
    const std::string principles = principles_text(chosen);
    const std::string cases = cases_text(chosen, parts_.style.labels.first, parts_.style.labels.second);
    const std::string fence = fence_of(comparison, options_.seed);
    for (std::size_t order = 0; order < (options_.orders == Orders::both ? 2u : 1u); ++order) {
      const std::vector<ChatTurn> turns =
          parts_.style.render(principles, prompt, texts[order], texts[1 - order], fence, cases);
      for (int sample = 0; sample < requests_an_order_; ++sample) {
        Question next = question(turns, comparison.id, order, sample);
        next.pair = pair;
        if (options_.context_tokens > 0 &&
            next.likely_input_tokens + options_.max_output_tokens > options_.context_tokens)
          asked.fits = false;
        const auto [place, added] = known.emplace(next.hash, plan.questions.size());
        asked.by_order[order].push_back(place->second);
        if (added) plan.questions.push_back(std::move(next));
      }
    }
  }
  return plan;
}

}  // namespace rlaif::judge
