#include "rlaif/cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "rlaif/cli/key_help.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/text_table.hpp"
#include "rlaif/core/version.hpp"
#include "rlaif/records/write.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/tools/new_study.hpp"

namespace rlaif::cli {
namespace {

const std::vector<std::string> stage_sections{"*"};
const Flag dry_run{"dry-run", "", "print keys, stages, memory and bill, and run nothing"};

// How commands stand together in the program's help; those of no list are stages.
struct Heading {
  const char* title;
  std::vector<std::string> commands;
};
const std::vector<Heading> headings{
    {"studies", {"new", "study", "status", "diff", "sweep"}},
    {"stages of a study, one kind alone", {}},
    {"models and judges on your own files", {"generate", "chat", "judge", "calibrate"}},
    {"labels, data and money", {"preferences", "convert", "cost", "spotcheck", "world", "constitution"}},
    {"help", {"info", "help", "completion"}},
};

const Heading* heading_of(const CommandHelp& help) {
  const Heading* stages = nullptr;
  for (const Heading& heading : headings) {
    if (heading.commands.empty()) stages = &heading;
    if (std::find(heading.commands.begin(), heading.commands.end(), help.name) != heading.commands.end())
      return &heading;
  }
  return stages;
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
    place = helps.insert(place, {name,
                                 name + " DECK [...]",
                                 "train the policies whose algorithm is " + std::string(entry.name),
                                 std::string(entry.about) + "\n",
                                 stage_sections,
                                 {dry_run}});
    ++place;
  }
  return helps;
}

std::string new_detail() {
  std::string text = "The folder gets NAME.cfg, named after itself, and nothing is written over. TASK is one of\n";
  TextRows rows;
  for (const tools::NewTask& task : tools::new_tasks()) rows.push_back({task.name, task.about});
  text += text_table(rows, {Align::left}, 2);
  text.pop_back();
  return text;
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
  TextRows rows;
  for (const records::WrittenForm& form : records::written_forms()) rows.push_back({form.name, form.line});
  text += text_table(rows, {Align::left}, 2);
  text.pop_back();
  return text;
}

}  // namespace

// " [steps, at least 1]". Ends that only bound the memory of a machine are left to who passes them.
std::string unit_and_range(const OptionTable::Entry& entry) {
  ValueRange range = entry.range;
  if (range.most && *range.most >= 1e6) range.most.reset();
  const std::string ends = range.text();
  if (entry.unit.empty() && ends.empty()) return "";
  return " [" + entry.unit + (entry.unit.empty() || ends.empty() ? "" : ", ") + ends + "]";
}

