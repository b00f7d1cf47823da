#include "rlaif/judge/remote.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <set>
#include <span>

#include "remote_failure.hpp"
#include "remote_plan.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/judge/thoughts.hpp"

namespace rlaif::judge {
namespace {

constexpr double not_asked = std::numeric_limits<double>::quiet_NaN();

std::string key_of(const std::string& name, const RemoteOptions& options) {
  if (options.key_variable.empty()) return "";
  const char* value = std::getenv(options.key_variable.c_str());
  if (value == nullptr || *value == '\0')
    throw usage_error("judge " + name + ": expected a key in the environment variable " + options.key_variable +
                      ", which is not set");
  const std::string key = value;
  if (key.find_first_of(" \t\r\n") != std::string::npos)
    throw usage_error("judge " + name + ": the key in the environment variable " + options.key_variable +
                      " holds white space");
  return key;
}

// What earlier versions took for an answer may be an error in a reply with status 200; it is asked again.
std::optional<std::string> stored_answer(const AnswerCache& answers, const Protocol& protocol,
                                         const RequestHash& request) {
  return answers.find(request, [&](const std::string& body) { return !protocol.read(body).error; });
}

class RemoteJudge final : public Judge {
 public:
  RemoteJudge(std::string name, RemoteOptions options, RemoteParts parts, std::unique_ptr<Protocol> protocol)
      : name_(std::move(name)),
        options_(std::move(options)),
        parts_(std::move(parts)),
        protocol_(std::move(protocol)),
        planner_(name_, options_, parts_, *protocol_),
        key_(key_of(name_, options_)),
        client_(options_.http) {
    RLAIF_CHECK(parts_.answers && parts_.meter, "a judge that is asked needs an answer store and a meter");
  }

  const std::string& name() const override { return name_; }

  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    Plan plan = planner_.plan(comparisons);
    answer(plan);
    std::vector<Verdict> verdicts;
    for (const Asked& asked : plan.asked) verdicts.push_back(verdict_of(plan, asked));
    return verdicts;
  }

 private:
  // What became of a question on its way.
  struct Sending {
    std::size_t question = 0;
    std::vector<double> holds;  // dollars reserved, one entry an attempt that may be billed
  };

  // Fills replies in: from the store, else from the server.
  void answer(Plan& plan) {
    std::vector<bool> is_asked(plan.questions.size());
    for (const Asked& asked : plan.asked)
      for (const auto& order : asked.by_order)
        for (const std::size_t index : order) is_asked[index] = is_asked[index] || asked.fits;
    std::vector<Sending> sendings;
    std::int64_t stored = 0;
    for (std::size_t i = 0; i < plan.questions.size(); ++i) {
      if (!is_asked[i]) continue;
      plan.questions[i].reply = stored_answer(*parts_.answers, *protocol_, plan.questions[i].hash);
      if (plan.questions[i].reply)
        ++stored;
      else
        sendings.push_back({i, {}});
    }
    if (stored > 0) {
      parts_.meter->count_stored(name_, stored);
      refused_pairs_.clear();
    }
    if (!sendings.empty()) send(plan, sendings, stored > 0);
  }

  void send(Plan& plan, std::vector<Sending>& sendings, bool is_answered) {
    std::vector<HttpRequest> requests;
    for (const Sending& sending : sendings) requests.push_back(request_of(plan.questions[sending.question]));
    Failures failures;
    HttpHooks hooks;
    hooks.examine = [this](int status, const std::string& body) { return examine(status, body); };
    hooks.admit = [&](std::size_t i) { return admit(plan.questions[sendings[i].question], sendings[i]); };
    hooks.done = [&](std::size_t i, HttpReply&& reply) {
      is_answered = is_answered || reply.failure == HttpFailure::none;
      arrived(plan.questions[sendings[i].question], sendings[i], std::move(reply), failures);
      return !failures.fatal;
    };
    try {
      client_.run(requests, hooks);
    } catch (...) {
      parts_.answers->sync();
      throw;
    }
    parts_.answers->sync();
    if (failures.fatal) throw *failures.fatal;
    refuse_wrong_setup(failures, is_answered);
    if (failures.not_sent > 0) throw unsent(plan, sendings, failures);
    if (const std::string summary = failures.summary(); !summary.empty())
      log::warning("judge " + name_ + ": " + summary + " of " + std::to_string(sendings.size()) + " requests");
  }

