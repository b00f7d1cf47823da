// Who writes texts in a study: sections [writer.NAME].
//   named_writer(study.writers, "data.revised.writer", "big").kind;
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/core/option_table.hpp"
#include "rlaif/write/writer.hpp"

namespace rlaif::study {

enum class WriterKind { local, openai, anthropic };

// A section [writer.NAME]. Each kind binds those of the fields that it has use for.
struct WriterOptions {
  std::string name;
  WriterKind kind = WriterKind::local;
  std::string model =
      "policy";            // local: models/<model> of the run or a folder; policy: the one whose responses are at hand
  std::string price = {};  // of a server
  std::filesystem::path tokenizer = {};  // of a server's model; empty: bytes are counted
  write::RemoteOptions remote = {};
  write::LocalOptions local = {};
  std::string section() const { return "writer." + name; }
  bool is_remote() const { return kind != WriterKind::local; }
};

// All kinds, by the names that decks have for them.
std::vector<std::pair<std::string, WriterKind>> writer_kind_names();
std::string name_of(WriterKind kind);
// Throws Error(usage) naming `key` and the nearest kind.
WriterKind writer_kind_named(const std::string& key, const std::string& name);
// The keys of [writer.NAME]: `kind`, and those of the writer's kind.
void bind_writer(OptionTable& table, WriterOptions& writer);
// What the deck says of a writer that cannot be. Throws Error(usage) naming the key.
void check_writer(const WriterOptions& writer);
// Throws Error(usage) naming `key` and the nearest writer.
const WriterOptions& named_writer(const std::vector<WriterOptions>& writers, const std::string& key,
                                  const std::string& name);

}  // namespace rlaif::study
