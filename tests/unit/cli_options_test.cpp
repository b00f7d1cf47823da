// Every key of a deck: its range holds where the deck is read, and its text reads back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "rlaif/cli/deck.hpp"
#include "rlaif/cli/help.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/stages/study.hpp"

namespace rlaif::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

CommandLine line_of(const std::map<std::string, std::string>& keys) {
  CommandLine line;
  line.command = "study";
  line.dry_run = true;
  line.keys = {{"study.judges", "ai people asked"},
               {"judge.asked.kind", "openai"},
               {"judge.asked.model", "m"},
               {"judge.asked.price", "ai-label"}};
  for (const auto& [key, text] : keys) line.keys[key] = text;
  return line;
}

std::string refusal(const std::map<std::string, std::string>& keys) {
  try {
    resolve({}, line_of(keys));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
    return error.what();
  }
  return "";
}

std::vector<OptionTable::Entry> numbers() {
  std::vector<OptionTable::Entry> found;
  const auto deck = resolve({}, line_of({}));
  for (const OptionTable::Entry& entry : deck->table.entries()) {
    const bool is_number = entry.is_integer || (entry.set && entry.kind == OptionTable::Kind::number &&
                                                entry.unit.find('|') == std::string::npos &&
                                                entry.default_text != "true" && entry.default_text != "false");
    if (is_number) found.push_back(entry);
  }
  return found;
}