const std::vector<CommandHelp>& command_helps() {
  static const std::vector<CommandHelp> helps = with_algorithms({
      {"study",
       "study DECK [--section.key=value ...] [--dry-run]",
       "every stage, and the table of results",
       "Resumes at the first stage that is not done. Under mpirun or srun all ranks work together; the results are\n"
       "the same bytes on any number of ranks.",
       stage_sections,
       {dry_run},
       {},
       {"rlaif study inputs/demo.cfg --dry-run                 # what it would do, need and cost",
        "mpirun -n 2 rlaif study inputs/demo.cfg               # run it; the same again goes on where it was",
        "rlaif study inputs/demo.cfg --run.seed=1 --run.directory=runs/demo-1"}},
      {"new",
       "new FOLDER --task TASK [--model FOLDER]",
       "a commented deck to begin with, and the files that it names",
       new_detail(),
       {},
       {{"task", "TASK", "what the study is for, one of those above"},
        {"model", "FOLDER", "the Hugging Face folder that the policy starts from, where the task has one"}},
       {},
       {"rlaif new mine --task canonical", "rlaif new brief --task rules --model models/smollm2-135m-instruct"}},
      {"status",
       "status RUNDIR [--json]",
       "how far a run is: stages, rate, time left, dollars so far",
       "Reads files only: it works beside the job, on a login node too.",
       {},
       {{"json", "", "as one JSON object"}},
       {},
       {"rlaif status runs/demo"}},
      {"diff",
       "diff RUNDIR RUNDIR [--json]",
       "which keys and which results of two runs differ, told apart or not",
       "Results are compared by prompt, with 95 % intervals: paired where both runs asked the same held-out prompts.",
       {},
       {{"json", "", "as one JSON object"}},
       {},
       {"rlaif diff runs/demo runs/demo-1"}},
      {"sweep",
       "sweep plan DECK [--section.key=value ...]\n       rlaif sweep collect DECK [--sweep.directory=FOLDER]",
       "one study a cell for all combinations of a deck's axes, and their table over seeds",
       "The deck has a section [sweep]: axis.NAME = KEY[, KEY]: [LABEL =] VALUE[, VALUE] | ..., seeds = 0 1 2, "
       "directory, share\n"
       "(cells make a stage that they agree on once; true), columns (paths in results.json for the printed table).\n"
       "The key `ranks` in an axis is the number of ranks. collect works at any time and names what is missing.",
       {},
       {},
       {"plan", "collect"},
       {"rlaif sweep plan inputs/sweep.cfg      # a deck a cell, in the sweep's folder",
        "rlaif sweep collect inputs/sweep.cfg   # the table over all cells that are done"}},
      {"sft",
       "sft DECK [...]",
       "tokenizer, supervised fine-tuning and judge training alone",
       "",
       stage_sections,
       {dry_run}},
      {"annotate",
       "annotate DECK [...]",
       "make what arms learn from: pairs that every judge labels, demonstrations",
       "",
       stage_sections,
       {dry_run}},
      {"reward", "reward DECK [...]", "train the reward models", "", stage_sections, {dry_run}},
      {"evaluate",
       "evaluate DECK [...]",
       "win rates, rates and agreement with intervals; the table of results",
       "",
       stage_sections,
       {dry_run}},
      {"generate",
       "generate DECK --io.input=FILE --io.output=FILE [...]",
       "completions of your prompts by a model of a run",
       "Input: JSON Lines with \"prompt\" (and \"id\"); output: id, prompt, sample, response, ended.",
       {"run", "task", "io", "annotate"},
       {dry_run},
       {},
       {"rlaif generate inputs/demo.cfg --io.model=rlaif --io.input=prompts.jsonl --io.output=answers.jsonl"}},
      {"judge",
       "judge DECK --io.input=FILE --io.output=FILE [...]",
       "verdicts of a judge on your pairs",
       "Input: JSON Lines with \"prompt\", \"response_a\", \"response_b\"; output: the same with status, p_a, "
       "p_a_by_order.",
       {"run", "task", "io", "judge", "cost"},
       {dry_run},
       {},
       {"rlaif judge inputs/demo.cfg --io.judge=ai --io.input=pairs.jsonl --io.output=verdicts.jsonl"}},
      {"calibrate",
       "calibrate DECK --calibrate.pairs=FILE --calibrate.output=FOLDER [...]\n"
       "       rlaif calibrate --calibrate.recorded=FILE --calibrate.pairs=FILE [--calibrate.output=FOLDER]",
       "judges held against labels of people; what that teaches about them",
       "Input: JSON Lines with \"prompt\", \"response_a\", \"response_b\", \"label\" (a, b or tie), and \"id\", "
       "\"subset\",\n"
       "\"annotators\" where there are. Writes fitted.json, which [judge.NAME] names as calibration, and "
       "calibration.json.\n"
       "With calibrate.recorded: the figures of every subset, judge and style of recorded verdicts, in recorded.json.",
       {"calibrate", "run", "task", "judge", "cost"},
       {dry_run}},
      {"chat",
       "chat MODEL [MODEL] [--system TEXT] [--temperature T] [--tokens N] [--seed S] [--votes FILE]",
       "talk to a model, or to two side by side without knowing which is which",
       "MODEL is a folder: one of a run's models/, whole or an adapter, or any other. A line is a turn, an empty one "
       "begins a "
       "new\nconversation. With two models a vote follows each turn: a, b, t (a tie) or s (none); the conversation "
       "goes on "
       "with the\npreferred answer, and who was who is told at the end. Works with a pipe, too.",
       {},
       {{"system", "TEXT", "system turn of every conversation"},
        {"temperature", "T", "temperature of sampling; 0: greedy; default: 0.7"},
        {"tokens", "N", "longest answer; default: 256"},
        {"seed", "S", "seed of answers and of the order of two models; default: 0"},
        {"votes", "FILE", "file of JSON Lines to which votes are added as labelled pairs, for maker = recorded"}},
       {},
       {"rlaif chat runs/demo/models/rlaif",
        "rlaif chat runs/demo/models/sft runs/demo/models/rlaif --votes votes.jsonl",
        "printf 'What is 2 plus 3?\\n' | rlaif chat runs/demo/models/rlaif --temperature 0"}},
      {"preferences",
       "preferences show|validate FOLDER\n       rlaif preferences export FOLDER FILE [--form=trl|full]\n"
       "       rlaif preferences import FILE FOLDER",
       "look at a preference store, check it, write and read JSON Lines",
       "",
       {},
       {{"form", "FORM", "export: trl (prompt, chosen, rejected; the default) or full (everything, for import)"}},
       {"show", "validate", "export", "import"},
       {"rlaif preferences export runs/demo/preferences/ai pairs.jsonl   # for TRL and others"}},
      {"convert",
       "convert FILE OUT --to FORM [--longest CHARACTERS]\n       rlaif convert FILE OUT HELD_OUT --to FORM --split "
       "SHARE [--longest CHARACTERS]",
       "prompts, demonstrations and preferences from any known form into another",
       records_detail(),
       {},
       {{"to", "FORM", "form of what is written, one of those above"},
        {"split", "SHARE", "share of the prompts that goes to HELD_OUT, above 0 and below 1"},
        {"longest", "CHARACTERS", "most characters of prompt and longest response together"}},
       {},
       {"rlaif convert pairs.jsonl train.jsonl heldout.jsonl --to trl --split 0.1"}},
      {"cost",
       "cost [RUNDIR] [--comparisons N] [--output FILE.json]",
       "what labels cost by people and by judges, and what a run used",
       "Numbers come from cost.assumptions. With a run directory also: pairs, tokens, dollars and machine hours by "
       "judge and stage,\n"
       "dollars a label, projected to N comparisons. --plan.usd_per_rank_hour prices the machine; else what the run's "
       "deck says.",
       {"cost"},
       {{"comparisons", "N", "number of comparisons that the table is for; default: that of cost.assumptions"},
        {"output", "FILE.json", "also writes the table with every assumption as JSON"}},
       {},
       {"rlaif cost --comparisons 50000", "rlaif cost runs/demo"}},
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
       {"cost"},
       {{"count", "N", "pairs on the page; default: 100"},
        {"seed", "S", "seed of the random control; default: 0"},
        {"name", "NAME", "name of who labels"},
        {"price", "PRICE", "name in the price table of what a label costs; default: human-label"}},
       {"export", "import"},
       {"rlaif spotcheck export runs/demo ai page.html --name alice", "rlaif spotcheck import labels.jsonl runs/demo"}},
      {"world",
       "world write FOLDER [--run.seed=N]\n       rlaif world score FILE",
       "the closed world's prompts and training data; gold scores of responses",
       "score reads JSON Lines with prompt, response, ended and prints them with U, T, C and flags.",
       {"task", "run", "sft"},
       {},
       {"write", "score"}},
      {"constitution",
       "constitution lint FILE [--strict]",
       "what is wrong with the wording of principles, and what to write instead",
       "Finds principles that are vague, unmeasurable, only negative, near-duplicates or contradictory; exit code 3 "
       "where there\n"
       "are any.",
       {},
       {{"strict", "", "principles without a case, long ones, and cases that favour one place count as well"}},
       {"lint"},
       {"rlaif constitution lint inputs/constitution.json"}},
      {"info",
       "info [--measure FOLDER] [--output FILE]",
       "versions, ranks and devices",
       "Times are medians; analysis/scaling.py reads what --output writes.",
       {},
       {{"measure", "FOLDER", "also times messages, products, and files in FOLDER"},
        {"output", "FILE", "writes those times as JSON"}}},
      {"help",
       "help [COMMAND|KEY|SECTION]",
       "what a command does, or what a key of a deck means",
       "KEY is whole (judge.ai.url), its last part (url) or a section ([ppo], judge.NAME); names of judges, arms and "
       "data "
       "sets are any.",
       {},
       {},
       {},
       {"rlaif help judge.ai.template", "rlaif help kl_coefficient",
        "rlaif help [ppo]   # the keys of a section; rlaif help ppo: the command"}},
      {"completion",
       "completion bash|zsh",
       "completion of commands, flags, keys and their values for a shell",
       "",
       {},
       {},
       {"bash", "zsh"},
       {"source <(rlaif completion bash)   # in ~/.bashrc",
        "rlaif completion zsh >~/.zfunc/_rlaif   # in a folder of $fpath, before compinit"}},
  });
  return helps;
}