  // A set-up that is wrong for one pair is wrong for all: refused are pairs that differ, and nobody was answered since the
  // first of them. Blocks are the same on any number of ranks, and so is what follows from all of a block's replies together.
  void refuse_wrong_setup(const Failures& failures, bool is_answered) {
    if (is_answered) refused_pairs_.clear();
    if (is_answered || failures.refused.empty()) return;
    refused_pairs_.insert(failures.refused_pairs.begin(), failures.refused_pairs.end());
    if (refused_pairs_.size() > 1) throw usage_error("judge " + name_ + ": " + failures.refused.begin()->second);
  }

  HttpRuling examine(int status, const std::string& body) const {
    if (status < 200 || status >= 300) return {status, read_error(status, body).is_passing()};
    const std::optional<ServerError> error = protocol_->read(body).error;
    return error ? HttpRuling{error->status, error->is_passing()} : HttpRuling{status, false};
  }

  Error unsent(const Plan& plan, const std::vector<Sending>& sendings, const Failures& failures) const {
    if (options_.http.interrupted && options_.http.interrupted())
      return Error(ErrorKind::interrupted, "judge " + name_ + ": interrupted; " + std::to_string(failures.not_sent) +
                                               " requests were not sent, the answers that came are kept");
    double least = std::numeric_limits<double>::infinity();
    for (const Sending& sending : sendings)
      if (sending.holds.empty()) least = std::min(least, held_for(plan.questions[sending.question]));
    const cost::Spending spent = parts_.meter->total();
    const bool nothing = spent.requests == 0 && spent.unsettled_usd == 0.0;
    return Error(ErrorKind::resource,
                 "judge " + name_ + cap_text(nothing) + std::to_string(failures.not_sent) +
                     " requests were not sent, of which each may cost $" + std::to_string(least) + " or more; $" +
                     std::to_string(spent.usage.cost_usd) +
                     " were spent here, and what was paid for is kept: raise cost.cap_usd to go on");
  }

  std::string cap_text(bool nothing) const {
    if (nothing) return ": the cap on the cost leaves too little for a first request: ";
    const double over = parts_.meter->over_cap_usd();
    if (over == 0.0) return ": the cap on the cost is reached: ";
    return ": the cap on the cost is passed by $" + std::to_string(over) +
           ", as answers cost more than was held for them: ";
  }

  HttpRequest request_of(const Question& question) const {
    HttpRequest request{planner_.url(), protocol_->headers(key_), question.body, question.hash.low,
                        question.likely_input_tokens + options_.max_output_tokens};
    // Servers that know this header answer and bill a request once, however often it comes.
    request.headers.push_back("Idempotency-Key: rlaif-" + to_string(question.hash));
    return request;
  }

  // What a request may cost: at most what was allowed, and as much more as answers have cost above that.
  double held_for(const Question& question) const { return question.worst_usd + excess_usd_; }

  bool admit(const Question& question, Sending& sending) {
    const double held = held_for(question);
    if (!parts_.meter->reserve(held)) return false;
    parts_.answers->note_sent(question.hash, held);
    sending.holds.push_back(held);
    return true;
  }

  void arrived(Question& question, Sending& sending, HttpReply&& reply, Failures& failures) {
    const std::size_t unsettled = std::min(static_cast<std::size_t>(reply.unsettled), sending.holds.size());
    for (std::size_t i = 0; i < unsettled; ++i) parts_.meter->leave_unsettled(name_, sending.holds[i]);
    if (reply.failure == HttpFailure::none) {
      has_worked_ = true;
      keep(question, without_key(std::move(reply.body)), sending.holds.back());
      return;
    }
    if (sending.holds.size() > unsettled) {
      parts_.meter->give_back(sending.holds.back());
      parts_.answers->note_failed(question.hash);
    }
    if (reply.failure == HttpFailure::not_sent) {
      ++failures.not_sent;
      return;
    }
    parts_.meter->count_failure(name_);
    reply.body = without_key(std::move(reply.body));
    question.status = failures.add(reply, {sending.question, question.pair},
                                   {name_, planner_.url(), options_.model, options_.key_variable, has_worked_});
  }

  void keep(Question& question, std::string body, double held_usd) {
    const RemoteReply reply = protocol_->read(body);
    const Usage usage = usage_of(question, reply);
    parts_.answers->store(question.hash, body, usage.cost_usd);
    parts_.meter->settle(name_, held_usd, usage, reply.reasoning_tokens);
    excess_usd_ = std::max(excess_usd_, usage.cost_usd - question.worst_usd);
    if (reply.has_usage) warn_of_output(usage.output_tokens);
    parts_.answers->sync_beside();
    question.reply = std::move(body);
  }

