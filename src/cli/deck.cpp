#include "rlaif/cli/deck.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <set>
#include <sstream>

#include "rlaif/cli/help.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/utf8.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/stages/maker.hpp"
#include "rlaif/study/check_options.hpp"
#include "rlaif/study/data_sets.hpp"
#include "rlaif/study/judge_kinds.hpp"
#include "rlaif/study/judge_tree.hpp"
#include "rlaif/study/judges.hpp"
#include "rlaif/study/writers.hpp"

namespace rlaif::cli {
namespace {

namespace po = boost::program_options;

using DeckValues = std::map<std::string, run::DeckValue>;

const std::string* find_text(const std::string& key, const CommandLine& line, const DeckValues& deck) {
  if (const auto found = line.keys.find(key); found != line.keys.end()) return &found->second;
  if (const auto found = deck.find(key); found != deck.end()) return &found->second.text;
  return nullptr;
}

// The price of a judge or writer behind HTTP goes by its model's name, unless the deck names another one.
void default_prices(Resolved& resolved, const CommandLine& line, const DeckValues& deck) {
  for (const study::JudgeOptions* judge : study::judges_and_members(resolved.study.judges)) {
    const std::string key = "judge." + judge->name + ".price";
    if (study::kind_of(*judge).is_remote && !find_text(key, line, deck))
      resolved.table.set(key, {judge->model, Origin::program});
  }
  for (const study::WriterOptions& writer : resolved.study.writers) {
    const std::string key = writer.section() + ".price";
    if (writer.is_remote() && !find_text(key, line, deck)) resolved.table.set(key, {writer.model, Origin::program});
  }
}

study::JudgeOptions judge_called(const std::string& name) {
  study::JudgeOptions judge;
  judge.name = name;
  if (name == "people") {
    judge.kind = study::JudgeKind::annotators;
    judge.price = "human-label";
  }
  return judge;
}

template <class Item>
bool is_named(const std::vector<Item>& items, const std::string& name) {
  return std::any_of(items.begin(), items.end(), [&](const Item& item) { return item.name == name; });
}

// Models of the run that the program names itself.
bool is_own_model(const std::string& name) {
  return name == "sft" || name == "sft-again" || name == "sft-reward" || name == "judge" || name == "policy" ||
         name.starts_with("reward-");
}

// Every key of [arm.*], [round.*], [data.*], [judge.*] and [writer.*] once for each of the sections that these stand for and that
// have it; of what is set for one by name nothing changes. `by_star`: the keys that came so.
template <class Value>
std::map<std::string, Value> spread(const std::map<std::string, Value>& values,
                                    const std::vector<std::string>& sections, std::set<std::string>& by_star) {
  std::map<std::string, Value> spread;
  for (const auto& [key, value] : values) {
    const std::size_t star = key.find(".*.");
    if (star == std::string::npos) {
      spread[key] = value;
      continue;
    }
    bool is_known = false;
    for (const std::string& section : sections) {
      if (section.substr(0, section.find('.')) != key.substr(0, star)) continue;
      is_known = true;
      const std::string own = section + key.substr(star + 2);
      if (values.contains(own)) continue;
      spread[own] = value;
      by_star.insert(own);
    }
    if (!is_known) spread[key] = value;  // to be refused by its name
  }
  return spread;
}

// A name that decides which keys there are, so that it is read before them. nullptr: it is not set.
const std::string* find_name(const std::string& key, const CommandLine& line, const DeckValues& deck) {
  const std::string* text = find_text(key, line, deck);
  if (text && text->find('#') != std::string::npos)
    OptionTable::fail(key, *text, "a name; a comment behind it begins with '#' between white space (\"dpo # why\")");
  return text;
}

// Whether a section beside this key's own has the key: "judge.people.url" is one of judges that are servers.
bool is_key_of_kin(const OptionTable& table, const std::string& key) {
  const std::string head = key.substr(0, key.find('.') + 1), tail = key.substr(key.rfind('.'));
  return std::any_of(table.entries().begin(), table.entries().end(), [&](const OptionTable::Entry& entry) {
    return entry.key.starts_with(head) && entry.key.rfind('.') > head.size() &&
           entry.key.substr(entry.key.rfind('.')) == tail;
  });
}

// The lists of names decide which keys exist, so they are read first.
void name_sections(Resolved& resolved, const CommandLine& line, const DeckValues& deck) {
  study::Study& study = resolved.study;
  const auto names = [&](const std::string& key, const std::string& otherwise) {
    const std::string* text = find_text(key, line, deck);
    return parse_names(key, text ? *text : otherwise);
  };
  const auto refuse = [](const std::string& key, const std::string& name) {
    OptionTable::fail(key, name, "a name that nothing else has");
  };
  for (const std::string& name : names("study.judges", "ai people"))
    study.judges.labelling.push_back(judge_called(name));
  for (const std::string& name : names("study.members", "")) {
    if (is_named(study.judges.labelling, name)) refuse("study.members", name);
    study.judges.members.push_back(judge_called(name));
  }
  const std::vector<std::string> rounds = names("study.rounds", "");
  for (const std::string& name : names("study.arms", rounds.empty() ? "rlaif rlhf" : "")) {
    if (is_own_model(name)) refuse("study.arms", name);
    study.arms.push_back({name, name == "rlhf" ? "people" : "ai"});
  }
  std::string start = study::first_policy;
  for (const std::string& name : rounds) {
    if (is_own_model(name) || is_named(study.arms, name)) refuse("study.rounds", name);
    study.arms.push_back({name, "ai", start, true});
    start = name;
  }
  for (const std::string& name : names("study.judge_models", "judge")) {
    if ((name != "judge" && is_own_model(name)) || is_named(study.arms, name)) refuse("study.judge_models", name);
    resolved.stages.judge_models.push_back({name});
    resolved.stages.judge_models.back().training.training.steps = 1600;
  }
}

// Names of sections [kind.NAME], which are there where one of their keys is.
std::set<std::string> names_of_sections(const std::string& kind, const CommandLine& line, const DeckValues& deck) {
  std::set<std::string> names;
  const std::size_t begin = kind.size() + 1;
  const auto look_at = [&](const std::string& key) {
    const std::size_t end = key.rfind('.');
    if (key.starts_with(kind + ".") && end > begin) names.insert(key.substr(begin, end - begin));
  };
  for (const auto& [key, value] : deck) look_at(key);
  for (const auto& [key, text] : line.keys) look_at(key);
  names.erase("*");
  for (const std::string& name : names) parse_names(kind + "." + name, name);
  return names;
}

void choose_makers(std::vector<study::DataOptions>& all, const CommandLine& line, const DeckValues& deck) {
  for (study::DataOptions& data : all) {
    const std::string key = data.section() + ".maker";
    if (const std::string* text = find_name(key, line, deck)) data.maker = *text;
    stages::maker_named(key, data.maker);
  }
}

// A judge's kind decides which keys its section has.
void choose_kinds(study::Judges& all, const CommandLine& line, const DeckValues& deck) {
  for (auto* judges : {&all.labelling, &all.members}) {
    for (study::JudgeOptions& judge : *judges) {
      const std::string key = "judge." + judge.name + ".kind";
      if (const std::string* text = find_text(key, line, deck)) judge.kind = study::judge_kind_named(key, *text).kind;
    }
  }
}

// A writer's kind decides which keys its section has.
void choose_writer_kinds(std::vector<study::WriterOptions>& all, const CommandLine& line, const DeckValues& deck) {
  for (study::WriterOptions& writer : all) {
    const std::string key = writer.section() + ".kind";
    if (const std::string* text = find_name(key, line, deck)) writer.kind = study::writer_kind_named(key, *text);
    if (writer.is_remote()) writer.model.clear();  // whose it is has no meaning there
  }
}

// An arm's algorithm decides which keys its section has.
void choose_algorithms(std::vector<study::ArmOptions>& arms, const CommandLine& line, const DeckValues& deck) {
  for (study::ArmOptions& arm : arms) {
    const std::string key = arm.section() + ".algorithm";
    if (const std::string* text = find_name(key, line, deck)) arm.algorithm = *text;
    stages::algorithm_named(key, arm.algorithm);
  }
}

}  // namespace

std::string CommandLine::flag_or(const std::string& name, const std::string& otherwise) const {
  const auto found = flags.find(name);
  return found == flags.end() ? otherwise : found->second;
}

double CommandLine::number_or(const std::string& name, double otherwise, double least) const {
  const auto found = flags.find(name);
  if (found == flags.end()) return otherwise;
  const std::string& text = found->second;
  double value = 0.0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || !std::isfinite(value) || value < least) {
    OptionTable::fail("--" + name, text, "a number of at least " + std::to_string(static_cast<long long>(least)));
  }
  return value;
}

