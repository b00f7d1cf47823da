#include "remote_protocol.hpp"
#include "rlaif/core/json_parse.hpp"

namespace rlaif::judge {
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

// `content` as text, or as parts {"type": "text", "text": ...}.
std::string content_of(const Json& message) {
  const auto content = message.find("content");
  if (content == message.end() || !content->is_array()) return text_at(message, "content");
  std::string text;
  for (const Json& part : *content)
    if (part.is_object()) text += text_at(part, "text");
  return text;
}

RemoteAnswer answer_of(const Json& choice) {
  RemoteAnswer answer;
  const auto message = choice.find("message");
  if (message == choice.end() || !message->is_object()) return {VerdictStatus::unparseable, false, "", {}};
  answer.text = content_of(*message);
  const std::string finish = text_at(choice, "finish_reason");
  const auto log_probs = choice.find("logprobs");
  if (log_probs != choice.end() && log_probs->is_object()) {
    const auto content = log_probs->find("content");
    if (content != log_probs->end() && content->is_array())
      for (const Json& entry : *content)
        if (entry.is_object()) answer.tokens.push_back(position_of(entry));
  }
  answer.is_cut = finish == "length";
  if (!text_at(*message, "refusal").empty())
    answer.status = VerdictStatus::refused;
  else if (finish == "content_filter")
    answer.status = VerdictStatus::filtered;
  else if (answer.is_cut)
    answer.status = VerdictStatus::truncated;
  return answer;
}

class OpenAi final : public Protocol {
 public:
  explicit OpenAi(const RemoteOptions& options) : options_(options) {}

  std::string path() const override { return "/chat/completions"; }

  std::vector<std::string> headers(const std::string& key) const override {
    if (key.empty()) return {};
    return {"Authorization: Bearer " + key};
  }

  int answers_a_request() const override { return options_.samples_in_one_request ? options_.samples : 1; }
  bool asks_log_probs() const override { return options_.top_logprobs > 0; }

  Json body(const std::vector<ChatTurn>& turns, std::uint64_t seed) const override {
    Json body{{"model", options_.model}, {"messages", Json::array()}};
    for (const ChatTurn& turn : turns) body["messages"].push_back({{"role", turn.role}, {"content", turn.content}});
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

  RemoteReply read(const std::string& body) const override {
    RemoteReply reply;
    const Json json = try_parse_json(body);
    if (json.is_discarded() || !json.is_object()) return reply;
    if (const auto usage = json.find("usage"); usage != json.end() && usage->is_object()) {
      reply.has_usage = usage->contains("prompt_tokens");
      reply.usage.input_tokens = count_at(*usage, "prompt_tokens");
      reply.usage.output_tokens = count_at(*usage, "completion_tokens");
      const Json none = Json::object();
      reply.usage.cached_input_tokens = count_at(usage->value("prompt_tokens_details", none), "cached_tokens");
      reply.reasoning_tokens = count_at(usage->value("completion_tokens_details", none), "reasoning_tokens");
    }
    const auto choices = json.find("choices");
    if (choices == json.end() || !choices->is_array()) return reply;
    reply.is_reply = true;
    for (const Json& choice : *choices)
      if (choice.is_object()) reply.answers.push_back(answer_of(choice));
    return reply;
  }

 private:
  RemoteOptions options_;
};

}  // namespace

std::unique_ptr<Protocol> make_openai_protocol(const RemoteOptions& options) { return std::make_unique<OpenAi>(options); }

}  // namespace rlaif::judge
