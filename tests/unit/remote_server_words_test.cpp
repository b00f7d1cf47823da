#include "rlaif/remote/server_words.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "rlaif/core/json_parse.hpp"
#include "rlaif/remote/protocol.hpp"

namespace rlaif::remote {
namespace {

struct Said {
  int status;
  const char* body;
};

TEST(ServerWords, WhatDoesNotFitIsTooLongInEveryVendorsWords) {
  for (
      const auto& [status, body] : std::vector<Said>{
          {400,
           R"({"error": {"message": "This model's maximum context length is 8192 tokens.", "type": "invalid_request_error", "code": "context_length_exceeded"}})"},
          {400,
           R"({"error": {"message": "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 509178 tokens."}})"},
          {429,
           R"({"error": {"message": "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 35000.", "code": "rate_limit_exceeded"}})"},
          {400,
           R"({"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 209345 tokens > 200000 maximum"}})"},
          {400,
           R"({"error": {"message": "input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000"}})"},
          {413,
           R"({"type": "error", "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}})"},
          {400,
           R"({"object": "error", "message": "This model's maximum context length is 4096 tokens. However, you requested 5000", "code": 400})"},
          {400,
           R"({"error": {"message": "The decoder prompt (length 25938) is longer than the maximum model length of 4096.", "code": 400}})"},
          {400, R"({"object": "error", "message": "max_tokens must be at least 1, got -186.", "code": 400})"},
          {400, R"({"message": "The input (61709 tokens) is longer than the model's context length (40960 tokens)."})"},
          {422,
           R"({"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000", "error_type": "validation"})"},
          {400,
           R"({"error": {"code": 400, "message": "the request exceeds the available context size", "type": "exceed_context_size_error"}})"},
          {500,
           R"({"error": {"message": "Requested tokens (900) exceed context window of 512", "type": "internal_server_error"}})"},
          {400,
           R"([{"error": {"code": 400, "message": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."}}])"},
          {400,
           R"({"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": "{\"error\":{\"message\":\"This endpoint's maximum context length is 32768 tokens\"}}"}}})"},
          {400,
           R"({"object": "error", "message": "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"})"},
          {400, R"({"message": "Input is too long for requested model."})"},
          {400,
           R"({"code": "invalid-argument", "error": "This model's maximum prompt length is 131072 but the request contains 637815 tokens."})"},
          {400, R"({"error": {"message": "the input length exceeds the context length"}})"},
          {413, "<html>413 Request Entity Too Large</html>"}})
    EXPECT_EQ(read_error(status, body).complaint, Complaint::too_long) << body;
}

TEST(ServerWords, WhatModerationTookIsFilteredInEveryVendorsWords) {
  for (
      const auto& [status, body] : std::vector<Said>{
          {400,
           R"({"error": {"message": "The response was filtered", "code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}})"},
          {400,
           R"({"error": {"message": "Invalid prompt: your prompt was flagged as potentially violating our usage policy.", "code": "invalid_prompt"}})"},
          {400,
           R"({"error": {"message": "Your request was rejected as a result of our safety system.", "code": "content_policy_violation"}})"},
          {400,
           R"({"type": "error", "error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"}})"},
          {403,
           R"({"error": {"code": 403, "message": "x requires moderation on OpenRouter.", "metadata": {"reasons": ["violence"], "flagged_input": "..."}}})"},
          {403, R"({"error": {"code": 403, "message": "no", "metadata": {"flagged_input": "..."}}})"},
          {400,
           R"([{"error": {"code": 400, "message": "The prompt was blocked: PROHIBITED_CONTENT", "status": "INVALID_ARGUMENT"}}])"},
          {400, R"({"error": {"message": "Content Exists Risk", "type": "invalid_request_error"}})"},
          {403, R"({"error": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_CSAM"})"},
          {400,
           R"({"error": {"message": "The request was rejected because it was considered high risk", "type": "content_filter"}})"}})
    EXPECT_EQ(read_error(status, body).complaint, Complaint::filtered) << body;
}

TEST(ServerWords, KeysMoneyAndTheRestAreToldApart) {
  EXPECT_EQ(read_error(401, R"({"error": {"message": "No auth credentials found", "code": 401}})").complaint,
            Complaint::wrong_key);
  EXPECT_EQ(read_error(400, R"([{"error": {"message": "API key not valid. Please pass a valid API key."}}])").complaint,
            Complaint::wrong_key);
  EXPECT_EQ(read_error(402, "{}").complaint, Complaint::no_money);
  EXPECT_EQ(read_error(429, R"({"error": {"code": "insufficient_quota"}})").complaint, Complaint::no_money);
  for (const auto& [status, body] : std::vector<Said>{
           {400, R"({"error": {"message": "Unsupported parameter: 'max_tokens'", "code": "unsupported_parameter"}})"},
           {404, R"({"error": {"message": "The model `x` does not exist", "code": "model_not_found"}})"},
           {429, R"({"error": {"message": "Rate limit reached on tokens per min. Too many tokens, please wait"}})"},
           {500, "oops"},
           {422, R"({"detail": [{"msg": "field required", "input": "the maximum context length, content_filter"}]})"}})
    EXPECT_EQ(read_error(status, body).complaint, Complaint::other) << body;
}

