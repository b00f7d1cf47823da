#include "rlaif/remote/server_words.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "http_limits.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/utf8.hpp"

namespace rlaif::remote {
namespace {

constexpr std::size_t most_words = 4096, most_shown = 300;
constexpr int deepest = 8;

// Where servers put words of their own. What they echo of the request (an "input", a "flagged_input") is no word of
// theirs.
constexpr std::array word_keys = std::to_array<std::string_view>(
    {"message",     "msg",    "code",    "type",       "status",        "error",
     "errors",      "detail", "details", "reason",     "raw",           "metadata",
     "innererror",  "object", "title",   "error_type", "error_message", "errorMessage",
     "description", "cause",  "body",    "choices",    "finish_reason", "native_finish_reason"});

// What a prompt that does not fit is called, by OpenAI, Azure, DeepSeek, OpenRouter and vLLM (maximum context length),
// Anthropic (prompt is too long; exceed context limit), vLLM's later engine (maximum model length), SGLang (model's
// context length), TGI and Together (`inputs` tokens), llama.cpp (exceed_context_size, available context size),
// llama-cpp-python and Groq (context window), Gemini (maximum number of tokens allowed), Mistral (too large for model),
// Bedrock (input is too long), xAI (maximum prompt length), Ollama and LM Studio (context length), Moonshot (model
// token limit), Cerebras (while limit is), DashScope, Zhipu.
constexpr std::array too_long_words = std::to_array<std::string_view>({"context_length",
                                                                       "context length",
                                                                       "context window",
                                                                       "context_window",
                                                                       "context limit",
                                                                       "exceed_context_size",
                                                                       "context size",
                                                                       "context overflow",
                                                                       "maximum model length",
                                                                       "max_model_len",
                                                                       "maximum prompt length",
                                                                       "max_prompt_tokens",
                                                                       "maximum input length",
                                                                       "max input length",
                                                                       "maximum allowed input length",
                                                                       "input length should be",
                                                                       "prompt is too long",
                                                                       "prompt too long",
                                                                       "prompt exceeds",
                                                                       "prompt token count",
                                                                       "input is too long",
                                                                       "input too long",
                                                                       "input length exceeds",
                                                                       "`inputs` tokens",
                                                                       "inputs` must have less than",
                                                                       "input token count",
                                                                       "input tokens exceed",
                                                                       "too many input tokens",
                                                                       "too many tokens",
                                                                       "more than max tokens",
                                                                       "model token limit",
                                                                       "too large for model",
                                                                       "messages is too long",
                                                                       "reduce the length of",
                                                                       "reduce your prompt",
                                                                       "number of tokens allowed",
                                                                       "while limit is",
                                                                       "expected maxlength",
                                                                       "at least 1, got -",
                                                                       "request_too_large",
                                                                       "string too long",
                                                                       "string_above_max_length"});

// What moderation is called, by OpenAI (flagged, usage policy, safety system), Azure (content management policy,
// ResponsibleAIPolicyViolation), Anthropic (content filtering policy), OpenRouter (requires moderation), Gemini
// (safety, PROHIBITED_CONTENT), Bedrock (guardrail intervened), DeepSeek (Content Exists Risk), xAI (usage guidelines),
// Moonshot (high risk), DashScope (inspection failed, inappropriate content), Zhipu (in Chinese).
constexpr std::array filtered_words = std::to_array<std::string_view>({"content_filter",
                                                                       "content filter",
                                                                       "contentfilter",
                                                                       "content_policy",
                                                                       "content policy",
                                                                       "content management",
                                                                       "responsibleaipolicy",
                                                                       "invalid_prompt",
                                                                       "flagged",
                                                                       "moderation",
                                                                       "moderated",
                                                                       "usage policy",
                                                                       "usage policies",
                                                                       "usage guidelines",
                                                                       "usage_policy",
                                                                       "safety system",
                                                                       "safety reasons",
                                                                       "safety filter",
                                                                       "safety check",
                                                                       "safety settings",
                                                                       "prohibited_content",
                                                                       "prohibited content",
                                                                       "content exists risk",
                                                                       "considered high risk",
                                                                       "data_inspection_failed",
                                                                       "datainspectionfailed",
                                                                       "inappropriate content",
                                                                       "harmful content",
                                                                       "unsafe content",
                                                                       "sensitive content",
                                                                       "guardrail_intervened",
                                                                       "blocked by guardrail",
                                                                       "terms of service",
                                                                       "\xE6\x95\x8F\xE6\x84\x9F"});

constexpr std::array money_words =
    std::to_array<std::string_view>({"insufficient_quota", "credit balance is too low", "insufficient balance",
                                     "insufficient_balance", "insufficient credits", "billing_hard_limit"});
constexpr std::array key_words =
    std::to_array<std::string_view>({"invalid_api_key", "incorrect api key", "api key not valid", "api_key_invalid",
                                     "invalid x-api-key", "invalid api key", "authentication_error"});

// What errors without a number are called, and the status that stands for it.
struct NamedStatus {
  std::string_view name;
  int status;
};
constexpr std::array named_statuses = std::to_array<NamedStatus>(
    {{"rate_limit", 429},         {"rate limit", 429},      {"too many requests", 429}, {"toomanyrequests", 429},
     {"resource_exhausted", 429}, {"throttl", 429},         {"overloaded", 529},        {"timeout", 504},
     {"timed out", 504},          {"unavailable", 503},     {"internal", 500},          {"unauthorized", 401},
     {"unauthenticated", 401},    {"permission", 403},      {"forbidden", 403},         {"not_found", 404},
     {"notfound", 404},           {"invalid_request", 400}, {"badrequest", 400},        {"bad_request", 400},
     {"invalid_argument", 400},   {"unsupported", 400}});

template <class Words>
bool holds_any(const std::string& said, const Words& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return said.find(word) != std::string::npos; });
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

void add_words(std::string& said, const Json& value, int depth) {
  if (said.size() > most_words || depth > deepest) return;
  if (value.is_string()) {
    const std::string text = value.get<std::string>();
    // Routers pass on another server's reply as text.
    const Json inner = text.starts_with('{') || text.starts_with('[') ? try_parse_json(text) : Json();
    if (!inner.is_discarded() && inner.is_structured()) return add_words(said, inner, depth + 1);
    said.append(text, 0, most_words).append(" | ");
    return;
  }
  if (value.is_array()) {
    for (const Json& one : value) add_words(said, one, depth + 1);
    return;
  }
  if (!value.is_object()) return;
  for (const auto& [key, one] : value.items()) {
    if (key == "flagged_input") said += "flagged | ";
    if (std::find(word_keys.begin(), word_keys.end(), key) != word_keys.end()) add_words(said, one, depth + 1);
  }
}

std::string one_line(std::string words) {
  for (char& c : words)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  if (words.size() > most_shown) words = words.substr(0, most_shown) + "...";
  return replace_invalid_utf8(words);
}

const Json* find(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? nullptr : &*found;
}

// What a person would read of an error: its message.
std::string message_of(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) return json.empty() ? "" : message_of(json.front());
  for (const char* key : {"error", "message", "msg", "detail", "errors"})
    if (const Json* inner = find(json, key); inner != nullptr && says_something(*inner))
      if (std::string message = message_of(*inner); !message.empty()) return message;
  return "";
}