const CommandHelp* find_command(const std::string& name) {
  for (const CommandHelp& help : command_helps()) {
    if (help.name == name) return &help;
  }
  return nullptr;
}

std::vector<Flag> all_flags() {
  std::vector<Flag> all;
  for (const CommandHelp& help : command_helps()) {
    for (const Flag& flag : help.flags) {
      const auto known = std::find_if(all.begin(), all.end(), [&](const Flag& one) { return one.name == flag.name; });
      if (known == all.end()) {
        all.push_back(flag);
        continue;
      }
      RLAIF_CHECK(known->value.empty() == flag.value.empty(),
                  "a flag takes a value in all commands or in none: " + flag.name);
    }
  }
  return all;
}

std::string program_help() {
  std::string text = std::string("rlaif ") + version() +
                     ": reinforcement learning from AI feedback as one MPI program\n\n"
                     "usage: rlaif COMMAND [arguments] [--section.key=value ...]\n";
  for (const Heading& heading : headings) {
    text += std::string("\n") + heading.title + "\n";
    for (const CommandHelp& help : command_helps()) {
      if (heading_of(help) != &heading) continue;
      text += fmt::format("  {:<13} {}\n", help.name, help.summary);
    }
  }
  text +=
      "\nA deck is an INI file; the command line beats the deck, the deck beats the default. Paths in a deck are "
      "relative "
      "to it.\n"
      "`rlaif COMMAND --help` lists the keys of a command with defaults, units and ranges; `rlaif help KEY` explains "
      "one.\n\n"
      "examples\n"
      "  rlaif study inputs/demo.cfg --dry-run      # keys, stages, memory and bill; nothing is run\n"
      "  mpirun -n 2 rlaif study inputs/demo.cfg    # run it; the same again goes on where it was\n"
      "  rlaif help judge.ai.template               # what a key means\n\n"
      "exit codes\n"
      "  0 done   1 a defect of the program   2 usage   3 bad input   4 a resource failed (disk, device)\n"
      "  75 stopped by a signal (TERM, USR1; USR2 warns of a job's limit) with its state saved: run again to "
      "continue\n";
  return text;
}