TEST(ServerWords, AnErrorInsideAReplyThatIsWellHasTheStatusThatItNames) {
  const auto openai = make_openai_protocol(openai_server()), anthropic = make_anthropic_protocol(anthropic_server());
  const auto status = [&](const std::string& body) {
    const Reply one = openai->read(body), other = anthropic->read(body);
    EXPECT_TRUE(one.answers.empty() && other.answers.empty());
    EXPECT_TRUE(one.error && other.error) << body;
    if (one.error && other.error && body.find("choices\": [") == std::string::npos) {
      EXPECT_EQ(one.error->status, other.error->status) << body;
    }
    return one.error ? one.error->status : 0;
  };
  EXPECT_EQ(status(R"({"choices": null, "error": {"code": 429, "message": "busy"}})"), 429);
  EXPECT_EQ(status(R"({"error": {"code": "503"}})"), 503);
  EXPECT_EQ(status(R"({"error": "Too Many Requests"})"), 429);
  EXPECT_EQ(status(R"({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})"), 529);
  EXPECT_EQ(status(R"({"object": "error", "message": "something else"})"), 502);
  EXPECT_EQ(status(R"({"error": {"message": "maximum context length", "type": "x"}})"), 400);
  EXPECT_EQ(status(R"({"error": {"type": "invalid_request_error", "message": "no such field"}})"), 400);
  EXPECT_EQ(status(R"([{"error": {"code": 400, "message": "x"}}])"), 400);
  EXPECT_EQ(status(R"({"choices": [{"finish_reason": "error", "error": {"code": 502}, "message": {"content": "A"}}]})"),
            502);
  EXPECT_EQ(status(R"({"choices": [{"finish_reason": "abort", "message": {"content": "A"}}]})"), 502);
  for (const char* body : {"", " \n", "<html>A</html>", "{\"choices\": [{\"mess", "{}", "[]", "null", "3",
                           R"({"choices": []})", R"({"choices": [{}]})", R"({"choices": "A"})"})
    EXPECT_EQ(status(body), 502) << body;
}

TEST(ServerWords, AnEmptyErrorBesideAnAnswerIsNone) {
  const auto openai = make_openai_protocol(openai_server());
  for (const char* error : {"null", "\"\"", "{}", R"({"message": "", "code": null, "param": ""})"}) {
    const Reply reply =
        openai->read(std::string(R"({"choices": [{"finish_reason": "stop", "message": {"content": "A"}}], "error": )") +
                     error + "}");
    EXPECT_FALSE(reply.error) << error;
    ASSERT_EQ(reply.answers.size(), 1u);
    EXPECT_EQ(reply.answers[0].text, "A");
  }
}

TEST(ServerWords, WhatEndsAnAnswerIsReadInEveryVendorsWords) {
  const auto openai = make_openai_protocol(openai_server());
  const auto status = [&](const std::string& finish) {
    const Reply reply =
        openai->read(R"({"choices": [{"finish_reason": ")" + finish + R"(", "message": {"role": "assistant"}}]})");
    return reply.answers.empty() ? VerdictStatus::missing : reply.answers[0].status;
  };
  for (const char* finish : {"length", "max_tokens", "MAX_TOKENS", "model_length"})
    EXPECT_EQ(status(finish), VerdictStatus::truncated) << finish;
  for (const char* finish : {"content_filter", "SAFETY", "PROHIBITED_CONTENT", "RECITATION", "guardrail_intervened",
                             "content_filter: SAFETY"})
    EXPECT_EQ(status(finish), VerdictStatus::filtered) << finish;
  EXPECT_EQ(status("refusal"), VerdictStatus::refused);
  for (const char* finish : {"error", "abort", "insufficient_system_resource"})
    EXPECT_EQ(status(finish), VerdictStatus::missing) << finish;
  for (const char* finish : {"stop", "eos_token", "end_turn", "STOP", ""})
    EXPECT_EQ(status(finish), VerdictStatus::ok) << finish;
}

TEST(ServerWords, ThoughtsBesideTheTextAreNoText) {
  const auto openai = make_openai_protocol(openai_server()), anthropic = make_anthropic_protocol(anthropic_server());
  EXPECT_EQ(
      openai
          ->read(
              R"({"choices": [{"message": {"content": "A", "reasoning_content": "B", "reasoning": "B", "thinking": "B"}}]})")
          .answers.at(0)
          .text,
      "A");
  EXPECT_EQ(
      openai
          ->read(
              R"({"choices": [{"message": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "B"}]}, {"type": "reasoning", "text": "B"},
                                                                  {"type": "text", "text": "A"}]}}]})")
          .answers.at(0)
          .text,
      "A");
  EXPECT_EQ(
      anthropic
          ->read(R"({"stop_reason": "end_turn", "content": [{"type": "thinking", "thinking": "B", "signature": "x"},
                               {"type": "redacted_thinking", "data": "B"}, {"type": "text", "text": "A"}]})")
          .answers.at(0)
          .text,
      "A");
}

}  // namespace
}  // namespace rlaif::remote
