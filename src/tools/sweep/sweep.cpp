#include "rlaif/tools/sweep.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <set>
#include <sstream>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/text/blanks.hpp"

namespace rlaif::tools {
namespace {

namespace fs = std::filesystem;

using text::trimmed;

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(trimmed(part));
  if (!text.empty() && text.back() == at) parts.emplace_back();
  return parts;
}

bool is_plain(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

// What a folder may be called: of a path its last part, without an ending.
std::string plain_label(const std::string& text) {
  std::string label = text.find('/') == std::string::npos ? text : fs::path(text).stem().string();
  std::replace_if(label.begin(), label.end(), [](unsigned char c) { return !std::isalnum(c) && c != '.'; }, '-');
  return label.empty() || label == "." || label == ".." ? "none" : label;
}

[[noreturn]] void fail_axis(const std::string& name, const std::string& what) {
  throw usage_error("sweep.axis." + name + ": " + what + "; KEY[, KEY]: [LABEL =] VALUE[, VALUE] | ... was expected");
}

SweepValue parse_value(const SweepAxis& axis, const std::string& text) {
  SweepValue value;
  std::string rest = text;
  if (const std::size_t equals = text.find('=');
      equals != std::string::npos && is_plain(trimmed(text.substr(0, equals)))) {
    value.label = trimmed(text.substr(0, equals));
    rest = trimmed(text.substr(equals + 1));
  }
  if (axis.keys.size() == 1)
    value.texts = {rest};
  else
    value.texts = split(rest, ',');
  if (value.texts.size() != axis.keys.size()) {
    fail_axis(axis.name, "'" + text + "' has " + std::to_string(value.texts.size()) + " values for " +
                             std::to_string(axis.keys.size()) + " keys");
  }
  if (value.label.empty()) value.label = plain_label(value.texts.front());
  return value;
}

int whole_number(const std::string& key, const std::string& text, int least) {
  int value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || value < least) {
    throw usage_error(key + ": '" + text + "' was given, a whole number of at least " + std::to_string(least) +
                      " was expected");
  }
  return value;
}

SweepAxis seeds_axis(const std::string& text) {
  SweepAxis axis{seed_axis, {"run.seed"}, {}};
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const std::string seed = std::to_string(whole_number("sweep.seeds", word, 0));
    for (const SweepValue& before : axis.values) {
      if (before.label == seed) throw usage_error("sweep.seeds: " + seed + " stands twice; each once was expected");
    }
    axis.values.push_back({seed, {seed}});
  }
  if (axis.values.empty()) throw usage_error("sweep.seeds: at least one number was expected");
  return axis;
}

bool has_ranks(const SweepOptions& sweep) {
  return std::any_of(sweep.axes.begin(), sweep.axes.end(), [](const SweepAxis& axis) {
    return std::find(axis.keys.begin(), axis.keys.end(), ranks_key) != axis.keys.end();
  });
}

void check_axes(const SweepOptions& sweep) {
  std::map<std::string, std::string> set_by;
  for (const SweepAxis& axis : sweep.axes) {
    for (const std::string& key : axis.keys) {
      if (key == "run.directory" || key == "run.shared" || (key == "run.seed" && axis.name != seed_axis)) {
        fail_axis(axis.name, "the sweep itself sets " + key + (key == "run.seed" ? " (sweep.seeds)" : ""));
      }
      if (const auto [found, fresh] = set_by.emplace(key, axis.name); !fresh) {
        fail_axis(axis.name, "sets " + key + ", as axis " + found->second + " does");
      }
    }
  }
}

std::string cell_name(const std::vector<std::pair<std::string, std::string>>& values) {
  constexpr std::size_t longest = 160;  // file systems allow 255, with an ending
  std::string name;
  for (const auto& [axis, label] : values) {
    name += name.empty() ? "" : "_";
    name += axis + "-" + label;
  }
  if (name.size() > longest) name = name.substr(0, longest) + "-" + hex(checksum(name));
  return name;
}

}  // namespace

SweepAxis parse_axis(const std::string& name, const std::string& text) {
  SweepAxis axis{name, {}, {}};
  if (!is_plain(name) || name == seed_axis) {
    fail_axis(name, "a name of letters, digits, '-', '_' and '.' other than 'seed' (sweep.seeds) was expected");
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) fail_axis(name, "there is no ':' after the keys");
  axis.keys = split(text.substr(0, colon), ',');
  for (const std::string& key : axis.keys) {
    if (!is_plain(key) || (key.find('.') == std::string::npos && key != ranks_key))
      fail_axis(name, "'" + key + "' is no key");
  }
  if (axis.keys.empty()) fail_axis(name, "there is no key");
  for (const std::string& value : split(text.substr(colon + 1), '|')) axis.values.push_back(parse_value(axis, value));
  if (axis.values.empty()) fail_axis(name, "there is no value");
  std::set<std::string> labels;
  for (const SweepValue& value : axis.values) {
    if (!labels.insert(value.label).second)
      fail_axis(name, "two values are called '" + value.label + "'; labels tell them apart");
  }
  return axis;
}