CommandLine parse_command_line(int argc, const char* const* argv) {
  po::options_description flags;
  flags.add_options()("help,h", "")("version", "")("word", po::value<std::vector<std::string>>());
  const std::vector<Flag> declared = all_flags();
  for (const Flag& flag : declared) {
    if (flag.value.empty())
      flags.add_options()(flag.name.c_str(), "");
    else
      flags.add_options()(flag.name.c_str(), po::value<std::string>(), "");
  }
  po::positional_options_description positions;
  positions.add("word", -1);
  CommandLine line;
  // Keys and their values are taken as they stand; of a key that comes twice the last one holds.
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::size_t equals = argument.find('=');
    if (argument.starts_with("--") && equals != std::string::npos && argument.find('.') < equals) {
      const std::string key = argument.substr(2, equals - 2), text = argument.substr(equals + 1);
      if (!is_valid_utf8(text) || text.find('\0') != std::string::npos)
        throw usage_error("--" + key + ": a value in UTF-8 was expected");
      line.keys[key] = text;
    } else {
      arguments.push_back(argument);
    }
  }
  try {
    const po::parsed_options parsed =
        po::command_line_parser(arguments)
            .options(flags)
            .positional(positions)
            .style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing)
            .allow_unregistered()
            .run();
    for (const po::option& option : parsed.options) {
      if (option.string_key == "help") {
        line.help = true;
      } else if (option.string_key == "version") {
        line.version = true;
      } else if (std::any_of(declared.begin(), declared.end(),
                             [&](const Flag& flag) { return flag.name == option.string_key; })) {
        line.flags[option.string_key] = option.value.empty() ? "" : option.value.at(0);
      } else if (option.string_key == "word" || option.position_key >= 0) {
        for (const std::string& word : option.value) line.words.push_back(word);
      } else if (option.string_key.find('.') != std::string::npos) {
        if (option.value.size() != 1)
          throw usage_error("--" + option.string_key + ": '=value' was expected after the key");
        line.keys[option.string_key] = option.value[0];
      } else {
        throw usage_error("unknown option '" + option.original_tokens.at(0) +
                          "': --section.key=value, --help, --dry-run or --version was expected");
      }
    }
  } catch (const po::error& error) {
    throw usage_error(std::string("command line: ") + error.what());
  }
  if (!line.words.empty()) {
    line.command = line.words.front();
    line.words.erase(line.words.begin());
  }
  line.dry_run = line.flags.contains("dry-run");
  return line;
}

