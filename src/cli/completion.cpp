#include "rlaif/cli/completion.hpp"

#include <iostream>
#include <map>
#include <set>

#include "rlaif/cli/file_tools.hpp"
#include "rlaif/cli/help.hpp"
#include "rlaif/cli/key_help.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"

namespace rlaif::cli {
namespace {

// A key as it is typed: [judge.*] stands for all judges until a name takes the star's place.
std::string typed(const KnownKey& key) {
  std::string text = "--" + key.key() + "=";
  if (const std::size_t name = text.find(".NAME."); name != std::string::npos) text.replace(name, 6, ".*.");
  return text;
}

bool reads(const CommandHelp& command, const std::string& section) {
  for (const std::string& one : command.sections) {
    if (one == "*" || section == one || section.starts_with(one + ".")) return true;
  }
  return false;
}

// Values that a key may have, where they are few names.
std::string choices_of(const OptionTable::Entry& entry) {
  if (entry.default_text == "true" || entry.default_text == "false") return "true false";
  std::string names = entry.unit;
  if (names.find('|') == std::string::npos) return "";
  for (char& c : names) {
    if (c == '|') c = ' ';
  }
  return names;
}

std::string quoted(const std::string& text) { return "'" + text + "'"; }  // words of ours hold no quotation marks

// What may stand behind a command: its first word, or what begins with "--".
struct Words {
  std::string commands;
  std::map<std::string, std::string> actions, options;  // by command
  std::map<std::string, std::string> values;            // by key, with its "--"
};

Words collect_words() {
  Words words;
  std::set<std::string> sections;
  for (const KnownKey& key : every_key()) {
    sections.insert(key.section);
    const std::string choices = choices_of(key.entry), name = typed(key).substr(0, typed(key).size() - 1);
    if (!choices.empty()) words.values[name] = choices;
  }
  for (const CommandHelp& command : command_helps()) {
    words.commands += (words.commands.empty() ? "" : " ") + command.name;
    for (const std::string& action : command.actions) words.actions[command.name] += action + " ";
    std::string& options = words.options[command.name];
    options = "--help ";
    for (const Flag& flag : command.flags) options += "--" + flag.name + " ";
    std::set<std::string> seen;
    for (const KnownKey& key : every_key()) {
      if (reads(command, key.section) && seen.insert(typed(key)).second) options += typed(key) + " ";
    }
  }
  words.actions["help"] = words.commands;
  for (const std::string& section : sections) words.actions["help"] += " " + section;
  return words;
}

// Branches of a `case`: in both shells they are written alike.
std::string branches(const std::map<std::string, std::string>& words, const std::string& variable) {
  std::string text;
  for (const auto& [name, list] : words) text += "    " + quoted(name) + ") " + variable + "=" + quoted(list) + " ;;\n";
  return text;
}

std::string bash_script(const Words& words) {
  return "# Completion of rlaif for bash, written by `rlaif completion bash`.\n"
         "_rlaif() {\n"
         "  local line=${COMP_LINE:0:COMP_POINT} word command words= value\n"
         "  word=${line##*[[:space:]]}\n"
         "  command=${COMP_WORDS[1]}\n"
         "  COMPREPLY=()\n"
         "  if ((COMP_CWORD == 1)); then\n"
         "    mapfile -t COMPREPLY < <(compgen -W " +
         quoted(words.commands) +
         " -- \"$word\")\n"
         "    return\n"
         "  fi\n"
         "  if [[ $word == --*=* ]]; then\n"
         "    value=${word#*=}\n"
         "    case ${word%%=*} in\n" +
         branches(words.values, "words") +
         "    esac\n"
         "    if [[ -n $words ]]; then mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$value\")\n"
         "    else mapfile -t COMPREPLY < <(compgen -f -- \"$value\"); fi\n"
         "    # Bash replaces what stands behind '=' where it breaks words there, else the whole word.\n"
         "    [[ $COMP_WORDBREAKS == *=* ]] || COMPREPLY=(\"${COMPREPLY[@]/#/${word%%=*}=}\")\n"
         "    return\n"
         "  fi\n"
         "  if [[ $word == -* ]]; then\n"
         "    case $command in\n" +
         branches(words.options, "words") +
         "    esac\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "    [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null\n"
         "    return\n"
         "  fi\n"
         "  case $command in\n" +
         branches(words.actions, "words") +
         "  esac\n"
         "  if ((COMP_CWORD == 2)) && [[ -n $words ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "  else\n"
         "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
         "    compopt -o filenames 2>/dev/null\n"
         "  fi\n"
         "}\n"
         "complete -F _rlaif rlaif\n";
}

std::string zsh_script(const Words& words) {
  return "#compdef rlaif\n"
         "# Completion of rlaif for zsh, written by `rlaif completion zsh`.\n"
         "_rlaif() {\n"
         "  local word=$PREFIX command=${words[2]} found=\n"
         "  if ((CURRENT == 2)); then\n"
         "    compadd -- ${=:-" +
         words.commands +
         "}\n"
         "    return\n"
         "  fi\n"
         "  if [[ $word == --*=* ]]; then\n"
         "    case ${word%%=*} in\n" +
         branches(words.values, "found") +
         "    esac\n"
         "    compset -P '*='\n"
         "    if [[ -n $found ]]; then compadd -- ${=found}; else _files; fi\n"
         "    return\n"
         "  fi\n"
         "  if [[ $word == -* ]]; then\n"
         "    case $command in\n" +
         branches(words.options, "found") +
         "    esac\n"
         "    compadd -S '' -- ${(M)${=found}:#*=}\n"
         "    compadd -- ${${=found}:#*=}\n"
         "    return\n"
         "  fi\n"
         "  case $command in\n" +
         branches(words.actions, "found") +
         "  esac\n"
         "  if ((CURRENT == 3)) && [[ -n $found ]]; then compadd -- ${=found}; else _files; fi\n"
         "}\n"
         "if [[ $funcstack[1] == _rlaif ]]; then _rlaif \"$@\"; else compdef _rlaif rlaif; fi\n";
}

}  // namespace

void run_completion_command(const CommandLine& line) {
  const std::string& shell = word(line, 0, "bash or zsh");
  no_more_words(line, 1);
  if (shell != "bash" && shell != "zsh") throw usage_error(unknown_name_message("shell", shell, {"bash", "zsh"}));
  const Words words = collect_words();
  std::cout << (shell == "bash" ? bash_script(words) : zsh_script(words));
}

}  // namespace rlaif::cli