  // Said once: what follows costs as much.
  void warn_of_output(std::int64_t tokens) {
    const std::int64_t allowed = static_cast<std::int64_t>(options_.max_output_tokens) * protocol_->answers_a_request();
    if (tokens <= allowed || is_output_warned_) return;
    is_output_warned_ = true;
    log::warning("judge " + name_ + ": an answer of " + std::to_string(tokens) +
                 " output tokens came where max_output_tokens allow " + std::to_string(allowed) + ": " +
                 protocol_->output_limit_advice() + "; what is held for further answers follows what answers cost");
  }

  // A reply that does not say what it used is taken to have used what it may.
  Usage usage_of(const Question& question, const RemoteReply& reply) const {
    if (!reply.has_usage) return planner_.worst_usage(question);
    Usage usage = reply.usage;
    usage.cost_usd = planner_.request_usd(usage, reply.cache_write_tokens);
    return usage;
  }

  std::string without_key(std::string text) const {
    if (key_.empty()) return text;
    for (std::size_t at = text.find(key_); at != std::string::npos; at = text.find(key_, at))
      text.replace(at, key_.size(), "[key]");
    return text;
  }

  struct OrderReading {
    VerdictStatus status = VerdictStatus::missing;
    double p_shown_first = not_asked;
    std::string text;  // of the first answer
  };

  Verdict verdict_of(const Plan& plan, const Asked& asked) const {
    Verdict verdict;
    verdict.p_first_by_order = {not_asked, not_asked};
    if (!asked.fits) {
      verdict.status = VerdictStatus::truncated;
      return verdict;
    }
    const OrderReading first = read_order(plan, asked.by_order[0], verdict.usage);
    if (options_.orders == Orders::first_only) {
      if (first.status == VerdictStatus::ok)
        fill(verdict, single_order(first.p_shown_first));
      else
        verdict.status = first.status;
    } else {
      const OrderReading second = read_order(plan, asked.by_order[1], verdict.usage);
      if (first.status == VerdictStatus::ok && second.status == VerdictStatus::ok) {
        fill(verdict, combine_orders(first.p_shown_first, 1.0 - second.p_shown_first));
      } else {
        verdict.status = first.status != VerdictStatus::ok ? first.status : second.status;
        verdict.p_first_by_order = {first.p_shown_first, 1.0 - second.p_shown_first};
      }
    }
    if (parts_.style.answer == JudgeStyle::Answer::reasoned) verdict.rationale = first.text;
    return verdict;
  }

  static void fill(Verdict& verdict, const Verdict& reading) {
    verdict.status = reading.status;
    verdict.p_first = reading.p_first;
    verdict.p_first_by_order = reading.p_first_by_order;
  }

  OrderReading read_order(const Plan& plan, const std::vector<std::size_t>& questions, Usage& usage) const {
    OrderReading reading;
    double sum = 0.0;
    int ok = 0, seen = 0;
    const auto count = [&](VerdictStatus status, double p_shown_first) {
      if (seen++ == 0 || reading.status == VerdictStatus::ok) reading.status = status;
      if (status != VerdictStatus::ok) return;
      ++ok;
      sum += p_shown_first;
    };
    for (const std::size_t index : questions) {
      const Question& question = plan.questions[index];
      if (!question.reply) {
        count(question.status, not_asked);
        continue;
      }
      const RemoteReply reply = protocol_->read(*question.reply);
      usage += usage_of(question, reply);
      for (const RemoteAnswer& answer : reply.answers) {
        if (reading.text.empty()) reading.text = answer_after_thoughts(answer.text).text;
        const TokenReading token = read_answer(answer);
        count(token.status, token.p_first);
      }
    }
    if (2 * ok <= options_.samples) {
      if (reading.status == VerdictStatus::ok) reading.status = VerdictStatus::missing;  // fewer answers than asked for
      return reading;
    }
    reading.status = VerdictStatus::ok;
    reading.p_shown_first = sum / ok;
    return reading;
  }