SweepOptions read_sweep(const std::string& deck_name, const std::map<std::string, std::string>& keys) {
  SweepOptions sweep;
  sweep.name = deck_name;
  sweep.directory = fs::path("runs") / deck_name;
  for (const auto& [key, text] : keys) {
    if (key == "directory") {
      sweep.directory = text;
    } else if (key == "share") {
      if (text != "true" && text != "false")
        throw usage_error("sweep.share: '" + text + "' was given, true or false was expected");
      sweep.share = text == "true";
    } else if (key == "columns") {
      std::istringstream words(text);
      for (std::string word; words >> word;) sweep.columns.push_back(word);
    } else if (key.starts_with("axis.")) {
      sweep.axes.push_back(parse_axis(key.substr(5), text));
    } else if (key != "seeds") {
      throw usage_error(
          unknown_name_message("key", "sweep." + key,
                               {"sweep.directory", "sweep.seeds", "sweep.share", "sweep.columns", "sweep.axis.NAME"}));
    }
  }
  if (const auto seeds = keys.find("seeds"); seeds != keys.end()) sweep.axes.push_back(seeds_axis(seeds->second));
  if (sweep.axes.empty())
    throw usage_error("[sweep]: at least one axis (axis.NAME = KEY: VALUE | VALUE) or seeds was expected");
  if (sweep.directory.empty()) throw usage_error("sweep.directory: a folder was expected");
  check_axes(sweep);
  if (has_ranks(sweep)) sweep.share = false;
  return sweep;
}

std::vector<SweepCell> sweep_cells(const SweepOptions& sweep) {
  constexpr std::size_t most = 100000;
  std::size_t count = 1;
  for (const SweepAxis& axis : sweep.axes) {
    count *= axis.values.size();
    if (count > most) throw usage_error("the axes have more than " + std::to_string(most) + " combinations");
  }
  std::vector<SweepCell> cells(count);
  for (std::size_t number = 0; number < count; ++number) {
    SweepCell& cell = cells[number];
    cell.number = static_cast<int>(number);
    std::size_t rest = number, period = count;
    for (const SweepAxis& axis : sweep.axes) {
      period /= axis.values.size();
      const SweepValue& value = axis.values[rest / period];
      rest %= period;
      cell.values.emplace_back(axis.name, value.label);
      for (std::size_t k = 0; k < axis.keys.size(); ++k) {
        if (axis.keys[k] == ranks_key)
          cell.ranks = whole_number("sweep.axis." + axis.name, value.texts[k], 1);
        else
          cell.keys[axis.keys[k]] = value.texts[k];
      }
    }
    cell.name = cell_name(cell.values);
  }
  return cells;
}

fs::path cell_deck(const SweepOptions& sweep, const SweepCell& cell) {
  return sweep.directory / "decks" / (cell.name + ".cfg");
}
fs::path cell_run(const SweepOptions& sweep, const SweepCell& cell) { return sweep.directory / "cells" / cell.name; }

void write_cells(const SweepOptions& sweep, const std::vector<SweepCell>& cells) {
  std::string lines, table = "number\tname\tranks\tdeck\trun\n";
  for (const SweepCell& cell : cells) {
    Json json;
    json["number"] = cell.number;
    json["name"] = cell.name;
    json["values"] = Json::object();
    for (const auto& [axis, label] : cell.values) json["values"][axis] = label;
    json["keys"] = cell.keys;
    json["ranks"] = cell.ranks;
    json["deck"] = cell_deck(sweep, cell).string();
    json["run"] = cell_run(sweep, cell).string();
    json["deck_hash"] = cell.deck_hash;
    lines += json.dump() + "\n";
    table += std::to_string(cell.number) + "\t" + cell.name + "\t" + std::to_string(cell.ranks) + "\t" +
             cell_deck(sweep, cell).string() + "\t" + cell_run(sweep, cell).string() + "\n";
  }
  write_file_atomic(sweep.directory / "cells.tsv", table);
  write_file_atomic(sweep.directory / "cells.jsonl", lines);
}

std::vector<SweepCell> read_cells(const fs::path& directory) {
  const fs::path file = directory / "cells.jsonl";
  if (!fs::exists(file)) throw input_error(file, "no such file; `rlaif sweep plan DECK` writes it");
  std::vector<SweepCell> cells;
  std::istringstream lines(read_file(file));
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    try {
      const Json json = Json::parse(line);
      SweepCell cell;
      cell.number = json.at("number").get<int>();
      cell.name = json.at("name").get<std::string>();
      cell.deck_hash = json.at("deck_hash").get<std::string>();
      cell.ranks = json.at("ranks").get<int>();
      for (const auto& [axis, label] : json.at("values").items())
        cell.values.emplace_back(axis, label.get<std::string>());
      if (!is_plain(cell.name) || cell.name.starts_with('.'))
        throw input_error(file, number, "'name' is no name of a folder");
      cells.push_back(std::move(cell));
    } catch (const Json::exception&) {
      throw input_error(file, number, "a cell of a sweep was expected: number, name, values, ranks, deck_hash");
    }
  }
  if (cells.empty()) throw input_error(file, "holds no cell; at least one was expected");
  return cells;
}

}  // namespace rlaif::tools
