#include "rlaif/cli/help.hpp"

#include <algorithm>

#include "rlaif/cli/deck.hpp"
#include "rlaif/core/version.hpp"
#include "rlaif/records/write.hpp"
#include "rlaif/stages/algorithm.hpp"

namespace rlaif::cli {
namespace {

const std::vector<std::string> stage_sections{"*"};

// " [steps, at least 1]". Ends that only bound the memory of a machine are left to who passes them.
std::string unit_and_range(const OptionTable::Entry& entry) {
  ValueRange range = entry.range;
  if (range.most && *range.most >= 1e6) range.most.reset();
  const std::string ends = range.text();
  if (entry.unit.empty() && ends.empty()) return "";
  return " [" + entry.unit + (entry.unit.empty() || ends.empty() ? "" : ", ") + ends + "]";
}

bool in_sections(const std::string& key, const std::vector<std::string>& sections) {
  return std::any_of(sections.begin(), sections.end(), [&](const std::string& section) {
    return section == "*" || key.compare(0, section.size() + 1, section + ".") == 0;
  });
}

// A command for every algorithm, before `evaluate`.
std::vector<CommandHelp> with_algorithms(std::vector<CommandHelp> helps) {
  auto place =
      std::find_if(helps.begin(), helps.end(), [](const CommandHelp& help) { return help.name == "evaluate"; });
  for (const stages::AlgorithmEntry& entry : stages::algorithms()) {
    const std::string name = entry.section;
    place = helps.insert(
        place, {name, name + " DECK [...]", "train the policies whose algorithm is " + std::string(entry.name),
                std::string(entry.about) + "\n", stage_sections});
    ++place;
  }
  return helps;
}

std::string records_detail() {
  std::string text =
      "The form of FILE is told by its keys; files may be compressed (.gz, .zst). Records that nobody can learn from "
      "(an empty\n"
      "response, two that are equal, no preference) are left out and counted. --split writes that share of the "
      "prompts, chosen by\n"
      "a hash of what they say, to HELD_OUT with all their records. --longest leaves out what is longer, prompt and "
      "longest response together. Parquet and Arrow: jobs/convert_dataset.py. FORM "
      "is one of\n";
  for (const records::WrittenForm& form : records::written_forms())
    text += "  " + form.name + std::string(36 - form.name.size(), ' ') + form.line + "\n";
  text.pop_back();
  return text;
}

}  // namespace

const std::vector<CommandHelp>& command_helps() {
  static const std::vector<CommandHelp> helps = with_algorithms({
      {"study", "study DECK [--section.key=value ...] [--dry-run]", "every stage, and the table of results",
       "Resumes at the first stage that is not done. Under mpirun or srun all ranks work together; the results are\n"
       "the same bytes on any number of ranks.",
       stage_sections},
      {"sweep",
       "sweep plan DECK [--section.key=value ...]\n       rlaif sweep collect DECK [--sweep.directory=FOLDER]",
       "one study a cell for all combinations of a deck's axes, and their table over seeds",
       "The deck has a section [sweep]: axis.NAME = KEY[, KEY]: [LABEL =] VALUE[, VALUE] | ..., seeds = 0 1 2, "
       "directory, share\n"
       "(cells make a stage that they agree on once; true), columns (paths in results.json for the printed table).\n"
       "The key `ranks` in an axis is the number of ranks. collect works at any time and names what is missing.",
       {}},
      {"sft", "sft DECK [...]", "tokenizer, supervised fine-tuning and judge training alone", "", stage_sections},
      {"annotate", "annotate DECK [...]", "make what arms learn from: pairs that every judge labels, demonstrations",
       "", stage_sections},
      {"reward", "reward DECK [...]", "train the reward models", "", stage_sections},
      {"evaluate", "evaluate DECK [...]", "win rates, rates and agreement with intervals; the table of results", "",
       stage_sections},
      {"generate",
       "generate DECK --io.input=FILE --io.output=FILE [...]",
       "completions of your prompts by a model of a run",
       "Input: JSON Lines with \"prompt\" (and \"id\"); output: id, prompt, sample, response, ended.",
       {"run", "task", "io", "annotate"}},
      {"judge",
       "judge DECK --io.input=FILE --io.output=FILE [...]",
       "verdicts of a judge on your pairs",
       "Input: JSON Lines with \"prompt\", \"response_a\", \"response_b\"; output: the same with status, p_a, "
       "p_a_by_order.",
       {"run", "task", "io", "judge", "cost"}},
      {"calibrate",
       "calibrate DECK --calibrate.pairs=FILE --calibrate.output=FOLDER [...]\n"
       "       rlaif calibrate --calibrate.recorded=FILE --calibrate.pairs=FILE [--calibrate.output=FOLDER]",
       "judges held against labels of people; what that teaches about them",
       "Input: JSON Lines with \"prompt\", \"response_a\", \"response_b\", \"label\" (a, b or tie), and \"id\", "
       "\"subset\",\n"
       "\"annotators\" where there are. Writes fitted.json, which [judge.NAME] names as calibration, and "
       "calibration.json.\n"
       "With calibrate.recorded: the figures of every subset, judge and style of recorded verdicts, in recorded.json.",
       {"calibrate", "run", "task", "judge", "cost"}},
      {"preferences",
       "preferences show|validate FOLDER\n       rlaif preferences export FOLDER FILE [--form=trl|full]\n"
       "       rlaif preferences import FILE FOLDER",
       "look at a preference store, check it, write and read JSON Lines",
       "",
       {}},
      {"convert",
       "convert FILE OUT --to FORM [--longest CHARACTERS]\n       rlaif convert FILE OUT HELD_OUT --to FORM --split "
       "SHARE [--longest CHARACTERS]",
       "prompts, demonstrations and preferences from any known form into another",
       records_detail(),
       {}},
      {"cost",
       "cost [RUNDIR] [--comparisons N] [--output FILE.json]",
       "what labels cost by people and by judges, and what a run used",
       "Numbers come from cost.assumptions. With a run directory also: pairs, tokens, dollars and machine hours by "
       "judge and stage,\n"
       "dollars a label, projected to N comparisons. --plan.usd_per_rank_hour prices the machine; else what the run's "
       "deck says.",
       {"cost"}},
      {"spotcheck",
       "spotcheck export RUNDIR JUDGE|comparisons/JUDGE FILE.html [--count N] [--seed S] [--name NAME]\n"
       "       rlaif spotcheck import LABELS.jsonl RUNDIR [--name NAME] [--price PRICE]",
       "pairs worth a person's time as a page, and the labels back into the run",
       "export: of the judge's pairs those it is least sure of, those that the run's judges disagree on, and a random "
       "control,\n"
       "as one page that works without a server. import: its labels become preferences/spotcheck-NAME, which "
       "reward.people = NAME\n"
       "puts in place of the judge's labels; agreement with the judge is printed. PRICE is that of a label in "
       "cost.prices.\n"
       "comparisons/JUDGE: what a judge of evaluate.by said of the policies, arms against sft, nobody is told which is "
       "which; the\n"
       "labels become people-NAME in the table of verdicts, which `rlaif evaluate` prints again.",
       {"cost"}},
      {"world",
       "world write FOLDER [--run.seed=N]\n       rlaif world score FILE",
       "the closed world's prompts and training data; gold scores of responses",
       "score reads JSON Lines with prompt, response, ended and prints them with U, T, C and flags.",
       {"task", "run", "sft"}},
      {"constitution",
       "constitution lint FILE [--strict]",
       "what is wrong with the wording of principles, and what to write instead",
       "Finds principles that are vague, unmeasurable, only negative, near-duplicates or contradictory; exit code 3 "
       "where there\n"
       "are any. --strict: principles without a case, long ones, and cases that favour one place count as well.",
       {}},
      {"info",
       "info [--measure FOLDER] [--output FILE]",
       "versions, ranks and devices; --measure times messages, products and files in FOLDER",
       "Times are medians. --output writes them as JSON, which analysis/scaling.py reads.",
       {}},
  });
  return helps;
}

const CommandHelp* find_command(const std::string& name) {
  for (const CommandHelp& help : command_helps()) {
    if (help.name == name) return &help;
  }
  return nullptr;
}

std::string program_help() {
  std::string text = std::string("rlaif ") + version() +
                     ": reinforcement learning from AI feedback as one MPI program\n\n"
                     "usage: rlaif COMMAND [arguments] [--section.key=value ...]\n\n";
  for (const CommandHelp& help : command_helps()) {
    text += "  " + help.name + std::string(14 - help.name.size(), ' ') + help.summary + "\n";
  }
  text +=
      "\nrlaif COMMAND --help lists its keys with defaults and units. A deck is an INI file; the command line beats\n"
      "the deck, the deck beats the default. Paths in a deck are relative to the deck.\n\n"
      "exit codes: 0 done, 1 a defect of the program, 2 usage, 3 bad input, 4 a resource failed (disk, device),\n"
      "75 stopped by a signal (TERM, USR1; USR2 warns of a job's limit) with its state saved: run again to continue\n";
  return text;
}

std::string command_help(const CommandHelp& command, const OptionTable& table) {
  std::string text = "usage: rlaif " + command.usage + "\n\n" + command.summary + "\n";
  if (!command.detail.empty()) text += command.detail + "\n";
  bool first = true;
  for (const OptionTable::Entry& entry : table.entries()) {
    if (!in_sections(entry.key, command.sections) || !entry.base.empty()) continue;
    if (first) text += "\nkeys (default) [unit, range]:\n";
    first = false;
    std::string line = "  --" + entry.key + " (" + entry.default_text + ")";
    line += unit_and_range(entry);
    text += line + std::string(line.size() < 52 ? 52 - line.size() : 1, ' ') + entry.meaning + "\n";
  }
  return text;
}

}  // namespace rlaif::cli
