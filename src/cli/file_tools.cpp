#include "rlaif/cli/file_tools.hpp"

#include <cmath>
#include <iomanip>
#include <iostream>
#include <map>

#include "rlaif/cli/help.hpp"
#include "rlaif/comm/device.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/host.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/core/version.hpp"
#include "rlaif/judge/constitution/lint.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/run/instruction_sets.hpp"
#include "rlaif/study/context.hpp"
#include "rlaif/text/jsonl.hpp"
#include "rlaif/tools/measure.hpp"
#include "rlaif/world/world.hpp"

namespace rlaif::cli {
namespace {

void show_store(const std::filesystem::path& folder) {
  const auto manifest = preferences::read_manifest(folder);
  if (!manifest) throw input_error(folder, "has no manifest.json: a finished preference store was expected");
  const std::vector<Preference> records = preferences::read_store(folder);
  std::map<std::string, std::int64_t> statuses, families;
  Usage usage;
  double first = 0, ok = 0;
  for (const Preference& record : records) {
    ++statuses[to_string(record.verdict.status)];
    ++families[record.comparison.prompt.family];
    usage += record.verdict.usage;
    if (record.verdict.status == VerdictStatus::ok) {
      ok += 1;
      first += record.verdict.p_first;
    }
  }
  std::cout << "store    " << folder.string() << "\njudge    " << manifest->judge << "\nshards   "
            << manifest->shards.size() << "\nrecords  " << records.size() << "\nstatus  ";
  for (const auto& [status, count] : statuses) std::cout << " " << status << " " << count;
  std::cout << "\nfamily  ";
  for (const auto& [family, count] : families) std::cout << " " << (family.empty() ? "(none)" : family) << " " << count;
  std::cout << "\nmean P(first)  " << (ok > 0 ? first / ok : 0.5) << "\ntokens   " << usage.input_tokens << " in, "
            << usage.output_tokens << " out\ncost     " << usage.cost_usd << " USD\n";
  for (std::size_t i = 0; i < std::min<std::size_t>(3, records.size()); ++i) {
    const Preference& record = records[i];
    std::cout << "\nprompt   " << record.comparison.prompt.text << "\nfirst    " << record.comparison.first.text
              << "\nsecond   " << record.comparison.second.text << "\nP(first) " << record.verdict.p_first << " ("
              << to_string(record.verdict.status) << ")\n";
    if (!record.verdict.rationale.empty()) std::cout << "reason   " << record.verdict.rationale << "\n";
  }
}

void validate(const std::filesystem::path& folder) {
  const std::vector<std::string> problems = preferences::validate_store(folder);
  for (const std::string& problem : problems) std::cout << problem << "\n";
  if (!problems.empty()) {
    throw input_error(folder, std::to_string(problems.size()) + " problem(s) found; a whole store was expected");
  }
  std::cout << folder.string() << ": whole\n";
}

void write_lines(const std::filesystem::path& file, const std::vector<Json>& lines) {
  std::string text;
  for (const Json& line : lines) text += text::to_json_line(line) + "\n";
  write_file_atomic(file, text);
  std::cout << file.string() << ": " << lines.size() << " lines\n";
}

Json prompt_line(const Prompt& prompt) {
  Json line;
  line["id"] = prompt.id;
  line["family"] = prompt.family;
  line["prompt"] = text::prompt_json(prompt);
  return line;
}

void write_world(const CommandLine& line) {
  const std::filesystem::path folder = word(line, 1, "a folder to write to");
  no_more_words(line, 2);
  const auto resolved = resolve({}, line);
  const study::Study& study = resolved->study;
  const study::FirstTexts& texts = study.policy.texts;
  const world::World world = world::World::load(study.task.world);
  for (const bool held_out : {false, true}) {
    std::vector<Json> lines;
    for (const Prompt& prompt : world.split(held_out)) lines.push_back(prompt_line(prompt));
    write_lines(folder / (held_out ? "prompts_heldout.jsonl" : "prompts_train.jsonl"), lines);
  }
  std::vector<Json> examples, registers;
  for (std::int64_t item = 0; item < texts.examples; ++item) {
    Rng rng(study.run.seed, Stream::sft_data, {static_cast<std::uint64_t>(item)});
    const Prompt& prompt = world.sample_prompt(rng, false);
    Json example;
    example["prompt"] = prompt.text;
    example["response"] = world.respond(prompt, rng);
    examples.push_back(example);
  }
  for (std::int64_t i = 0; i < texts.register_examples; ++i) {
    Rng rng(study.run.seed, Stream::register_data, {static_cast<std::uint64_t>(texts.examples + i)});
    Json text;
    text["text"] = world.register_text(rng);
    registers.push_back(text);
  }
  write_lines(folder / "sft.jsonl", examples);
  write_lines(folder / "register.jsonl", registers);
}

void score_world(const CommandLine& line) {
  const std::filesystem::path file = word(line, 1, "a file of JSON Lines");
  no_more_words(line, 2);
  const world::World world = world::World::load(resolve({}, line)->study.task.world);
  text::for_each_json_line(file, [&](const text::JsonRecord& record) {
    const Prompt* prompt = world.find(record.string("prompt"));
    if (!prompt) {
      throw input_error(file, record.line, "prompt: \"" + record.string("prompt") + "\" is not a prompt of the world");
    }
    const world::Gold gold = world.score(*prompt, record.string("response"), record.boolean("ended"));
    const auto flag = [](const std::optional<bool>& value) { return value ? Json(*value) : Json(); };
    Json scored;
    scored["fam"] = prompt->family;
    scored["prompt"] = prompt->text;
    scored["response"] = record.string("response");
    scored["ended"] = record.boolean("ended");
    scored["U"] = gold.utility;
    scored["T"] = gold.truth;
    scored["C"] = gold.clutter;
    scored["flags"]["good"] = gold.good;
    scored["flags"]["helpful"] = flag(gold.helpful);
    scored["flags"]["harmless"] = flag(gold.harmless);
    scored["flags"]["honest"] = flag(gold.honest);
    scored["flags"]["clear"] = gold.clear;
    std::cout << text::to_json_line(scored) << "\n";
  });
}

// Every finding is a line; notes count under strict reading alone.
void lint_constitution(const std::filesystem::path& file, bool strict) {
  const judge::Constitution constitution = judge::load_constitution(file);
  std::size_t problems = 0;
  for (const judge::LintFinding& finding : judge::lint(constitution)) {
    std::cout << judge::to_line(finding) << "\n";
    problems += strict || !judge::is_note(finding.kind);
  }
  const std::string size = std::to_string(constitution.size()) + " principle(s)";
  if (problems > 0) {
    throw input_error(
        file, std::to_string(problems) + " problem(s) found in " + size + "; a constitution without was expected");
  }
  std::cout << file.string() << ": " << size << ", no problem\n";
}

}  // namespace

const std::string& word(const CommandLine& line, std::size_t index, const std::string& what) {
  if (line.words.size() <= index) throw usage_error("rlaif " + line.command + ": " + what + " was expected");
  return line.words[index];
}

void no_more_words(const CommandLine& line, std::size_t count) {
  if (line.words.size() > count) throw usage_error("unexpected argument '" + line.words[count] + "'");
}

double whole_number(const CommandLine& line, const std::string& flag, double otherwise, double least, double most) {
  const double value = line.number_or(flag, otherwise, least);
  if (value != std::floor(value) || value > most) {
    throw usage_error("--" + flag + ": '" + line.flag_or(flag, "") + "' was given, a whole number was expected" +
                      (value > most ? " of at most " + std::to_string(static_cast<long long>(most)) : ""));
  }
  return value;
}

std::string unknown_command_message(const std::string& command) {
  std::vector<std::string> known;
  for (const CommandHelp& help : command_helps()) known.push_back(help.name);
  return unknown_name_message("command", command, known) + "; `rlaif --help` lists them";
}

void run_preferences_command(const CommandLine& line) {
  const std::string& action = word(line, 0, "show, validate, export or import");
  if (action == "show") {
    no_more_words(line, 2);
    show_store(word(line, 1, "a folder"));
  } else if (action == "validate") {
    no_more_words(line, 2);
    validate(word(line, 1, "a folder"));
  } else if (action == "export") {
    no_more_words(line, 3);
    const std::string form = line.flag_or("form", "trl");
    if (form != "trl" && form != "full") throw usage_error("--form: 'trl' or 'full' was expected");
    preferences::export_jsonl(word(line, 1, "a folder"), word(line, 2, "a file to write"),
                              form == "trl" ? preferences::ExportForm::trl : preferences::ExportForm::full);
  } else if (action == "import") {
    no_more_words(line, 3);
    const std::filesystem::path folder = word(line, 2, "a folder to write");
    const auto manifest = preferences::import_jsonl(word(line, 1, "a file of JSON Lines"), folder, "", 1000);
    std::cout << folder.string() << ": " << manifest.records() << " records in " << manifest.shards.size()
              << " shards\n";
  } else {
    throw usage_error(unknown_name_message("action", action, {"show", "validate", "export", "import"}));
  }
}

void run_world_command(const CommandLine& line) {
  const std::string& action = word(line, 0, "write or score");
  if (action == "write") {
    write_world(line);
  } else if (action == "score") {
    score_world(line);
  } else {
    throw usage_error(unknown_name_message("action", action, {"write", "score"}));
  }
}

void run_constitution_command(const CommandLine& line) {
  const std::string& action = word(line, 0, "lint");
  if (action != "lint") throw usage_error(unknown_name_message("action", action, {"lint"}));
  no_more_words(line, 2);
  lint_constitution(word(line, 1, "a file of principles"), line.flags.contains("strict"));
}

void run_info_command(const CommandLine& line, const comm::Communicator& comm) {
  const std::vector<std::string> hosts = comm.gather(host_name());
  comm.on_root([&] {
    std::cout << "rlaif    " << version() << "\nlibtorch " << run::libtorch_version() << "\nMPI      "
              << comm::mpi_version() << "\nHDF5     " << preferences::library_version() << "\ndevices  "
              << comm::describe_devices() << "\nsets     " << instruction_set_names()
              << "; taken: " << run::taken_instruction_sets() << "\nranks    " << comm.size() << "\n";
    std::map<std::string, int> ranks;
    for (const std::string& name : hosts) ++ranks[name];
    for (const auto& [name, count] : ranks) std::cout << "host     " << name << ": " << count << " rank(s)\n";
    if (!line.flags.contains("measure") && line.flags.contains("output"))
      throw usage_error("rlaif info: --output goes with --measure");
  });
  if (!line.flags.contains("measure")) return;
  const Json measured = tools::measure_machine(comm, line.flags.at("measure"));
  comm.on_root([&] {
    std::cout << tools::machine_table(measured);
    if (line.flags.contains("output")) write_file_atomic(line.flags.at("output"), measured.dump(1) + "\n");
  });
}

}  // namespace rlaif::cli
