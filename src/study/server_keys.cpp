#include "rlaif/study/server_keys.hpp"

#include <memory>

#include "rlaif/core/error.hpp"
#include "rlaif/text/tokenizer.hpp"

namespace rlaif::study {

void bind_address(OptionTable& table, const std::string& section, const std::string& who, remote::ServerOptions& o,
                  std::filesystem::path& tokenizer) {
  table.add_input(section + ".tokenizer", &tokenizer, "",
                  "tokenizer.json of the " + who +
                      "'s model, to count tokens before asking; empty: a byte a token is held, four are expected");
  table.add(section + ".url", &o.base_url, "", "address before /chat/completions or /messages; empty: the vendor's");
  table.add(section + ".key_variable", &o.key_variable, "",
            "environment variable that holds the key; empty: the vendor's own, none where url is given");
  table.add(section + ".max_output_tokens", &o.max_output_tokens, "tokens", "longest answer, reasoning included")
      .at_least(1);
}

void bind_draws(OptionTable& table, const std::string& section, remote::ServerOptions& o) {
  table.add(section + ".temperature", &o.temperature, "", "temperature of sampling; empty: not sent")
      .at_least(0)
      .at_most(2);
  table.add(section + ".top_p", &o.top_p, "", "share of the probability that sampling draws from; empty: not sent")
      .above(0)
      .at_most(1);
}

void bind_traffic(OptionTable& table, const std::string& section, remote::HttpOptions& o) {
  table.add(section + ".concurrency", &o.concurrency, "requests", "requests in flight, a rank")
      .at_least(1)
      .at_most(4096)
      .no_result();
  table
      .add(section + ".requests_per_minute", &o.requests_per_minute, "requests",
           "requests a minute over all ranks; 0: no limit")
      .at_least(0)
      .no_result();
  table
      .add(section + ".tokens_per_minute", &o.tokens_per_minute, "tokens",
           "tokens a minute over all ranks; 0: no limit")
      .at_least(0)
      .no_result();
  table.add(section + ".max_retries", &o.max_retries, "", "further attempts at one request").at_least(0).no_result();
  table.add(section + ".attempt_seconds", &o.attempt_seconds, "seconds", "longest attempt")
      .above(0)
      .below(1e6)
      .no_result();
  table.add(section + ".total_seconds", &o.total_seconds, "seconds", "longest request with all its attempts")
      .above(0)
      .below(1e6)
      .no_result();
}

void bind_output_limit(OptionTable& table, const std::string& section, remote::ServerOptions& o) {
  table.add_choice<remote::OutputLimit>(section + ".output_limit", &o.output_limit,
                                        {{"max_completion_tokens", remote::OutputLimit::max_completion_tokens},
                                         {"max_tokens", remote::OutputLimit::max_tokens}},
                                        "the field that says how long an answer may be");
}

void bind_openai_fields(OptionTable& table, const std::string& section, remote::ServerOptions& o) {
  table.add(section + ".send_seed", &o.send_seed, "", "send a seed");
  table.add(section + ".reasoning_effort", &o.reasoning_effort, "", "effort asked for; empty: not sent");
}

void check_address(const std::string& section, const remote::ServerOptions& o, const std::string& model) {
  const std::string& url = o.base_url;
  if (!url.empty() && !url.starts_with("http://") && !url.starts_with("https://"))
    throw usage_error(section + ".url: an address that begins with http:// or https:// was expected, found '" + url +
                      "'");
  if (model.empty()) throw usage_error(section + ".model: the name of a model was expected");
}

void complete_server(remote::ServerOptions& o, const remote::ServerOptions& vendor, const std::string& model) {
  if (o.key_variable.empty() && o.base_url.empty()) o.key_variable = vendor.key_variable;
  if (o.base_url.empty()) o.base_url = vendor.base_url;
  o.model = model;
}

void share_limits(remote::HttpOptions& o, const Context& context) {
  o.requests_per_minute /= context.comm.size();
  o.tokens_per_minute /= context.comm.size();
  o.interrupted = context.stop_requested;
}

remote::TokenCount token_count(const std::filesystem::path& tokenizer) {
  if (tokenizer.empty()) return {};
  const auto loaded = std::make_shared<text::Tokenizer>(text::Tokenizer::load(tokenizer));
  return [loaded](const std::string& text) { return static_cast<std::int64_t>(loaded->encode(text).size()); };
}

}  // namespace rlaif::study