std::string text_of(const OptionTable::Entry& entry, double value) {
  if (entry.is_integer) return std::to_string(static_cast<std::int64_t>(value));
  char text[64];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

// The nearest values of the key's type outside and inside of an end.
double below(const OptionTable::Entry& entry, double value) {
  return entry.is_integer ? value - 1 : std::nextafter(value, -1e300);
}
double beyond(const OptionTable::Entry& entry, double value) {
  return entry.is_integer ? value + 1 : std::nextafter(value, 1e300);
}

TEST(Options, EveryNumberOutOfItsRangeIsRefusedByNameAndItsEndsAreTaken) {
  std::size_t ends = 0;
  for (const OptionTable::Entry& entry : numbers()) {
    const auto refused = [&](double value) {
      ++ends;
      EXPECT_THAT(refusal({{entry.key, text_of(entry, value)}}),
                  AllOf(HasSubstr(entry.key + ": '"), HasSubstr(entry.range.text())))
          << value;
    };
    // What two keys must be to each other is another matter: it is named by other words.
    const auto taken = [&](double value) {
      EXPECT_THAT(refusal({{entry.key, text_of(entry, value)}}), Not(HasSubstr("' was given, "))) << entry.key;
    };
    if (entry.range.least) refused(below(entry, *entry.range.least)), taken(*entry.range.least);
    if (entry.range.above) refused(*entry.range.above), taken(beyond(entry, *entry.range.above));
    if (entry.range.most) refused(beyond(entry, *entry.range.most)), taken(*entry.range.most);
    if (entry.range.below) refused(*entry.range.below), taken(below(entry, *entry.range.below));
  }
  EXPECT_GT(ends, 150u);
}

TEST(Options, OnlyNumbersThatMayBeAnythingHaveNoRange) {
  std::vector<std::string> without;
  for (const OptionTable::Entry& entry : numbers()) {
    if (entry.range.text().empty() && entry.base.empty()) without.push_back(entry.key);
  }
  EXPECT_THAT(without, ::testing::UnorderedElementsAre("grpo.missing_end_penalty", "ppo.missing_end_penalty",
                                                       "reinforce.missing_end_penalty", "rloo.missing_end_penalty"));
}

TEST(Options, WhatIsNoFiniteNumberIsRefusedByNameEverywhere) {
  for (const OptionTable::Entry& entry : numbers()) {
    for (const char* text :
         {"nan", "inf", "-inf", "1e999", "x", "1 2", "99999999999999999999", "1.5.2", "0x10", "+1"}) {
      const bool is_large =
          std::string(text).starts_with("999") && !entry.is_integer && !entry.range.most && !entry.range.below;
      if (is_large) continue;
      EXPECT_THAT(refusal({{entry.key, text}}), HasSubstr(entry.key + ": '" + text + "' was given")) << entry.key;
    }
  }
}

TEST(Options, DefaultsHoldTheirOwnRangesAndReadBack) {
  const auto deck = resolve({}, line_of({}));
  for (const OptionTable::Entry& entry : deck->table.entries()) {
    if (entry.key.starts_with("study.") || entry.is_path) continue;
    EXPECT_EQ(refusal({{entry.key, entry.default_text}}).find("' was given"), std::string::npos)
        << entry.key << " = " << entry.default_text;
  }
}

TEST(Options, WhatTwoKeysMustBeToEachOtherIsSaidBeforeAnythingStarts) {
  EXPECT_THAT(refusal({{"model.num_heads", "3"}, {"model.num_kv_heads", "2"}}), HasSubstr("model.num_kv_heads"));
  EXPECT_THAT(refusal({{"model.hidden_size", "60"}, {"model.num_heads", "4"}, {"model.num_kv_heads", "4"}}),
              HasSubstr("model.num_heads"));
  EXPECT_THAT(refusal({{"annotate.max_new_tokens", "256"}}), HasSubstr("annotate.max_new_tokens"));
  EXPECT_THAT(refusal({{"ppo.max_new_tokens", "300"}}), HasSubstr("ppo.max_new_tokens"));
  EXPECT_THAT(refusal({{"evaluate.max_new_tokens", "256"}}), HasSubstr("evaluate.max_new_tokens"));
  EXPECT_THAT(refusal({{"judge.ai.label_clamp_low", "0.9"}, {"judge.ai.label_clamp_high", "0.1"}}),
              HasSubstr("judge.ai.label_clamp_low"));
  EXPECT_THAT(refusal({{"judge.asked.top_logprobs", "5"}, {"judge.asked.samples", "2"}}),
              HasSubstr("judge.asked.samples"));
  EXPECT_THAT(refusal({{"judge.asked.context_tokens", "1024"}}), HasSubstr("judge.asked.context_tokens"));
  EXPECT_THAT(refusal({{"judge.asked.url", "localhost:8000"}}), HasSubstr("judge.asked.url"));
  EXPECT_THAT(refusal({{"judge.asked.temperature", "2.5"}}), HasSubstr("judge.asked.temperature"));
  EXPECT_THAT(refusal({{"calibrate.folds", "1"}}), HasSubstr("calibrate.folds"));
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({{"judge.asked.temperature", ""}, {"judge.asked.top_p", ""}}), "");
  const std::map<std::string, std::string> steps{{"judge.ai.kind", "cascade"}, {"judge.ai.members", "asked people"}};
  auto with = [&](const std::string& thresholds) {
    auto keys = steps;
    keys["judge.ai.thresholds"] = thresholds;
    return refusal(keys);
  };
  EXPECT_EQ(with("0.8"), "");
  EXPECT_THAT(with("0.8 x"), HasSubstr("judge.ai.thresholds: 'x' was given, numbers parted by white space"));
  EXPECT_THAT(with("0.4"), HasSubstr("judge.ai.thresholds: '0.4' was given, numbers from 0.5 to 1"));
}

std::string text_of(const Resolved& resolved, const std::string& key) {
  for (const auto& entry : resolved.deck.entries) {
    if (entry.key == key) return entry.text;
  }
  return "(not listed)";
}

