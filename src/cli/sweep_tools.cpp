#include "rlaif/cli/sweep_tools.hpp"

#include <iostream>

#include "rlaif/cli/file_tools.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/run/run_directory.hpp"
#include "rlaif/stages/study.hpp"
#include "rlaif/tools/sweep.hpp"

namespace rlaif::cli {
namespace {

namespace fs = std::filesystem;

const std::string section = "sweep.";

struct SweepDeck {
  fs::path file;
  tools::SweepOptions sweep;
  run::DeckFile others;  // what the deck has beside [sweep]
  CommandLine line;      // as given, without those of [sweep]
};

// Hands what stands in [sweep] to `take`, and takes it out.
template <class Keys, class Take>
void take_section(Keys& keys, const Take& take) {
  for (auto it = keys.lower_bound(section); it != keys.end() && it->first.starts_with(section);) {
    take(it->first.substr(section.size()), it->second);
    it = keys.erase(it);
  }
}

SweepDeck read_sweep_deck(const CommandLine& line) {
  SweepDeck deck;
  deck.file = word(line, 1, "a deck with a section [sweep]");
  no_more_words(line, 2);
  deck.others = run::read_deck_file(deck.file);
  deck.line = line;
  std::map<std::string, std::string> own;
  take_section(deck.others.values, [&](const std::string& key, const run::DeckValue& value) {
    if (!value.comment.empty() && !value.is_quoted) {  // an axis may hold any text
      throw usage_error(
          deck.file.string() + ":" + std::to_string(value.line) + ": " + section + key +
          ": a line of [sweep] takes no comment after its value; the comment on a line of its own was expected, or the "
          "value in quotation marks where '#' is part of it");
    }
    own[key] = value.text;
  });
  take_section(deck.line.keys,
               [&](const std::string& key, const std::string& text) { own[key] = text; });  // beats the deck
  if (own.empty())
    throw usage_error(deck.file.string() +
                      ": has no section [sweep]; axes (axis.NAME = KEY: VALUE | VALUE) were expected");
  try {
    deck.sweep = tools::read_sweep(deck.file.stem().string(), own);
  } catch (const Error& error) {
    throw usage_error(deck.file.string() + ": " + error.what());
  }
  return deck;
}

// Where cells share stages; empty where they do not.
std::string shared_folder(const SweepDeck& deck) {
  if (const auto found = deck.line.keys.find("run.shared"); found != deck.line.keys.end()) return found->second;
  if (const auto found = deck.others.values.find("run.shared"); found != deck.others.values.end())
    return found->second.text;
  return deck.sweep.share ? (deck.sweep.directory / "shared").string() : "";
}

// What the cell's deck says: the sweep's deck, over it the command line, over that the cell's values; paths whole,
// since it will lie in another folder.
std::map<std::string, std::string> cell_keys(const SweepDeck& deck, const tools::SweepCell& cell,
                                             const Resolved& resolved) {
  std::map<std::string, std::string> keys;
  const std::vector<std::string> sections = named_sections(resolved.study);
  for (const auto& [key, value] : deck.others.values) {
    if (!is_set_aside(deck.others, key, value, sections)) keys[key] = deck_text_of(resolved.table, key, value);
  }
  for (const auto* more : {&deck.line.keys, &cell.keys}) {
    for (const auto& [key, text] : *more) keys[key] = text;
  }
  for (auto& [key, text] : keys) {
    if (const fs::path file = resolved.table.input_file(key); !file.empty())
      text = fs::absolute(file).lexically_normal().string();
  }
  keys["run.directory"] = tools::cell_run(deck.sweep, cell).string();
  if (const std::string shared = shared_folder(deck); !shared.empty()) keys["run.shared"] = shared;
  return keys;
}

std::string deck_text(const SweepDeck& deck, const tools::SweepCell& cell,
                      const std::map<std::string, std::string>& keys) {
  std::string text = "# Cell " + std::to_string(cell.number) + " of the sweep " + deck.sweep.name + ":";
  for (const auto& [axis, label] : cell.values) text += " " + axis + " = " + label + ";";
  text.back() = '.';
  std::map<std::string, std::string> sections;
  for (const auto& [key, value] : keys) {
    const std::size_t dot = key.rfind('.');
    sections[key.substr(0, dot)] += key.substr(dot + 1) + " = " + run::deck_value(value) + "\n";
  }
  for (const auto& [name, lines] : sections) text += "\n\n[" + name + "]\n" + lines.substr(0, lines.size() - 1);
  return text + "\n";
}

// Of a cell that has begun: its run must be of this deck.
void check_begun(const SweepDeck& deck, const tools::SweepCell& cell) {
  const fs::path run = tools::cell_run(deck.sweep, cell);
  if (!fs::exists(run / "run.json")) return;
  const Json json = Json::parse(read_file(run / "run.json"), nullptr, false);
  if (json.is_object() && json.value("deck_hash", "") == cell.deck_hash) return;
  throw input_error(run, "was begun with another deck; another sweep.directory, or the folder removed, was expected");
}

std::string plan_cell(const SweepDeck& deck, tools::SweepCell& cell) {
  try {
    CommandLine line = deck.line;
    line.command = "study";
    for (const auto& [key, text] : cell.keys) line.keys.erase(key);  // an axis beats the command line
    const auto resolved = resolve_keys(deck.others, line, cell.keys);
    stages::describe_plan(resolved->study, resolved->stages, resolved->plan, resolved->deck,
                          cell.ranks > 0 ? cell.ranks : 1);
    cell.deck_hash = resolved->deck.hash();
    check_begun(deck, cell);
    return deck_text(deck, cell, cell_keys(deck, cell, *resolved));
  } catch (const Error& error) {
    throw Error(error.kind(), "cell " + std::to_string(cell.number) + " (" + cell.name + "): " + error.what());
  }
}

void plan(const CommandLine& line) {
  const SweepDeck deck = read_sweep_deck(line);
  const tools::SweepOptions& sweep = deck.sweep;
  std::vector<tools::SweepCell> cells = tools::sweep_cells(sweep);
  std::vector<std::string> texts;
  for (tools::SweepCell& cell : cells) texts.push_back(plan_cell(deck, cell));  // all, before anything is written
  for (std::size_t c = 0; c < cells.size(); ++c) write_file_atomic(tools::cell_deck(sweep, cells[c]), texts[c]);
  tools::write_cells(sweep, cells);

  std::cout << sweep.name << ": " << cells.size() << " cells =";
  for (std::size_t a = 0; a < sweep.axes.size(); ++a)
    std::cout << (a ? " x " : " ") << sweep.axes[a].values.size() << " " << sweep.axes[a].name;
  std::cout << "\ndecks and table: " << (sweep.directory / "decks").string() << ", "
            << (sweep.directory / "cells.tsv").string() << "\n";
  if (const std::string shared = shared_folder(deck); !shared.empty())
    std::cout << "stages that cells agree on are made once, in " << shared << "\n";
  std::cout << "submit:  slurm/submit.sh --sweep " << sweep.directory.string() << "\n"
            << "one:     rlaif study " << tools::cell_deck(sweep, cells.front()).string() << "\n"
            << "collect: rlaif sweep collect " << deck.file.string() << "\n";
}

void collect(const CommandLine& line) {
  const SweepDeck deck = read_sweep_deck(line);
  const tools::SweepOptions& sweep = deck.sweep;
  const Json collected = tools::collect_sweep(sweep, tools::read_cells(sweep.directory));
  const std::string table = tools::sweep_table(sweep, collected);
  const fs::path report = sweep.directory / "report";
  write_file_atomic(report / "sweep.txt", table);
  write_file_atomic(report / "sweep.json", collected.dump(1) + "\n");
  write_file_atomic(report / "sweep.csv", tools::sweep_csv(collected));
  std::cout << table << "\n" << report.string() << ": sweep.txt, sweep.json, sweep.csv\n";
}

}  // namespace

void run_sweep_command(const CommandLine& line) {
  const std::string& what = word(line, 0, "plan or collect");
  if (what == "plan") return plan(line);
  if (what == "collect") return collect(line);
  throw usage_error(unknown_name_message("word", what, {"plan", "collect"}) + "; usage: rlaif sweep plan|collect DECK");
}

}  // namespace rlaif::cli
