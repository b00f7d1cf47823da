// What stages made, by checksum: a done marker lists its files, and a file that is not what was written is found before
// anything starts from it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "rlaif/comm/communicator.hpp"
#include "rlaif/core/json.hpp"

namespace rlaif::run {

// [{"file": path below the run directory, "bytes": number, "checksum": XXH3 of the file}] for files and folders of
// `outputs`, relative to `root`; what is not there is left out.
Json list_artefacts(const std::filesystem::path& root, const std::vector<std::filesystem::path>& outputs);

struct Damage {
  std::size_t marker = 0;      // which of the markers
  std::string what;            // "<file>: is damaged: ..."
  bool is_record = false;      // of metrics/: said, and nothing is made again for its sake
  std::filesystem::path file;  // empty where the marker itself is damaged
};
// What is wrong with the files that done markers list (null ones list none). Collective: files are shared out among ranks,
// all ranks get the whole list, in the order of markers and files. A marker that names a file outside of the run directory is
// damaged itself.
std::vector<Damage> find_damage(const comm::Communicator& comm, const std::filesystem::path& root,
                                const std::vector<Json>& markers);

// A word for all that later stages may have read of a stage's files; empty where it has none.
std::string artefact_digest(const Json& marker);

// Commands that open models of a run outside of a study: throws Error(input) naming the file where the tokenizer or a file of
// one of the models, or of the one below their adapters, is not what the markers in `root`/stages list. Collective.
void require_whole_models(const comm::Communicator& comm, const std::filesystem::path& root,
                          std::vector<std::string> models);

}  // namespace rlaif::run
