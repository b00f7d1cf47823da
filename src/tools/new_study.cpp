#include "rlaif/tools/new_study.hpp"

#include <algorithm>
#include <cctype>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/core/option_table.hpp"
#include "rlaif/run/deck_file.hpp"

namespace rlaif::tools {
namespace {

namespace fs = std::filesystem;

using FileNames = std::vector<std::pair<std::string, std::string>>;
const FileNames own_data{{"everyday_train.jsonl", "prompts_train.jsonl"},
                         {"everyday_heldout.jsonl", "prompts_heldout.jsonl"},
                         {"rules_brief.json", "rules.json"}};

// Files under the names that they have in inputs/.
FileNames same_names(const std::vector<std::string>& names, FileNames files = {}) {
  for (const std::string& name : names) files.emplace_back(name, name);
  return files;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// The name stands in the deck's comments, in its run directory and in commands.
std::string name_of(const fs::path& folder) {
  const std::string name = (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  const bool is_plain =
      !name.empty() && name != "." && name != ".." && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
      });
  if (!is_plain)
    throw usage_error("rlaif new: '" + folder.string() +
                      "' was given; a folder whose name is of letters, digits, '-', '_' and '.' was expected");
  return name;
}

}  // namespace

const std::vector<NewTask>& new_tasks() {
  static const std::vector<NewTask> tasks{
      {"compare", "several judges on the same pairs; nothing is trained on them", false,
       same_names({"judge_verdict_first.txt", "judge_rationale_first.txt"})},
      {"rules", "your prompts, and rules that a program can check, on a pretrained model", true, own_data},
      {"hosted", "a hosted judge with a cap on its cost, on a pretrained model", true,
       same_names({"prices.json", "principles.txt", "judge_styles/chain_of_thought_constitution.txt"}, own_data)},
      {"canonical", "RLAIF against RLHF in the closed world", false,
       same_names({"judge_rationale_first.txt", "principles.txt"})},
      {"sweep", "a study for every combination of values, over seeds", false,
       same_names({"judge_rationale_first.txt"})},
  };
  return tasks;
}

std::vector<fs::path> write_new_study(const NewStudy& study) {
  const NewTask& task = entry_named(new_tasks(), "task", "--task", study.task);
  const std::string name = name_of(study.folder);
  if (!study.model.empty() && !task.has_model)
    throw usage_error("--model: the task " + study.task + " starts from no model's folder; none was expected");
  std::string deck = read_file(inputs_folder() / "new" / (study.task + ".cfg"));
  replace_all(deck, "@NAME@", name);
  const std::string model = study.model.empty() ? "model" : fs::absolute(study.model).lexically_normal().string();
  replace_all(deck, "folder = @MODEL@",
              "folder = " + run::deck_value(model) +
                  (study.model.empty() ? "                # put a Hugging Face folder here, or its path" : ""));

  std::vector<std::pair<fs::path, std::string>> files{{study.folder / (name + ".cfg"), std::move(deck)}};
  for (const auto& [from, to] : task.files) files.emplace_back(study.folder / to, read_file(inputs_folder() / from));
  for (const auto& [file, text] : files) {
    if (fs::exists(file))
      throw usage_error("rlaif new: " + file.string() + " is there already; another folder was expected");
  }
  std::vector<fs::path> written;
  for (const auto& [file, text] : files) {
    make_folders(file.parent_path());
    write_file_atomic(file, text);
    written.push_back(file);
  }
  return written;
}

}  // namespace rlaif::tools