std::vector<std::string> parse_names(const std::string& key, const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> names;
  for (std::string name; stream >> name;) {
    const bool plain =
        std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; });
    if (!plain) OptionTable::fail(key, name, "a name of letters, digits, '-' and '_'");
    if (std::find(names.begin(), names.end(), name) != names.end()) OptionTable::fail(key, name, "each name once");
    names.push_back(name);
  }
  return names;
}

std::vector<std::string> named_sections(const study::Study& study) {
  std::vector<std::string> sections;
  for (const study::ArmOptions& arm : study.arms) sections.push_back(arm.section());
  for (const study::DataOptions& data : study.data) sections.push_back(data.section());
  for (const study::JudgeOptions* judge : study::judges_and_members(study.judges))
    sections.push_back("judge." + judge->name);
  for (const study::WriterOptions& writer : study.writers) sections.push_back(writer.section());
  return sections;
}

bool is_set_aside(const run::DeckFile& deck, const std::string& key, const run::DeckValue& value,
                  const std::vector<std::string>& sections) {
  const bool is_included = !value.file.empty() && value.file != deck.file;
  const std::size_t name = key.find('.') + 1, end = key.find('.', name);
  static const std::set<std::string> kinds{"arm", "round", "data", "judge", "writer"};
  if (!is_included || end == std::string::npos || !kinds.contains(key.substr(0, key.find('.')))) return false;
  return key.substr(name, end - name) != "*" &&
         std::find(sections.begin(), sections.end(), key.substr(0, end)) == sections.end();
}