  TokenReading read_answer(const RemoteAnswer& answer) const {
    const bool letter = parts_.style.answer == JudgeStyle::Answer::letter;
    const bool has_tokens = protocol_->asks_log_probs() && !answer.tokens.empty();
    // A label's log-probabilities are whole, whatever was cut off behind it.
    if (answer.status != VerdictStatus::ok && !(answer.is_cut && letter && has_tokens))
      return {answer.status, 0.5, 0.0};
    const ThoughtfulAnswer said = answer_after_thoughts(answer.text);
    // A thought that was cut may stand beside the text, which is empty then.
    if (said.is_thinking || (answer.is_cut && answer.text.empty())) return {VerdictStatus::truncated, 0.5, 0.0};
    const TextReading text = read_verdict(said.text, parts_.style.labels);
    const bool is_tie = text.status == VerdictStatus::ok && text.choice == Choice::tie;
    if (has_tokens && !is_tie) {
      const std::span<const TokenPosition> tokens = tokens_of_answer(answer.tokens, said.text);
      return read_tokens(tokens, parts_.style.labels, letter, options_.least_label_mass);
    }
    if (text.status != VerdictStatus::ok) return {text.status, 0.5, 0.0};
    return {VerdictStatus::ok, is_tie ? 0.5 : text.choice == Choice::shown_first ? 1.0 : 0.0, 1.0};
  }

  std::string name_;
  RemoteOptions options_;
  RemoteParts parts_;
  std::unique_ptr<Protocol> protocol_;
  Planner planner_;
  std::string key_;
  HttpClient client_;
  bool has_worked_ = false, is_output_warned_ = false;
  std::set<std::uint64_t> refused_pairs_;  // since the last answer
  double excess_usd_ = 0.0;                // the most that an answer has cost above what it might
};

// What the vendors' prompt caches take at the least (platform.openai.com, docs.anthropic.com, "prompt caching").
constexpr std::int64_t least_cached_tokens = 1024;

Estimate estimate(const RemoteOptions& options, const RemoteParts& parts, std::span<const Comparison> comparisons,
                  std::int64_t answer_tokens, const Protocol& protocol) {
  const Planner planner("estimate", options, parts, protocol);
  const Plan plan = planner.plan(comparisons);
  std::vector<bool> is_asked(plan.questions.size());
  Estimate estimate;
  for (const Asked& asked : plan.asked) {
    estimate.too_long += !asked.fits;
    for (const auto& order : asked.by_order)
      for (const std::size_t index : order) is_asked[index] = is_asked[index] || asked.fits;
  }
  const std::int64_t constant = planner.likely_constant_tokens();
  const std::int64_t cached = constant >= least_cached_tokens ? constant : 0;
  for (std::size_t i = 0; i < plan.questions.size(); ++i) {
    const Question& question = plan.questions[i];
    if (!is_asked[i]) continue;
    ++estimate.requests;
    if (parts.answers && stored_answer(*parts.answers, protocol, question.hash)) {
      ++estimate.stored;
      continue;
    }
    const bool is_first = estimate.requests - estimate.stored == 1;
    Usage likely;
    likely.input_tokens = question.likely_input_tokens;
    if (!is_first) likely.cached_input_tokens = cached;
    likely.output_tokens = answer_tokens * protocol.answers_a_request();
    likely.cost_usd = planner.request_usd(likely, is_first && protocol.marks_cached() ? cached : 0);
    estimate.likely += likely;
    estimate.worst += planner.worst_usage(question);
    estimate.least_request_usd =
        is_first ? question.worst_usd : std::min(estimate.least_request_usd, question.worst_usd);
  }
  return estimate;
}

}  // namespace

RemoteOptions openai_options() {
  RemoteOptions options;
  options.base_url = "https://api.openai.com/v1";
  options.key_variable = "OPENAI_API_KEY";
  return options;
}

RemoteOptions anthropic_options() {
  RemoteOptions options;
  options.base_url = "https://api.anthropic.com/v1";
  options.key_variable = "ANTHROPIC_API_KEY";
  return options;
}

std::unique_ptr<Judge> make_openai_judge(std::string name, RemoteOptions options, RemoteParts parts) {
  auto protocol = make_openai_protocol(options);
  return std::make_unique<RemoteJudge>(std::move(name), std::move(options), std::move(parts), std::move(protocol));
}

std::unique_ptr<Judge> make_anthropic_judge(std::string name, RemoteOptions options, RemoteParts parts) {
  auto protocol = make_anthropic_protocol(options);
  return std::make_unique<RemoteJudge>(std::move(name), std::move(options), std::move(parts), std::move(protocol));
}

Estimate estimate_openai(const RemoteOptions& options, const RemoteParts& parts,
                         std::span<const Comparison> comparisons, std::int64_t answer_tokens) {
  return estimate(options, parts, comparisons, answer_tokens, *make_openai_protocol(options));
}

Estimate estimate_anthropic(const RemoteOptions& options, const RemoteParts& parts,
                            std::span<const Comparison> comparisons, std::int64_t answer_tokens) {
  return estimate(options, parts, comparisons, answer_tokens, *make_anthropic_protocol(options));
}

}  // namespace rlaif::judge
