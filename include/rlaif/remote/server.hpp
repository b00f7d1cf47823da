// A server that answers over HTTP: where it is, what it is asked for, how many requests it stands.
//   ServerOptions options = openai_server();
//   options.model = "gpt-4.1-mini";
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "rlaif/remote/http.hpp"

namespace rlaif::remote {

enum class OutputLimit { max_completion_tokens, max_tokens };  // the name of the field

struct ServerOptions {
  std::string base_url;  // up to and without /chat/completions or /messages
  std::string model;
  std::string key_variable;      // name of the environment variable with the key; empty: no key is sent
  int max_output_tokens = 1024;  // reasoning tokens count
  OutputLimit output_limit = OutputLimit::max_completion_tokens;  // openai only
  int top_logprobs = 0;                 // openai only, up to 20 at the vendor, 1000 elsewhere; 0: no log-probabilities
  int samples = 1;                      // answers to a question; 1 with log-probabilities
  bool samples_in_one_request = false;  // openai only: as "n", so that the prompt is paid once
  std::optional<double> temperature, top_p;  // not sent where absent: some models refuse them
  bool send_seed = false;                    // openai only: a "seed" of its own for each request
  std::string reasoning_effort;              // openai only; not sent where empty
  // anthropic only: the constant beginning of the conversation is marked for the server's prompt cache ("cache_control").
  // Not part of a request's hash: an answer is the same with and without.
  bool cache_prompt = true;
  HttpOptions http;
};
ServerOptions openai_server();     // https://api.openai.com/v1, OPENAI_API_KEY
ServerOptions anthropic_server();  // https://api.anthropic.com/v1, ANTHROPIC_API_KEY

// Throws Error(usage) naming `asker` and the option that is out of range.
void check_server(const std::string& asker, const ServerOptions& options);

// Tokens of a text, where a tokenizer of the model is at hand.
using TokenCount = std::function<std::int64_t(const std::string&)>;

}  // namespace rlaif::remote
