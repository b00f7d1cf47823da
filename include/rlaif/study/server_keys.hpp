// Keys of a section that describes a server, be it a judge or a writer: each group binds its own.
//   bind_address(table, "writer.big", "writer", options, tokenizer);
//   bind_draws(table, "writer.big", options);
//   bind_traffic(table, "writer.big", options.http);
#pragma once

#include <filesystem>
#include <string>

#include "rlaif/core/option_table.hpp"
#include "rlaif/remote/server.hpp"
#include "rlaif/study/context.hpp"

namespace rlaif::study {

// .tokenizer, .url, .key_variable, .max_output_tokens. `who`: "judge".
void bind_address(OptionTable& table, const std::string& section, const std::string& who,
                  remote::ServerOptions& options, std::filesystem::path& tokenizer);
void bind_draws(OptionTable& table, const std::string& section,
                remote::ServerOptions& options);  // .temperature, .top_p
void bind_traffic(OptionTable& table, const std::string& section, remote::HttpOptions& options);
void bind_output_limit(OptionTable& table, const std::string& section, remote::ServerOptions& options);   // of OpenAI's
void bind_openai_fields(OptionTable& table, const std::string& section, remote::ServerOptions& options);  // likewise

// Throws Error(usage) naming the key: an address that is none, no model.
void check_address(const std::string& section, const remote::ServerOptions& options, const std::string& model);

// The vendor's address and key variable where the deck names no other, and the model.
void complete_server(remote::ServerOptions& options, const remote::ServerOptions& vendor, const std::string& model);
// Limits over all ranks become this rank's share; a stop of the run ends the requests.
void share_limits(remote::HttpOptions& options, const Context& context);
// Counts by the model's own tokenizer; empty where no file is named.
remote::TokenCount token_count(const std::filesystem::path& tokenizer);

}  // namespace rlaif::study