std::string deck_text_of(const OptionTable& table, const std::string& key, const run::DeckValue& value) {
  const OptionTable::Entry* entry = table.find(key);
  if (value.is_quoted || entry == nullptr) return value.text;
  if (entry->kind == OptionTable::Kind::prose && !value.comment.empty()) {
    OptionTable::fail(
        key, value.text + " " + value.comment,
        "a text in quotation marks (\"...\") where '#' is part of it, or the comment on a line of its own");
  }
  if (entry->kind != OptionTable::Kind::number) return value.text;
  const std::size_t mark = value.text.find('#');
  if (mark == std::string::npos || (mark > 0 && value.text[mark - 1] != ' ' && value.text[mark - 1] != '\t'))
    return value.text;
  const std::size_t end = value.text.find_last_not_of(" \t", mark == 0 ? std::string::npos : mark - 1);
  return mark == 0 || end == std::string::npos ? std::string() : value.text.substr(0, end + 1);
}

std::unique_ptr<Resolved> resolve(const std::filesystem::path& deck_file, const CommandLine& line) {
  run::DeckFile deck;
  if (!deck_file.empty()) deck = run::read_deck_file(deck_file);
  const auto swept = deck.values.lower_bound("sweep.");
  if (swept != deck.values.end() && swept->first.starts_with("sweep.")) {
    throw usage_error(deck_file.string() + ": has a section [sweep]; `rlaif sweep plan` makes the decks of its cells");
  }
  return resolve_keys(deck, line);
}

std::unique_ptr<Resolved> resolve_keys(const run::DeckFile& deck, const CommandLine& as_given,
                                       const std::map<std::string, std::string>& over) {
  DeckValues values = deck.values;
  for (const auto& [key, text] : over) values[key] = {text, 0, "", true};
  auto resolved = std::make_unique<Resolved>();
  study::Study& study = resolved->study;
  if (!deck.file.empty()) {
    study.name = deck.file.stem().string();
    resolved->table.set_deck_folder(deck.file.parent_path());
  }
  study.run.directory = std::filesystem::path("runs") / study.name;

  name_sections(*resolved, as_given, values);
  for (const std::string& name : names_of_sections("data", as_given, values)) study.data.push_back({name});
  for (const std::string& name : names_of_sections("writer", as_given, values)) study.writers.push_back({name});
  const std::vector<std::string> sections = named_sections(study);
  std::set<std::string> by_star;
  values = spread(values, sections, by_star);
  CommandLine line = as_given;
  line.keys = spread(line.keys, sections, by_star);
  choose_kinds(study.judges, line, values);
  choose_algorithms(study.arms, line, values);
  choose_makers(study.data, line, values);
  choose_writer_kinds(study.writers, line, values);
  register_options(*resolved);
  const auto is_of_others = [&](const std::string& key) {
    return by_star.contains(key) && !resolved->table.has(key) && is_key_of_kin(resolved->table, key);
  };

  for (const auto& [key, value] : values) {
    if (is_of_others(key) || is_set_aside(deck, key, value, sections)) continue;
    try {
      resolved->table.set_deck_folder((value.file.empty() ? deck.file : value.file).parent_path());
      resolved->table.set(key, {deck_text_of(resolved->table, key, value), Origin::deck});
    } catch (const Error& error) {
      const std::string place = value.line > 0 ? ":" + std::to_string(value.line) : "";
      const std::filesystem::path& file = value.file.empty() ? deck.file : value.file;
      throw usage_error(file.string() + place + ": " + error.what());
    }
  }
  for (const auto& [key, text] : line.keys) {
    if (!is_of_others(key)) resolved->table.set(key, {text, Origin::command_line});
  }
  resolved->table.inherit();
  default_prices(*resolved, line, values);
  // Files that calibration is to write need not be there; what is missing else, its reader says.
  const bool calibrates = line.command == "calibrate";
  resolved->deck = resolved->table.resolve(line.dry_run || calibrates);
  study::check_study(study);
  stages::check_stages(study, resolved->stages);
  tools::check_calibrate(resolved->calibrate);
  study::check_arms(study);
  study::check_judges(study.judges, calibrates ? study::CalibrationFiles::ignore : study::CalibrationFiles::read);
  study::check_writers(study);
  stages::check_recorded(study);
  for (const study::DataOptions& data : study.data) data.how->check(study, data);
  for (const study::ArmOptions& arm : study.arms) {
    stages::check_data(study, arm);
    stages::algorithm_of(arm).check(study, arm);
  }
  stages::check_compare(study, resolved->stages.compare, resolved->stages.evaluate);
  stages::check_rounds(study, resolved->stages.rounds);
  return resolved;
}

}  // namespace rlaif::cli
