#include "rlaif/cli/key_help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "rlaif/cli/deck.hpp"
#include "rlaif/cli/help.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/stages/maker.hpp"
#include "rlaif/study/judge_kinds.hpp"

namespace rlaif::cli {
namespace {

const std::string made_up = "of-";  // begins the names of judges, arms and data sets that stand for their kinds

// A study with one judge, arm, round and data set of each kind, so that the table holds every key that there is.
std::unique_ptr<Resolved> study_of_every_kind() {
  auto resolved = std::make_unique<Resolved>();
  study::Study& study = resolved->study;
  for (const study::JudgeKindEntry& kind : study::judge_kinds()) {
    study.judges.labelling.emplace_back();
    study.judges.labelling.back().name = made_up + kind.name;
    study.judges.labelling.back().kind = kind.kind;
  }
  for (const auto& [name, kind] : study::writer_kind_names()) {
    study.writers.push_back({made_up + name});
    study.writers.back().kind = kind;
  }
  for (const stages::MakerEntry& maker : stages::makers()) {
    study.data.push_back({made_up + maker.name});
    study.data.back().maker = maker.name;
  }
  for (const bool is_round : {false, true}) {
    for (const stages::AlgorithmEntry& algorithm : stages::algorithms()) {
      study.arms.push_back({made_up + algorithm.name, "ai", study::first_policy, is_round});
      study.arms.back().algorithm = algorithm.name;
    }
  }
  resolved->stages.judge_models = {{"judge"}, {"NAME"}};
  register_options(*resolved);
  return resolved;
}

// What chooses the kind of a section, and its default; empty where a section has no kinds.
struct Chooser {
  const char* key;
  std::string default_text;
};
Chooser chooser_of(const std::string& section) {
  const std::string head = section.substr(0, section.find('.'));
  if (head == "judge") {
    const study::JudgeOptions judge;
    return {"kind", study::kind_of(judge).name};
  }
  if (head == "writer") return {"kind", study::name_of(study::WriterOptions().kind)};
  if (head == "data") return {"maker", study::DataOptions().maker};
  if (head == "arm" || head == "round") return {"algorithm", study::ArmOptions().algorithm};
  return {"", ""};
}

KnownKey known_key(const OptionTable::Entry& entry) {
  KnownKey known;
  const std::size_t dot = entry.key.rfind('.');
  known.section = entry.key.substr(0, dot);
  known.name = entry.key.substr(dot + 1);
  known.entry = entry;
  known.entry.set = nullptr;  // its fields go with the study that was made up
  const std::size_t name = known.section.find("." + made_up);
  if (name == std::string::npos) return known;
  const std::string kind = known.section.substr(name + 1 + made_up.size());
  known.section = known.section.substr(0, name) + ".NAME";
  const Chooser chooser = chooser_of(known.section);
  known.where = {std::string(chooser.key) + " = " + kind};
  if (known.name == chooser.key) known.entry.default_text = chooser.default_text;
  return known;
}

bool is_same(const KnownKey& a, const KnownKey& b) {
  return a.section == b.section && a.name == b.name && a.entry.default_text == b.entry.default_text &&
         a.entry.meaning == b.entry.meaning && unit_and_range(a.entry) == unit_and_range(b.entry);
}

std::vector<KnownKey> collect_keys() {
  std::vector<KnownKey> keys;
  const auto made = study_of_every_kind();
  for (const OptionTable::Entry& entry : made->table.entries()) {
    KnownKey known = known_key(entry);
    const auto same = std::find_if(keys.begin(), keys.end(), [&](const KnownKey& one) { return is_same(one, known); });
    if (same == keys.end())
      keys.push_back(std::move(known));
    else
      same->where.insert(same->where.end(), known.where.begin(), known.where.end());
  }
  for (KnownKey& key : keys) {
    if (key.name == chooser_of(key.section).key) key.where.clear();
  }
  return keys;
}

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0, end; begin <= text.size(); begin = end + 1) {
    end = std::min(text.find('.', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
  }
  return parts;
}

// "judge.ai.url" is one of judge.NAME.url: a name of the user's stands where the pattern has NAME.
bool matches(const std::string& pattern, const std::string& text) {
  const std::vector<std::string> wanted = parts_of(pattern), given = parts_of(text);
  if (wanted.size() != given.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] != "NAME" && wanted[i] != given[i]) return false;
  }
  return true;
}

