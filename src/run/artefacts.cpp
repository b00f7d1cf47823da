#include "rlaif/run/artefacts.hpp"

#include <algorithm>
#include <optional>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/run/stage.hpp"

namespace rlaif::run {
namespace {

namespace fs = std::filesystem;

// Temporary files of writers that were killed are no artefacts, nor are model cards.
bool is_artefact(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  return entry.is_regular_file() && !name.starts_with('.') && name != model_card;
}

struct Listed {
  std::size_t marker = 0;
  fs::path file;  // relative
  std::uint64_t bytes = 0;
  std::string checksum;
};

bool stays_inside(const fs::path& relative) {
  if (relative.empty() || relative.is_absolute()) return false;
  return std::none_of(relative.begin(), relative.end(), [](const fs::path& part) { return part == ".."; });
}

// nullopt where an entry is not of the form or leads elsewhere.
std::optional<std::vector<Listed>> files_of(const Json& marker, std::size_t number) {
  std::vector<Listed> files;
  const auto found = marker.find("files");
  if (!marker.is_object() || found == marker.end()) return files;
  if (!found->is_array()) return std::nullopt;
  for (const Json& entry : *found) {
    if (!entry.is_object()) return std::nullopt;
    const auto file = entry.find("file"), bytes = entry.find("bytes"), sum = entry.find("checksum");
    if (file == entry.end() || !file->is_string() || bytes == entry.end() || !bytes->is_number_unsigned() ||
        sum == entry.end() || !sum->is_string() || !stays_inside(file->get<std::string>())) {
      return std::nullopt;
    }
    files.push_back({number, file->get<std::string>(), bytes->get<std::uint64_t>(), sum->get<std::string>()});
  }
  return files;
}

bool is_record(const fs::path& relative) { return *relative.begin() == "metrics"; }

// Of what a marker lists, the files of these models.
Json marker_for_models(const Json& marker, const std::vector<std::string>& models) {
  Json files = Json::array();
  for (const Listed& listed : files_of(marker, 0).value_or(std::vector<Listed>{})) {
    auto part = listed.file.begin();
    if (part == listed.file.end() || *part++ != "models" || part == listed.file.end()) continue;
    if (std::find(models.begin(), models.end(), *part) == models.end()) continue;
    files.push_back({{"file", listed.file.generic_string()}, {"bytes", listed.bytes}, {"checksum", listed.checksum}});
  }
  return {{"files", files}};
}

// In words what is wrong with a file; empty where it is what was written.
std::string damage_of(const fs::path& root, const Listed& listed) {
  const fs::path file = root / listed.file;
  std::error_code code;
  const std::uint64_t bytes = fs::file_size(file, code);
  if (code == std::errc::no_such_file_or_directory) return file.string() + ": is lost: " + code.message();
  if (code) throw Error(ErrorKind::resource, file.string() + ": " + code.message());
  if (bytes != listed.bytes) {
    return file.string() + ": is damaged: " + std::to_string(bytes) + " bytes instead of " +
           std::to_string(listed.bytes);
  }
  try {
    const std::string found = file_checksum(file);
    if (found == listed.checksum) return "";
    return file.string() + ": is damaged: its checksum is " + found + " instead of " + listed.checksum;
  } catch (const Error& error) {
    throw Error(ErrorKind::resource, error.what());  // it is there: a file system that fails is no damage
  }
}

}  // namespace

Json list_artefacts(const fs::path& root, const std::vector<fs::path>& outputs) {
  std::vector<fs::path> files;
  for (const fs::path& output : outputs) {
    if (fs::is_regular_file(root / output)) files.push_back(output);
    if (!fs::is_directory(root / output)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / output)) {
      if (is_artefact(entry)) files.push_back(entry.path().lexically_relative(root));
    }
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  Json list = Json::array();
  for (const fs::path& file : files) {
    list.push_back({{"file", file.generic_string()},
                    {"bytes", fs::file_size(root / file)},
                    {"checksum", file_checksum(root / file)}});
  }
  return list;
}

std::vector<Damage> find_damage(const comm::Communicator& comm, const fs::path& root,
                                const std::vector<Json>& markers) {
  std::vector<Damage> all;
  std::vector<Listed> files;
  for (std::size_t i = 0; i < markers.size(); ++i) {
    const auto listed = files_of(markers[i], i);
    if (listed)
      files.insert(files.end(), listed->begin(), listed->end());
    else
      all.push_back({i, (root / "stages").string() + ": a done marker lists what are no files of this run", false, {}});
  }
  const auto rank = static_cast<std::size_t>(comm.rank()), ranks = static_cast<std::size_t>(comm.size());
  Json mine = Json::array();
  comm.agree([&] {
    for (std::size_t i = rank; i < files.size(); i += ranks) {
      if (const std::string what = damage_of(root, files[i]); !what.empty()) mine.push_back({i, what});
    }
  });
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const std::string& part : comm.all_gather(mine.dump(-1, ' ', false, Json::error_handler_t::replace))) {
    for (const Json& entry : Json::parse(part))
      found.emplace_back(entry[0].get<std::size_t>(), entry[1].get<std::string>());
  }
  std::sort(found.begin(), found.end());
  for (const auto& [i, what] : found)
    all.push_back({files[i].marker, what, is_record(files[i].file), root / files[i].file});
  return all;
}

std::string artefact_digest(const Json& marker) {
  std::string text;
  for (const Listed& listed : files_of(marker, 0).value_or(std::vector<Listed>{})) {
    if (!is_record(listed.file)) text += listed.file.generic_string() + " " + listed.checksum + "\n";
  }
  return text.empty() ? "" : hex(checksum(text));
}

void require_whole_models(const comm::Communicator& comm, const fs::path& root, std::vector<std::string> models) {
  models.insert(models.end(), {"sft", "tokenizer.json"});
  std::vector<Json> markers;
  std::string text;
  comm.on_root([&] {
    Json all = Json::array();
    std::error_code code;
    for (fs::directory_iterator item(root / "stages", code), end; !code && item != end; item.increment(code)) {
      if (is_artefact(*item)) all.push_back(marker_for_models(try_parse_json(read_file(item->path())), models));
    }
    text = all.dump();
  });
  comm.broadcast(text);
  for (const Json& marker : Json::parse(text)) markers.push_back(marker);
  const std::vector<Damage> all = find_damage(comm, root, markers);
  comm.agree([&] {
    if (!all.empty()) throw input_error(all.front().what + "; `rlaif study` with the run's deck makes it again");
  });
}

}  // namespace rlaif::run
