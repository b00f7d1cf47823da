#include "rlaif/remote/server.hpp"

#include "rlaif/core/error.hpp"

namespace rlaif::remote {

ServerOptions openai_server() {
  ServerOptions options;
  options.base_url = "https://api.openai.com/v1";
  options.key_variable = "OPENAI_API_KEY";
  return options;
}

ServerOptions anthropic_server() {
  ServerOptions options;
  options.base_url = "https://api.anthropic.com/v1";
  options.key_variable = "ANTHROPIC_API_KEY";
  return options;
}

void check_server(const std::string& asker, const ServerOptions& o) {
  const auto refuse = [&](const std::string& message) { throw usage_error(asker + ": " + message); };
  if (!o.base_url.starts_with("http://") && !o.base_url.starts_with("https://"))
    refuse("base_url: expected an address that begins with http:// or https://, not '" + o.base_url + "'");
  if (o.base_url.find('@') != std::string::npos) refuse("base_url: expected an address without user and password");
  if (o.model.empty()) refuse("model: expected the name of a model");
  if (o.max_output_tokens < 1)
    refuse("max_output_tokens must be at least 1, not " + std::to_string(o.max_output_tokens));
  // The vendor's limit; servers of other people give as many as they are asked for.
  const int most = o.base_url.starts_with(openai_server().base_url) ? 20 : 1000;
  if (o.top_logprobs < 0 || o.top_logprobs > most) {
    refuse("top_logprobs must be 0 to " + std::to_string(most) + " at " + o.base_url + ", not " +
           std::to_string(o.top_logprobs));
  }
  if (o.samples < 1 || o.samples > 128) refuse("samples must be 1 to 128, not " + std::to_string(o.samples));
  if (o.top_logprobs > 0 && o.samples > 1) refuse("samples must be 1 where log-probabilities are asked for");
  if (o.temperature && !(*o.temperature >= 0.0 && *o.temperature <= 2.0)) refuse("temperature must be in [0, 2]");
  if (o.top_p && !(*o.top_p > 0.0 && *o.top_p <= 1.0)) refuse("top_p must be in (0, 1]");
}

}  // namespace rlaif::remote
