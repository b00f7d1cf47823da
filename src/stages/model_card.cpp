#include "rlaif/stages/model_card.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/core/version.hpp"
#include "rlaif/model/adapter_file.hpp"
#include "rlaif/run/deck_file.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/study/judge_kinds.hpp"
#include "tables/tables.hpp"

namespace rlaif::stages {
namespace {

namespace fs = std::filesystem;

struct Carded {
  const Context& context;
  const ResolvedDeck& deck;
  Json results;  // null: not evaluated yet
  const Study& study() const { return context.study; }
};

std::string text_of(const ResolvedDeck& deck, const std::string& key) {
  const auto found =
      std::find_if(deck.entries.begin(), deck.entries.end(), [&](const auto& entry) { return entry.key == key; });
  return found == deck.entries.end() ? "" : found->text;
}

// A file's own name and checksum: where it lay on some machine tells nobody anything.
std::string file_text(const ResolvedDeck& deck, const std::string& key) {
  const std::string path = text_of(deck, key);
  if (path.empty()) return "";
  std::string text = "`" + fs::path(path).filename().string() + "`";
  for (const auto& [of, sum] : deck.inputs)
    if (of == key) text += " (XXH3 " + sum + ")";
  return text;
}

std::string base_name(const Carded& of) {
  const fs::path& folder = of.study().policy.network.folder;
  return folder.empty() ? "" : (folder.has_filename() ? folder : folder.parent_path()).filename().string();
}

std::string base_licence(const Carded& of) {
  const fs::path card = of.study().policy.network.folder / "README.md";
  return base_name(of).empty() || !fs::exists(card) ? "" : licence_in_card(read_file(card));
}

std::string head(const Carded& of, const std::string& name, const std::string& method) {
  const bool is_adapter = model::is_adapter_folder(of.context.directory.model(name));
  std::string text = std::string("---\nlibrary_name: ") + (is_adapter ? "peft" : "transformers") + "\n";
  if (const std::string licence = base_licence(of); !licence.empty()) text += "license: " + licence + "\n";
  return text + "tags:\n- rlaif\n- " + method + "\n---\n";
}

std::string base_rows(const Carded& of) {
  const std::string name = base_name(of), licence = base_licence(of);
  if (name.empty())
    return "| base | none: the study trained it from random weights |\n| licence of the base | none |\n";
  return "| base | `" + name + "` |\n| licence of the base | " +
         (licence.empty() ? "not known: its folder has no card that names one; look it up before you pass this model on"
                          : "`" + licence + "`, as its card says; this model is under it too") +
         " |\n";
}

std::string prompts_rows(const Carded& of) {
  std::string text;
  for (const auto& [key, what] :
       {std::pair("task.train_prompts", "prompts"), std::pair("task.heldout_prompts", "held-out prompts")}) {
    const std::string file = file_text(of.deck, key);
    text += std::string("| ") + what + " | " + (file.empty() ? "of the closed world, or of the recorded pairs" : file) +
            " |\n";
  }
  return text;
}

std::string judge_text(const Carded& of, const std::string& name) {
  const Judges& judges = of.study().judges;
  const bool is_known = std::any_of(judges.labelling.begin(), judges.labelling.end(),
                                    [&](const JudgeOptions& judge) { return judge.name == name; });
  if (!is_known) return "`" + name + "`";
  const JudgeOptions& judge = judges.named(name);
  const JudgeKindEntry& kind = kind_of(judge);
  std::string text = "`" + name + "`, " + kind.name + ": " + kind.about;
  const std::string section = "judge." + name + ".";
  for (const char* key : {"model", "members"})
    if (const std::string said = text_of(of.deck, section + key); !said.empty())
      text += "; " + std::string(key) + " `" + said + "`";
  for (const char* key : {"template", "style", "principles", "rules"})
    if (const std::string file = file_text(of.deck, section + key); !file.empty())
      text += "; " + std::string(key) + " " + file;
  return text;
}

std::string learned_rows(const Carded& of, const ArmOptions& arm) {
  std::string text = "| method | " + arm.algorithm + ": " + algorithm_named(arm.section(), arm.algorithm).about +
                     "; from `" + arm.start + "` |\n";
  if (!arm.data.empty())
    text += "| data | [data." + arm.data + "], by maker " + text_of(of.deck, "data." + arm.data + ".maker") + " |\n";
  const Json row = of.results.is_null() ? Json::object() : of.results["arms"].value(arm.name, Json::object());
  if (!row.contains("labels") && algorithm_of(arm).learns_from() != DataKind::preferences) return text;
  text += "| judge | " + judge_text(of, arm.judge) + " |\n";
  if (row.contains("labels"))
    text += fmt::format("| labels | {:.0f}, for {:.2f} USD |\n", number(row, "labels"), number(row, "cost_usd"));
  return text;
}

std::string sft_rows(const Carded& of) {
  const std::string file = file_text(of.deck, "sft.file");
  return "| method | supervised fine-tuning |\n| data | " +
         (file.empty() ? "demonstrations of the closed world's behaviours" : file) + " |\n";
}

std::string figures(const Carded& of, const std::string& name) {
  const std::string title = "\n## Figures on held-out prompts\n";
  if (of.results.is_null()) return title + "The policy was not evaluated when this was written.\n";
  const Json arm = of.results["arms"].value(name, Json::object());
  std::string rows;
  if (arm.contains("win_rate_vs_sft")) rows += "| wins over sft, % | " + win_text(arm, "win_rate_vs_sft") + " |\n";
  for (const auto& [key, value] : arm.items()) {
    if (!value.is_number() || !arm.contains(key + "_low")) continue;
    rows += fmt::format("| {} | {:.3f} ({:.3f} to {:.3f}) |\n", key, value.get<double>(), number(arm, key + "_low"),
                        number(arm, key + "_high"));
  }
  return title + "| number | value (95 % interval by prompt) |\n|---|---|\n" + rows + "\nThe yardstick is " +
         of.results.value("yardstick", std::string("gold")) +
         ". Figures are of this study's prompts and say nothing about others.\n";
}

// What the deck says of it, without files of the machine.
std::string keys(const Carded& of, const std::vector<std::string>& sections) {
  std::string text, section;
  for (const auto& entry : of.deck.entries) {
    const std::string own = entry.key.substr(0, entry.key.rfind('.')), name = entry.key.substr(own.size() + 1);
    const bool is_file = entry.text.find('/') != std::string::npos;
    if (is_file || std::find(sections.begin(), sections.end(), own) == sections.end()) continue;
    if (own != section) text += (section.empty() ? "[" : "\n[") + own + "]\n";
    section = own;
    text += name + " = " + run::deck_value(entry.text) + "\n";
  }
  return "\n## Keys\n```ini\n" + text + "```\n";
}

std::string card(const Carded& of, const std::string& name, const std::string& method, const std::string& rows,
                 const std::vector<std::string>& sections) {
  const Study& study = of.study();
  return head(of, name, method) + "# " + name + "\n\n" + "Made by rlaif " + version() + ", deck hash " +
         of.deck.hash() + fmt::format(", seed {}.\n\n", study.run.seed) + "| | |\n|---|---|\n" + base_rows(of) + rows +
         prompts_rows(of) + figures(of, name) + keys(of, sections);
}

// Of this deck alone: an earlier report of the same folder is its own.
Json results_of(const RunDirectory& directory) {
  const fs::path file = directory.report("results.json");
  if (!fs::exists(file)) return Json();
  const Json results = try_parse_json(read_file(file));
  return results.is_object() && results.contains("arms") ? results : Json();
}

}  // namespace

std::string licence_in_card(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  if (!std::getline(lines, line) || line != "---") return "";
  while (std::getline(lines, line) && line != "---") {
    if (!line.starts_with("license:")) continue;
    const std::size_t begin = line.find_first_not_of(" \t'\"", 8), end = line.find_last_not_of(" \t\r'\"");
    const std::string licence = begin == std::string::npos ? "" : line.substr(begin, end + 1 - begin);
    const bool is_word = std::all_of(licence.begin(), licence.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
    });
    return is_word ? licence : "";
  }
  return "";
}

void write_model_cards(const Context& context, const ResolvedDeck& deck) {
  context.comm.on_root([&] {
    const Carded of{context, deck, results_of(context.directory)};
    const auto write = [&](const std::string& name, const std::string& text) {
      const fs::path folder = context.directory.model(name);
      if (fs::exists(folder)) write_file_atomic(folder / run::model_card, text);
    };
    write("sft", card(of, "sft", "sft", sft_rows(of), {"sft", "model"}));
    for (const ArmOptions& arm : context.study.arms) {
      const std::string section = algorithm_named(arm.section(), arm.algorithm).section;
      write(arm.name,
            card(of, arm.name, arm.algorithm, learned_rows(of, arm), {section, arm.section(), "reward", "lora"}));
    }
  });
}

}  // namespace rlaif::stages