class DeckTest : public ::testing::Test {
 protected:
  DeckTest() : file_(fs::temp_directory_path() / ("rlaif-options-" + std::to_string(::getpid()) + ".cfg")) {}
  ~DeckTest() override { fs::remove(file_); }
  std::unique_ptr<Resolved> read(const std::string& bytes, const std::map<std::string, std::string>& keys = {}) {
    write_file_atomic(file_, bytes);
    CommandLine line;
    line.command = "study";
    line.dry_run = true;
    line.keys = keys;
    return resolve(file_, line);
  }
  std::string refusal(const std::string& bytes) {
    try {
      read(bytes);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  fs::path file_;
};

TEST_F(DeckTest, ASentenceIsWholeOrRefused) {
  EXPECT_EQ(read("[task]\nsystem = Answer as a C# developer. Use ## headings.\n")->study.task.system,
            "Answer as a C# developer. Use ## headings.");
  EXPECT_THAT(refusal("[task]\n\nsystem = Use # for headings\n"),
              AllOf(HasSubstr(file_.string() + ":3: task.system"), HasSubstr("quotation marks")));
  EXPECT_EQ(read("[task]\nsystem = \"Use # for headings\"  # quoted\n")->study.task.system, "Use # for headings");
}

TEST_F(DeckTest, WhoIncludesADeckMayNameOtherArmsAndJudges) {
  const fs::path base = fs::path(file_).replace_extension(".base.cfg");
  write_file_atomic(
      base, "[study]\narms = a b\njudges = ai\n[judge.ai]\nkind = local\n[arm.a]\njudge = ai\n[ppo]\nsteps = 7\n");
  const std::string include = "include = " + base.filename().string() + "\n[study]\narms = c\n";
  const auto resolved = read(include + "[arm.c]\njudge = ai\n");
  EXPECT_EQ(text_of(*resolved, "arm.c.judge"), "ai");
  EXPECT_EQ(text_of(*resolved, "ppo.steps"), "7");
  EXPECT_EQ(text_of(*resolved, "arm.a.judge"), "(not listed)");
  // Its own keys must be of its own arms, and what it includes may not set keys that nothing has.
  EXPECT_THAT(refusal(include + "[arm.a]\njudge = ai\n"), HasSubstr(file_.string() + ":5: unknown key 'arm.a.judge'"));
  write_file_atomic(base, "[study]\narms = c\njudges = ai\n[arm.c]\njugde = ai\n");
  EXPECT_THAT(refusal(include), HasSubstr(base.string() + ":5: arm.c.jugde: [arm.c] has algorithm = ppo"));
  fs::remove(base);
}

TEST_F(DeckTest, NumbersAndNamesTakeCommentsOfEveryForm) {
  const auto resolved = read(
      "[ppo]\nsteps = 8 # eight\nclip = 0.3 #three\nkl_estimator = k1\t## one\nwhiten_advantages = false "
      "#\n[run]\ndirectory = runs/a # there\n");
  EXPECT_EQ(text_of(*resolved, "ppo.steps"), "8");
  EXPECT_EQ(text_of(*resolved, "ppo.clip"), "0.3");
  EXPECT_EQ(text_of(*resolved, "ppo.whiten_advantages"), "false");
  EXPECT_EQ(resolved->study.run.directory, "runs/a");
  EXPECT_THAT(refusal("[ppo]\nsteps = 8#\n"), HasSubstr(file_.string() + ":2: ppo.steps: '8#' was given"));
}

// The size of an arm's stage, which its keys decide.
std::string size_of(const Resolved& resolved, const std::string& stage) {
  for (const run::Stage& one : stages::plan_stages(resolved.study, resolved.stages)) {
    if (one.name == stage) return one.size;
  }
  return "(no stage)";
}

TEST_F(DeckTest, AnArmHasTheKeysOfItsAlgorithmOverTheirSection) {
  const auto resolved = read(
      "[study]\narms = a b c\n[ppo]\nsteps = 8\n[dpo]\nbatch = 10\n[arm.*]\njudge = people\n[arm.b]\nsteps = 9\n"
      "[arm.c]\nalgorithm = dpo\njudge = ai\n[annotate]\nprompts = 100\n");
  EXPECT_THAT(size_of(*resolved, "ppo-a"), HasSubstr("8 steps of "));
  EXPECT_THAT(size_of(*resolved, "ppo-b"), HasSubstr("9 steps of "));
  EXPECT_THAT(size_of(*resolved, "dpo-c"), HasSubstr("10 steps of 10 pairs"));
  EXPECT_EQ(resolved->study.arms[0].judge, "people");
  EXPECT_EQ(resolved->study.arms[2].judge, "ai");
  EXPECT_EQ(text_of(*resolved, "arm.b.steps"), "9");
  EXPECT_EQ(text_of(*resolved, "arm.a.steps"), "(not listed)");
  EXPECT_EQ(text_of(*resolved, "dpo.batch"), "10");
}

TEST_F(DeckTest, AKeyForAllOfAKindIsAsIfItStoodInEach) {
  const std::string deck = "[study]\narms = a\n[arm.a]\nalgorithm = dpo\n";
  // The command line beats the deck, whichever of the two names all.
  const auto over = read(deck, {{"arm.*.algorithm", "ppo"}});
  EXPECT_THAT(size_of(*over, "ppo-a"), HasSubstr("responses"));
  EXPECT_THAT(size_of(*read(deck, {{"arm.*.batch", "7"}}), "dpo-a"), HasSubstr("of 7 pairs"));
  // A price that is named for all judges is no other than one that each names.
  const auto priced = read("[study]\narms =\njudges = one\n[judge.*]\nkind = openai\nmodel = m\nprice = ai-label\n");
  EXPECT_EQ(text_of(*priced, "judge.one.price"), "ai-label");
}

TEST_F(DeckTest, AKeyForAllJudgesGoesToThoseOfTheKindsThatHaveIt) {
  const std::string deck =
      "[study]\narms =\njudges = one people\n[judge.one]\nkind = openai\nprice = ai-label\n[judge.*]\n";
  const auto resolved = read(deck + "url = http://localhost:1/v1\n");
  EXPECT_EQ(text_of(*resolved, "judge.one.url"), "http://localhost:1/v1");
  EXPECT_EQ(text_of(*resolved, "judge.people.url"), "(not listed)");
  EXPECT_THAT(refusal(deck + "gate = 0.9\n"), HasSubstr("gate"));  // no judge here has it
}

TEST_F(DeckTest, AKeyOfAnotherKindOfJudgeIsRefused) {
  EXPECT_THAT(refusal("[judge.people]\nurl = http://localhost:1/v1\n"),
              AllOf(HasSubstr(file_.string() + ":2: judge.people.url: [judge.people] has kind = annotators"),
                    HasSubstr("it has kind, price, people, utility_noise, length_weight, flip_rate")));
  EXPECT_THAT(refusal("[judge.ai]\nkind = anthropic\ntop_logprobs = 5\n"), HasSubstr("kind = anthropic"));
  EXPECT_THAT(refusal("[judge.ai]\nkind = opnai\n"), HasSubstr("judge.ai.kind: unknown kind of judge 'opnai'"));
}

TEST_F(DeckTest, AKeyThatTheAlgorithmOfAnArmDoesNotHaveIsRefused) {
  EXPECT_THAT(refusal("[study]\narms = a\n[arm.a]\nbeta = 0.2\n"),
              AllOf(HasSubstr(file_.string() + ":4: arm.a.beta"), HasSubstr("algorithm = ppo")));
  EXPECT_THAT(refusal("[study]\narms = a\n[arm.a]\nalgorithm = dpo\nkl_coefficient = 0.2\n"),
              AllOf(HasSubstr(":5: arm.a.kl_coefficient"), HasSubstr("algorithm = dpo")));
  EXPECT_THAT(refusal("[study]\narms = a\n[arm.a]\nalgorithm = dop\n"), HasSubstr("arm.a.algorithm"));
  EXPECT_THAT(refusal("[study]\narms = a\n[arm.a]\nalgorithm = dpo\n[dpo]\nbeta = 0\n"), HasSubstr(":6: dpo.beta"));
  EXPECT_THAT(refusal("[study]\narms = a\n[arm.a]\nalgorithm = dpo\nlabel_smoothing = 0.1\n"),
              HasSubstr("label_smoothing"));
  EXPECT_THAT(refusal("[study]\narms = a b\n[arm.a]\nstart = b\n"), HasSubstr("arm.a.start"));
  EXPECT_THAT(refusal("[study]\narms = a\n[arm.a]\nstart = a\n"), HasSubstr("arm.a.start"));
  EXPECT_THAT(refusal("[study]\narms = a a\n"), HasSubstr("each name once"));
  EXPECT_THAT(refusal("[round.*]\njudge = ai\n"), HasSubstr("round.*.judge"));
}

TEST_F(DeckTest, ADeckIncludesAnotherAndItsOwnKeysHold) {
  const fs::path base = file_.string() + ".base";
  write_file_atomic(base, "[ppo]\nsteps = 8\nclip = 0.3\n");
  const std::string include = "include = " + base.filename().string() + "\n";
  const auto resolved = read(include + "[ppo]\nsteps = 9\n");
  EXPECT_EQ(text_of(*resolved, "ppo.steps"), "9");
  EXPECT_EQ(text_of(*resolved, "ppo.clip"), "0.3");
  write_file_atomic(base, "[ppo]\nclip = -1\n");
  EXPECT_THAT(refusal(include), HasSubstr(base.string() + ":2: ppo.clip"));
  write_file_atomic(base, "# the other one\ninclude = " + file_.filename().string() + "\n");
  EXPECT_THAT(refusal(include), AllOf(HasSubstr(base.string() + ":2: "), HasSubstr("includes itself")));
  EXPECT_THAT(refusal("include = nowhere.cfg\n"), AllOf(HasSubstr(file_.string() + ":1: "), HasSubstr("nowhere.cfg")));
  fs::remove(base);
}

TEST_F(DeckTest, WrongValuesOfADeckAreRefusedByLine) {
  EXPECT_THAT(refusal("[evaluate]\nsamples = 2\nblock = 0\n"),
              HasSubstr(file_.string() + ":3: evaluate.block: '0' was given, an integer from 1 to"));
  EXPECT_THAT(refusal("[ppo]\ntemperature = 0\n"),
              HasSubstr(":2: ppo.temperature: '0' was given, a number above 0 was expected"));
}

TEST_F(DeckTest, ThePrintedPlanReadsBackToTheSameDeck) {
  const std::map<std::string, std::string> keys{{"task.system", " Use # for headings,\n\"so\" "},
                                                {"run.directory", "/tmp/a # b"},
                                                {"judge.ai.kind", "openai"},
                                                {"judge.ai.model", "#1"},
                                                {"judge.ai.price", "ai-label"},
                                                {"io.model", "\"quoted\""},
                                                {"ppo.clip", "0.25"},
                                                {"judge.ai.reasoning_effort", "a\tb"}};
  const auto first = read("", keys);
  std::string plan = stages::describe_plan(first->study, first->stages, first->plan, first->deck, 1);
  plan = plan.substr(0, plan.find("\n# deck hash"));
  // Paths of the program's own inputs are written as they were given: relative to there.
  std::string deck;
  for (std::size_t at = 0; at < plan.size();) {
    const std::size_t end = std::min(plan.find('\n', at), plan.size());
    const std::string line = plan.substr(at, end - at);
    const bool is_input = line.find(".json") != std::string::npos || line.find(".txt") != std::string::npos;
    if (!is_input) deck += line + "\n";
    at = end + 1;
  }
  const auto again = read(deck);
  EXPECT_EQ(again->deck.hash(), first->deck.hash());
  for (const auto& [key, text] : keys) {
    for (const auto& entry : again->deck.entries) {
      if (entry.key != key) continue;
      EXPECT_EQ(entry.text, text) << key;
    }
  }
}

TEST(CommandLineKeys, AreTakenAsTheyStandAndTheLastOneHolds) {
  const char* arguments[] = {"rlaif",          "study",         "--task.system= a # b=\"c\" ",
                             "--run.shared=x", "--run.shared=", "--ppo.steps=1",
                             "--ppo.steps=2",  "deck.cfg"};
  const CommandLine line = parse_command_line(8, arguments);
  EXPECT_EQ(line.keys.at("task.system"), " a # b=\"c\" ");
  EXPECT_EQ(line.keys.at("run.shared"), "");
  EXPECT_EQ(line.keys.at("ppo.steps"), "2");
  EXPECT_EQ(line.command, "study");
  EXPECT_THAT(line.words, ::testing::ElementsAre("deck.cfg"));
  const char* broken[] = {"rlaif", "study", "--task.system=\xFF"};
  EXPECT_THROW(parse_command_line(3, broken), Error);
}

TEST(Help, ShowsRanges) {
  const auto resolved = resolve({}, line_of({}));
  const std::string help = command_help(*find_command("study"), resolved->table);
  EXPECT_THAT(help, HasSubstr("--ppo.top_p (1) [above 0 up to 1]"));
  EXPECT_THAT(help, HasSubstr("--ppo.epochs (1) [epochs, at least 1]"));
}

}  // namespace
}  // namespace rlaif::cli
