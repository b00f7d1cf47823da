#include "reply_values.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/remote/protocol.hpp"

namespace rlaif::remote {
namespace {

class Anthropic final : public Protocol {
 public:
  explicit Anthropic(const ServerOptions& options) : options_(options) {}

  std::string path() const override { return "/messages"; }

  std::vector<std::string> headers(const std::string& key) const override {
    std::vector<std::string> headers{"anthropic-version: 2023-06-01"};
    if (!key.empty()) headers.push_back("x-api-key: " + key);
    return headers;
  }

  int answers_a_request() const override { return 1; }
  std::string output_limit_advice() const override { return "the server does not keep to max_tokens"; }

  Json body(const std::vector<text::Message>& turns, std::uint64_t) const override {
    Json body{{"model", options_.model}, {"max_tokens", options_.max_output_tokens}};
    Json messages = Json::array();
    for (const text::Message& turn : turns) {
      if (turn.role == "system")
        body["system"] = turn.content;
      else
        messages.push_back({{"role", turn.role}, {"content", turn.content}});
    }
    body["messages"] = std::move(messages);
    if (options_.temperature) body["temperature"] = *options_.temperature;
    if (options_.top_p) body["top_p"] = *options_.top_p;
    return body;
  }

  bool marks_cached() const override { return options_.cache_prompt; }

  // A block with the mark ends the part that is cached, and content becomes a list of blocks where it is.
  void mark_cached(Json& body, std::size_t turns) const override {
    if (!options_.cache_prompt || turns == 0) return;
    const auto mark = [](Json& content) {
      content = Json::array({{{"type", "text"}, {"text", content}, {"cache_control", {{"type", "ephemeral"}}}}});
    };
    const std::size_t systems = body.contains("system") ? 1 : 0;
    if (turns == systems) return mark(body["system"]);
    mark(body["messages"][turns - systems - 1]["content"]);
  }

  Reply read(const std::string& body) const override {
    Reply reply;
    const Json json = try_parse_json(body);
    reply.error = json.is_discarded() ? no_answer(body) : error_at_top(json);
    const auto content = json.is_object() ? json.find("content") : json.end();
    const std::string stop = json.is_object() ? text_at(json, "stop_reason") : "";
    const Ending ending = ending_of(stop);
    if (reply.error) return reply;
    if (ending.status == VerdictStatus::missing || content == json.end() || !content->is_array()) {
      reply.error = no_answer(body);
      return reply;
    }
    if (const auto usage = json.find("usage"); usage != json.end() && usage->is_object()) {
      // input_tokens are those that no cache had a part in.
      reply.has_usage = usage->contains("input_tokens");
      reply.usage.cached_input_tokens = count_at(*usage, "cache_read_input_tokens");
      reply.cache_write_tokens = count_at(*usage, "cache_creation_input_tokens");
      reply.usage.input_tokens =
          count_at(*usage, "input_tokens") + reply.cache_write_tokens + reply.usage.cached_input_tokens;
      reply.usage.output_tokens = count_at(*usage, "output_tokens");
    }
    Answer answer;
    for (const Json& part : *content)
      if (part.is_object() && text_at(part, "type") == "text") answer.text += text_at(part, "text");
    answer.is_cut = ending.is_cut;
    answer.status = ending.status;
    if (ending.status == VerdictStatus::ok && stop != "end_turn" && stop != "stop_sequence")
      answer.status = VerdictStatus::unparseable;
    reply.answers.push_back(std::move(answer));
    return reply;
  }

 private:
  ServerOptions options_;
};

}  // namespace

std::unique_ptr<Protocol> make_anthropic_protocol(const ServerOptions& options) {
  return std::make_unique<Anthropic>(options);
}

}  // namespace rlaif::remote
