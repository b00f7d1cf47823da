// The kinds of writers, and the keys of each.
#include <algorithm>
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/study/sampling_keys.hpp"
#include "rlaif/study/server_keys.hpp"
#include "rlaif/study/writer_options.hpp"

namespace rlaif::study {
namespace {

struct WriterKindEntry {
  WriterKind kind;
  const char* name;   // writer.NAME.kind
  const char* about;  // for --help
  void (*bind)(OptionTable& table, const std::string& section, WriterOptions& writer);
};

void bind_local_writer(OptionTable& table, const std::string& section, WriterOptions& o) {
  table.add(
      section + ".model", &o.model, "",
      "a model of the run, a folder that the run's tokenizer fits, or policy: the one whose responses are at hand");
  table.add(section + ".temperature", &o.local.temperature, "", "temperature of sampling; 0: greedy").at_least(0);
  bind_truncation(table, section, o.local.top_k, o.local.top_p);
  table.add(section + ".max_new_tokens", &o.local.max_new_tokens, "tokens", "longest text").at_least(1);
  table.add(section + ".slots", &o.local.slots, "sequences", "sequences decoded together").at_least(1);
}

void bind_remote_writer(OptionTable& table, const std::string& section, WriterOptions& o) {
  table.add(section + ".model", &o.model, "", "the model's name");
  table.add(section + ".price", &o.price, "", "name in the price table");
  bind_address(table, section, "writer", o.remote, o.tokenizer);
  bind_draws(table, section, o.remote);
  table
      .add(section + ".context_tokens", &o.remote.context_tokens, "tokens",
           "longer requests are not sent; 0: the server decides")
      .at_least(0);
  bind_traffic(table, section, o.remote.http);
}

void bind_openai_writer(OptionTable& table, const std::string& section, WriterOptions& o) {
  bind_remote_writer(table, section, o);
  bind_output_limit(table, section, o.remote);
  bind_openai_fields(table, section, o.remote);
}

const std::vector<WriterKindEntry>& writer_kinds() {
  static const std::vector<WriterKindEntry> kinds{
      {WriterKind::local, "local", "a model in this process", bind_local_writer},
      {WriterKind::openai, "openai", "a server that speaks OpenAI's chat completions", bind_openai_writer},
      {WriterKind::anthropic, "anthropic", "a server that speaks Anthropic's messages", bind_remote_writer}};
  return kinds;
}

}  // namespace

std::vector<std::pair<std::string, WriterKind>> writer_kind_names() {
  std::vector<std::pair<std::string, WriterKind>> names;
  for (const WriterKindEntry& entry : writer_kinds()) names.emplace_back(entry.name, entry.kind);
  return names;
}

std::string name_of(WriterKind kind) {
  const auto& kinds = writer_kinds();
  return std::find_if(kinds.begin(), kinds.end(), [&](const WriterKindEntry& entry) { return entry.kind == kind; })
      ->name;
}

WriterKind writer_kind_named(const std::string& key, const std::string& name) {
  return entry_named(writer_kinds(), "kind of writer", key, name).kind;
}

void bind_writer(OptionTable& table, WriterOptions& writer) {
  std::string about;
  for (const WriterKindEntry& entry : writer_kinds()) {
    about += (about.empty() ? "" : "; ") + std::string(entry.name) + ": " + entry.about;
  }
  table.add_choice<WriterKind>(writer.section() + ".kind", &writer.kind, writer_kind_names(), about);
  for (const WriterKindEntry& entry : writer_kinds()) {
    if (entry.kind != writer.kind) continue;
    entry.bind(table, writer.section(), writer);
    table.keys_are_of(writer.section(), std::string("kind = ") + entry.name);
  }
}

void check_writer(const WriterOptions& writer) {
  if (!writer.is_remote()) return;
  const write::RemoteOptions& o = writer.remote;
  check_address(writer.section(), o, writer.model);
  if (o.context_tokens == 0 || o.context_tokens > o.max_output_tokens) return;
  throw usage_error(writer.section() + ".context_tokens: 0 or more than " + writer.section() + ".max_output_tokens (" +
                    std::to_string(o.max_output_tokens) + ") was expected, found " + std::to_string(o.context_tokens) +
                    ": no request fits");
}

const WriterOptions& named_writer(const std::vector<WriterOptions>& writers, const std::string& key,
                                  const std::string& name) {
  std::vector<std::string> names;
  for (const WriterOptions& writer : writers) {
    if (writer.name == name) return writer;
    names.push_back(writer.name);
  }
  if (name.empty()) throw usage_error(key + ": the name of a writer was expected, which has a section [writer.NAME]");
  throw usage_error(key + ": " + unknown_name_message("writer", name, names) + "; a section [writer." + name +
                    "] was expected");
}

}  // namespace rlaif::study