bool says_filtered(const std::string& said) {
  constexpr std::array rules = std::to_array<std::string_view>({"polic", "guideline", "terms"});
  constexpr std::array deeds = std::to_array<std::string_view>({"block", "reject", "refus"});
  return holds_any(said, filtered_words) || (said.find("violat") != std::string::npos && holds_any(said, rules)) ||
         (said.find("safety") != std::string::npos && holds_any(said, deeds));
}

Complaint complaint_of(int status, const std::string& said) {
  // Limits on tokens a minute pass; a request that is above them by itself does not.
  const bool is_rate =
      status == 429 || said.find("throttl") != std::string::npos || said.find("please wait") != std::string::npos;
  if (status == 402 || holds_any(said, money_words)) return Complaint::no_money;
  if (said.find("request too large") != std::string::npos) return Complaint::too_long;
  if (!is_rate && (status == 413 || holds_any(said, too_long_words))) return Complaint::too_long;
  if (!is_rate && status != 401 && says_filtered(said)) return Complaint::filtered;
  if (status == 401 || holds_any(said, key_words)) return Complaint::wrong_key;
  return Complaint::other;
}

ServerError make_error(int status, const Json& json, const std::string& body) {
  std::string said;
  if (json.is_discarded())
    said = body.substr(0, most_words);
  else
    add_words(said, json, 0);
  ServerError error{status, complaint_of(status, lower(said)), ""};
  const std::string message = json.is_discarded() ? "" : message_of(json);
  error.words = one_line(message.empty() ? (json.is_discarded() ? body : said) : message);
  return error;
}

// A status in the place of a number, or of a number as text.
int status_at(const Json& error) {
  for (const char* key : {"code", "status", "status_code", "http_status"}) {
    const Json* value = find(error, key);
    if (value == nullptr) continue;
    const std::string digits = value->is_string()           ? value->get<std::string>()
                               : value->is_number_integer() ? value->dump()
                                                            : "";
    if (digits.size() == 3 && (digits[0] == '4' || digits[0] == '5') &&
        std::isdigit(static_cast<unsigned char>(digits[1])) != 0 &&
        std::isdigit(static_cast<unsigned char>(digits[2])) != 0)
      return std::stoi(digits);
  }
  return 0;
}

int status_by_name(const std::string& said) {
  for (const auto& [name, status] : named_statuses)
    if (said.find(name) != std::string::npos) return status;
  return 502;
}

}  // namespace

bool ServerError::is_passing() const { return complaint == Complaint::other && is_retried_status(status); }

bool says_something(const Json& value) {
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value != 0;
  return std::any_of(value.begin(), value.end(), [](const Json& one) { return says_something(one); });
}

ServerError read_error(int status, const std::string& body) { return make_error(status, try_parse_json(body), body); }

ServerError error_within(const Json& error) {
  int status = status_at(error);
  if (const Json* inner = find(error, "error"); status == 0 && inner != nullptr) status = status_at(*inner);
  if (status == 0) {
    std::string said;
    add_words(said, error, 0);
    said = lower(std::move(said));
    switch (complaint_of(0, said)) {
      case Complaint::no_money: status = 402; break;
      case Complaint::wrong_key: status = 401; break;
      case Complaint::too_long:
      case Complaint::filtered: status = 400; break;
      case Complaint::other: status = status_by_name(said); break;
    }
  }
  return make_error(status, error, "");
}

std::optional<ServerError> error_at_top(const Json& body) {
  if (body.is_array() && !body.empty()) return error_at_top(body.front());
  if (!body.is_object()) return std::nullopt;
  const Json* error = find(body, "error");
  const auto is_named = [&](const char* key) {
    const Json* value = find(body, key);
    return value != nullptr && value->is_string() && value->get_ref<const std::string&>() == "error";
  };
  if ((error != nullptr && says_something(*error)) || is_named("object") || is_named("type")) return error_within(body);
  return std::nullopt;
}

ServerError no_answer(const std::string& body) {
  const bool is_blank = body.find_first_not_of(" \t\r\n") == std::string::npos;
  return {502, Complaint::other, is_blank ? "an empty reply" : one_line("a reply that is none: " + body)};
}

}  // namespace rlaif::remote
