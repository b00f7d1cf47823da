#include "reply_values.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/remote/protocol.hpp"

namespace rlaif::remote {
namespace {

TokenPosition position_of(const Json& entry) {
  TokenPosition position{text_at(entry, "token"), {}};
  const auto log_prob = [](const Json& one) {
    const auto found = one.find("logprob");
    return found != one.end() && found->is_number() ? found->get<double>() : -9999.0;
  };
  const auto top = entry.find("top_logprobs");
  bool lists_itself = false;
  if (top != entry.end() && top->is_array()) {
    for (const Json& one : *top) {
      if (!one.is_object()) continue;
      position.top.push_back({text_at(one, "token"), log_prob(one)});
      lists_itself = lists_itself || position.top.back().token == position.token;
    }
  }
  // A token that was drawn from outside the list.
  if (!lists_itself) position.top.push_back({position.token, log_prob(entry)});
  return position;
}

// `content` as text, or as parts {"type": "text", "text": ...}; parts of other types are thoughts, beside the text as
// "reasoning_content" is.
std::string content_of(const Json& message) {
  const auto content = message.find("content");
  if (content == message.end() || !content->is_array()) return text_at(message, "content");
  std::string text;
  for (const Json& part : *content) {
    const std::string type = part.is_object() ? text_at(part, "type") : "";
    if (part.is_object() && (type.empty() || type == "text" || type == "output_text")) text += text_at(part, "text");
  }
  return text;
}

// Nothing where the choice is none: an error in its place, or neither a message nor a word of why there is none.
std::optional<Answer> answer_of(const Json& choice) {
  if (const auto error = choice.find("error"); error != choice.end() && says_something(*error)) return std::nullopt;
  const std::string finish = text_at(choice, "finish_reason");
  const Ending ending = ending_of(finish);
  if (ending.status == VerdictStatus::missing) return std::nullopt;
  const auto message = choice.find("message");
  if (message == choice.end() || !message->is_object()) {
    if (ending.status == VerdictStatus::ok) return std::nullopt;
    return Answer{ending.status, ending.is_cut, "", {}};
  }
  Answer answer;
  answer.text = content_of(*message);
  const auto log_probs = choice.find("logprobs");
  if (log_probs != choice.end() && log_probs->is_object()) {
    const auto content = log_probs->find("content");
    if (content != log_probs->end() && content->is_array())
      for (const Json& entry : *content)
        if (entry.is_object()) answer.tokens.push_back(position_of(entry));
  }
  answer.is_cut = ending.is_cut;
  answer.status = text_at(*message, "refusal").empty() ? ending.status : VerdictStatus::refused;
  return answer;
}

class OpenAi final : public Protocol {
 public:
  explicit OpenAi(const ServerOptions& options) : options_(options) {}

  std::string path() const override { return "/chat/completions"; }

  std::vector<std::string> headers(const std::string& key) const override {
    if (key.empty()) return {};
    return {"Authorization: Bearer " + key};
  }

  int answers_a_request() const override { return options_.samples_in_one_request ? options_.samples : 1; }
  std::string output_limit_advice() const override {
    if (options_.output_limit == OutputLimit::max_tokens) return "the server does not keep to max_tokens";
    return "the server does not keep to max_completion_tokens, which many do not know: try output_limit = max_tokens";
  }
  bool asks_log_probs() const override { return options_.top_logprobs > 0; }

  Json body(const std::vector<text::Message>& turns, std::uint64_t seed) const override {
    Json body{{"model", options_.model}, {"messages", Json::array()}};
    for (const text::Message& turn : turns)
      body["messages"].push_back({{"role", turn.role}, {"content", turn.content}});
    body[options_.output_limit == OutputLimit::max_tokens ? "max_tokens" : "max_completion_tokens"] =
        options_.max_output_tokens;
    if (asks_log_probs()) {
      body["logprobs"] = true;
      body["top_logprobs"] = options_.top_logprobs;
    }
    if (answers_a_request() > 1) body["n"] = answers_a_request();
    if (options_.temperature) body["temperature"] = *options_.temperature;
    if (options_.top_p) body["top_p"] = *options_.top_p;
    if (options_.send_seed) body["seed"] = seed & 0x7fffffff;
    if (!options_.reasoning_effort.empty()) body["reasoning_effort"] = options_.reasoning_effort;
    return body;
  }

  Reply read(const std::string& body) const override {
    Reply reply;
    const Json json = try_parse_json(body);
    reply.error = json.is_discarded() ? no_answer(body) : error_at_top(json);
    if (reply.error) return reply;
    if (!json.is_object()) {
      reply.error = no_answer(body);
      return reply;
    }
    if (const auto usage = json.find("usage"); usage != json.end() && usage->is_object()) {
      reply.has_usage = usage->contains("prompt_tokens");
      reply.usage.input_tokens = count_at(*usage, "prompt_tokens");
      reply.usage.output_tokens = count_at(*usage, "completion_tokens");
      const Json none = Json::object();
      reply.usage.cached_input_tokens = count_at(usage->value("prompt_tokens_details", none), "cached_tokens");
      reply.reasoning_tokens = count_at(usage->value("completion_tokens_details", none), "reasoning_tokens");
    }
    const auto choices = json.find("choices");
    if (choices != json.end() && choices->is_array()) read_choices(*choices, reply);
    if (reply.answers.empty() && !reply.error) reply.error = no_answer(body);
    return reply;
  }

 private:
  // A choice that failed among others is an answer that is missing; where all failed the reply is an error.
  static void read_choices(const Json& choices, Reply& reply) {
    std::vector<Answer> answers;
    bool is_answer = false;
    for (const Json& choice : choices) {
      if (!choice.is_object()) continue;
      std::optional<Answer> answer = answer_of(choice);
      if (!answer && !reply.error) reply.error = error_within(choice);
      is_answer = is_answer || answer.has_value();
      answers.push_back(answer ? std::move(*answer) : Answer{VerdictStatus::missing, false, "", {}});
    }
    if (!is_answer) return;
    reply.error.reset();
    reply.answers = std::move(answers);
  }

  ServerOptions options_;
};

}  // namespace

std::unique_ptr<Protocol> make_openai_protocol(const ServerOptions& options) {
  return std::make_unique<OpenAi>(options);
}

}  // namespace rlaif::remote