std::string joined(const std::vector<std::string>& words, const std::string& last_separator) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? last_separator : ", ") + words[i];
  return text;
}

// "kind = openai or anthropic", of {"kind = openai", "kind = anthropic"}.
std::string where_text(const KnownKey& key) {
  std::vector<std::string> kinds;
  for (const std::string& one : key.where) kinds.push_back(one.substr(one.find("= ") + 2));
  if (kinds.empty()) return "";
  return key.where.front().substr(0, key.where.front().find("= ") + 2) + joined(kinds, " or ");
}

std::string described(const KnownKey& key) {
  const OptionTable::Entry& entry = key.entry;
  std::string text = key.key() + "\n  " + entry.meaning + "\n";
  if (const std::string where = where_text(key); !where.empty())
    text += "  where     [" + key.section + "] has " + where + "\n";
  text += "  default   " + (entry.default_text.empty() ? "(empty)" : entry.default_text) + "\n";
  if (std::string values = unit_and_range(entry); !values.empty())
    text += "  values    " + values.substr(2, values.size() - 3) + "\n";
  if (entry.is_path) text += "  path      relative to the deck that names it; on the command line, to where you are\n";
  if (!entry.base.empty()) text += "  over      " + entry.base + ", whose value it has where it is not set itself\n";
  text += entry.results ? "  decides   results: another value is another run\n"
                        : "  decides   no result: a run may go on under another value\n";
  text += "  deck      [" + key.section + "]\n            " + key.name + " = " + entry.default_text + "\n";
  return text + "  command   --" + key.key() + "=" + (entry.default_text.empty() ? "VALUE" : entry.default_text) + "\n";
}

std::string listed(const std::vector<KnownKey>& keys) {
  std::string text, section;
  for (const KnownKey& key : keys) {
    if (key.section != section) {
      section = key.section;
      text += (text.empty() ? "[" : "\n[") + section + "]  " + section_about(section) + "\n";
    }
    std::string line = "  " + key.name + " (" + key.entry.default_text + ")" + unit_and_range(key.entry);
    text += fmt::format("{:<39} {}", line, key.entry.meaning);
    const std::string where = where_text(key);
    text += (where.empty() ? "" : "  {" + where + "}") + "\n";
  }
  return text;
}

template <class Test>
std::vector<KnownKey> keys_where(const Test& test) {
  std::vector<KnownKey> found;
  std::copy_if(every_key().begin(), every_key().end(), std::back_inserter(found), test);
  return found;
}

// "--ppo.steps=8" and "[ppo]" are asked about as they stand in decks and on command lines.
std::string asked_name(std::string word) {
  if (word.starts_with("--")) word = word.substr(2);
  word = word.substr(0, word.find('='));
  if (word.size() > 2 && word.front() == '[' && word.back() == ']') word = word.substr(1, word.size() - 2);
  while (!word.empty() && word.back() == '.') word.pop_back();
  return word;
}

[[noreturn]] void refuse(const std::string& word) {
  std::vector<std::string> known;
  for (const CommandHelp& command : command_helps()) known.push_back(command.name);
  const bool is_whole = word.find('.') != std::string::npos;
  for (const KnownKey& key : every_key()) {
    known.push_back(key.section);
    known.push_back(is_whole ? key.key() : key.name);
  }
  throw usage_error(unknown_name_message("key, section or command", word, known) +
                    "; `rlaif help` lists the commands, `rlaif study --help` the keys");
}

}  // namespace

const std::vector<KnownKey>& every_key() {
  static const std::vector<KnownKey> keys = collect_keys();
  return keys;
}

std::string key_help(const std::string& asked) {
  const std::string word = asked_name(asked);
  std::vector<KnownKey> found = keys_where([&](const KnownKey& key) { return matches(key.key(), word); });
  if (found.empty()) {  // a section, or all whose names begin so
    found = keys_where(
        [&](const KnownKey& key) { return matches(key.section, word) || key.section.starts_with(word + "."); });
    if (!found.empty()) return listed(found);
    found = keys_where([&](const KnownKey& key) { return key.name == word; });
    if (found.size() > 3) return listed(found) + "\nrlaif help " + found.front().key() + " says more of one\n";
  }
  if (found.empty()) refuse(word);
  std::string text;
  for (const KnownKey& key : found) text += (text.empty() ? "" : "\n") + described(key);
  return text;
}

}  // namespace rlaif::cli