namespace {

std::string flags_text(const CommandHelp& command) {
  std::string text = command.flags.empty() ? "" : "\nflags\n";
  for (const Flag& flag : command.flags) {
    const std::string shown = "  --" + flag.name + (flag.value.empty() ? "" : " " + flag.value);
    text += fmt::format("{:<25} {}\n", shown, flag.meaning);
  }
  return text;
}

std::string examples_text(const CommandHelp& command) {
  std::string text = command.examples.empty() ? "" : "\nexamples\n";
  for (const std::string& example : command.examples) text += "  " + example + "\n";
  return text;
}

}  // namespace

std::string command_help(const CommandHelp& command, const OptionTable& table) {
  std::string text = "usage: rlaif " + command.usage + "\n\n" + command.summary + "\n";
  if (!command.detail.empty()) text += command.detail + "\n";
  text += flags_text(command) + examples_text(command);
  std::string section;
  for (const OptionTable::Entry& entry : table.entries()) {
    if (!in_sections(entry.key, command.sections) || !entry.base.empty()) continue;
    if (section.empty()) text += "\nkeys (default) [unit, range]\n";
    if (const std::string own = entry.key.substr(0, entry.key.rfind('.')); own != section) {
      section = own;
      const std::string about = section_about(section);
      text += "\n[" + section + "]" + (about.empty() ? "" : "  ") + about + "\n";
    }
    std::string line = "  --" + entry.key + " (" + entry.default_text + ")";
    line += unit_and_range(entry);
    text += fmt::format("{:<51} {}\n", line, entry.meaning);
  }
  return text;
}

}  // namespace rlaif::cli
