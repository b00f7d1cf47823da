// Chains of revisions: which principles are drawn, what a writer is shown, what of its texts is taken, and what is learned from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "../../src/stages/makers/chains.hpp"
#include "../../src/stages/makers/revising.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "support/lines_file.hpp"

namespace rlaif::stages {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::filesystem::path inputs = std::filesystem::path(RLAIF_SOURCE_DIR) / "inputs";

// Writes what a function says; keeps what it was asked.
class SaidWriter final : public write::Writer {
 public:
  using Say = std::function<write::Written(const write::Request&)>;
  explicit SaidWriter(Say say) : say_(std::move(say)) {}
  const std::string& name() const override { return name_; }
  std::vector<write::Written> write(std::span<const write::Request> requests) override {
    std::vector<write::Written> all;
    for (const write::Request& request : requests) {
      asked.push_back(request);
      all.push_back(say_(request));
    }
    return all;
  }
  std::vector<write::Request> asked;

 private:
  std::string name_ = "said";
  Say say_;
};

write::Written text(const std::string& said) { return {VerdictStatus::ok, said, {10, 0, 2, 0.5}}; }

class Revisions : public LinesFile {
 protected:
  RevisingOptions options() {
    write(R"({"principles": [
      {"id": "safe", "text": "T", "weight": 3, "critique_request": "What is unsafe?", "revision_request": "Make it safe."},
      {"id": "brief", "text": "U", "critique_request": "What is long?", "revision_request": "Make it brief."}]})");
    std::filesystem::rename(file_, principles_);
    RevisingOptions options;
    options.principles = principles_;
    options.critique_template = inputs / "writer_templates" / "critique.txt";
    options.revision_template = inputs / "writer_templates" / "revise.txt";
    options.direct_template = inputs / "writer_templates" / "revise_directly.txt";
    options.stock = inputs / "stock_phrases.jsonl";
    return options;
  }
  void TearDown() override {
    std::filesystem::remove(principles_);
    LinesFile::TearDown();
  }
  static Chain chain(std::uint64_t id, const std::string& answer) {
    Chain chain;
    chain.prompt = {id, "How?", "fact"};
    chain.answer.text = answer;
    chain.answer.ended = true;
    return chain;
  }
  // One chain of two steps, its revisions as `said` has them in order; critiques are "c".
  static Chain revised(const RevisingOptions& options, std::vector<write::Written> said) {
    Revising revising("data.r", options, static_cast<int>(said.size()), 1);
    std::size_t next = 0;
    SaidWriter writer([&](const write::Request& request) {
      const bool is_critique = request.turns.back().content.starts_with("What is");
      return is_critique ? text("c") : said.at(next++);
    });
    std::vector<Chain> chains{chain(7, "Cut it.")};
    revising.revise(chains, writer);
    return chains.front();
  }

  std::filesystem::path principles_ = file_.string() + ".json";
};

TEST_F(Revisions, PrinciplesAreDrawnByWeightAndChain) {
  const Revising revising("data.r", options(), 1, 1);
  int safe = 0;
  for (std::uint64_t prompt = 0; prompt < 4000; ++prompt) safe += revising.drawn_principles(prompt).front() == 0;
  // Binomial of 4000 draws at 3/4: standard deviation 27.4; five of them.
  EXPECT_NEAR(safe, 3000, 137);
  EXPECT_EQ(revising.drawn_principles(5), Revising("data.r", options(), 1, 1).drawn_principles(5));
}

TEST_F(Revisions, WithoutRepeatsEachPrincipleComesOnceAndTurnsAreAtMostAsMany) {
  RevisingOptions o = options();
  o.draw = PrincipleDraw::without_repeats;
  const Revising revising("data.r", o, 2, 1);
  std::set<std::size_t> first;
  for (std::uint64_t prompt = 0; prompt < 50; ++prompt) {
    const auto drawn = revising.drawn_principles(prompt);
    ASSERT_THAT(drawn, SizeIs(2));
    EXPECT_NE(drawn[0], drawn[1]);
    first.insert(drawn[0]);
  }
  EXPECT_THAT(first, SizeIs(2));
  expect_error([&] { Revising("data.r", o, 3, 1); }, ErrorKind::usage, {"data.r.turns = 3", "at most 2"});
}

TEST_F(Revisions, ARevisionTakesTheAnswersPlaceAndIsWhatTheNextStepIsAskedAbout) {
  Revising revising("data.r", options(), 2, 1);
  int revisions = 0;
  SaidWriter writer([&](const write::Request& request) {
    if (request.turns.back().content.starts_with("What is")) return text("It cuts.");
    return text("Version " + std::to_string(++revisions) + ".");
  });
  std::vector<Chain> chains{chain(7, "Cut it.")};
  revising.revise(chains, writer);
  ASSERT_THAT(writer.asked, SizeIs(4));
  const auto& critique = writer.asked[0].turns;
  ASSERT_THAT(critique, SizeIs(3));
  EXPECT_EQ(critique[0], (Message{"user", "How?"}));
  EXPECT_EQ(critique[1], (Message{"assistant", "Cut it."}));
  EXPECT_EQ(writer.asked[1].turns[3], (Message{"assistant", "It cuts."}));
  EXPECT_EQ(writer.asked[2].turns[1], (Message{"assistant", "Version 1."}));
  std::set<std::uint64_t> ids;
  for (const write::Request& one : writer.asked) ids.insert(one.id);
  EXPECT_THAT(ids, SizeIs(4));
  const Chain& made = chains.front();
  ASSERT_THAT(made.steps, SizeIs(2));
  EXPECT_EQ(made.steps[0].critique, "It cuts.");
  EXPECT_EQ(made.steps[1].outcome, "changed");
  EXPECT_EQ(made.response_after(0), "Cut it.");
  EXPECT_EQ(made.response_after(1), "Version 1.");
  EXPECT_EQ(made.response_after(2), "Version 2.");
  EXPECT_EQ(made.texts, 4);
  EXPECT_EQ(made.usage.input_tokens, 40);
  EXPECT_DOUBLE_EQ(made.usage.cost_usd, 2.0);
}

TEST_F(Revisions, WithoutCritiquesRevisionsAreAskedForAtOnce) {
  RevisingOptions o = options();
  o.critiques = false;
  Revising revising("data.r", o, 1, 1);
  SaidWriter writer([](const write::Request&) { return text("Better."); });
  std::vector<Chain> chains{chain(7, "Cut it."), chain(8, "Go.")};
  chains[1].is_revised = false;
  revising.revise(chains, writer);
  ASSERT_THAT(writer.asked, SizeIs(1));
  EXPECT_THAT(writer.asked[0].turns, SizeIs(3));
  EXPECT_EQ(chains[0].steps.front().critique, "");
  EXPECT_THAT(chains[1].steps, IsEmpty());
}

TEST_F(Revisions, WhatIsNoRevisionIsNamedAndTheResponseStaysAsItWas) {
  const std::vector<std::pair<write::Written, std::string>> cases{
      {text("Ask first."), "changed"},
      {text("Cut it."), "unchanged"},
      {{VerdictStatus::truncated, "", {}}, "truncated"},
      {{VerdictStatus::refused, "", {}}, "refused"},
      {{VerdictStatus::unparseable, "", {}}, "empty"},
      {text("Make it safe. Reply with the response alone."), "repeats_request"},
      {text("How?"), "repeats_request"},
      {text("Human: Ask first."), "speaks_for_others"},
      {text("Here is the revised response: ask first."), "stock_opening"},
      {text("Ask first. I hope this helps."), "stock_closing"}};
  RevisingOptions o = options();
  o.draw = PrincipleDraw::without_repeats;
  for (const auto& [said, outcome] : cases) {
    Chain one;
    for (std::uint64_t seed = 0; one.steps.empty() || one.steps[0].principle != "safe"; ++seed) {
      Revising revising("data.r", o, 1, seed);
      SaidWriter writer([&](const write::Request& request) {
        return request.turns.back().content.starts_with("What is") ? text("c") : said;
      });
      std::vector<Chain> chains{chain(7, "Cut it.")};
      revising.revise(chains, writer);
      one = chains.front();
    }
    EXPECT_EQ(one.steps[0].outcome, outcome);
    EXPECT_EQ(one.response_after(1), outcome == "changed" ? "Ask first." : "Cut it.") << outcome;
  }
}

TEST_F(Revisions, ACritiqueThatDoesNotComeIsCountedAndAsksForNoRevision) {
  Revising revising("data.r", options(), 1, 1);
  SaidWriter writer([](const write::Request&) { return write::Written{VerdictStatus::missing, "", {}}; });
  std::vector<Chain> chains{chain(7, "Cut it.")};
  revising.revise(chains, writer);
  EXPECT_THAT(writer.asked, SizeIs(1));
  EXPECT_EQ(chains[0].steps[0].outcome, "no_critique");
}

TEST_F(Revisions, StockPhrasesMayBeTakenAndAreCountedAllTheSame) {
  RevisingOptions o = options();
  o.drops_stock = false;
  const Chain one = revised(o, {text("Ask first. I hope this helps.")});
  EXPECT_EQ(one.steps[0].outcome, "changed");
  EXPECT_EQ(one.steps[0].stock, "stock_closing");
  const Json facts = chain_facts({one});
  EXPECT_EQ(facts["steps"][0]["changed"], 1);
  EXPECT_EQ(facts["steps"][0]["with_stock_closing"], 1);
}

TEST_F(Revisions, ExamplesAreEarlierTurnsOfTheSameTemplate) {
  RevisingOptions o = options();
  o.examples = write(R"({"prompt": "P", "response": "R", "principle": "brief", "critique": "C", "revision": "V"})"
                     "\n");
  const Revising revising("data.r", o, 1, 1);
  const auto turns = revising.revision_turns({7, "How?", ""}, "Cut it.", 0, "It cuts.");
  ASSERT_THAT(turns, SizeIs(11));
  EXPECT_EQ(turns[0].content, "P");
  EXPECT_EQ(turns[2].content, "What is long?");
  EXPECT_EQ(turns[5], (Message{"assistant", "V"}));
  EXPECT_EQ(turns[6].content, "How?");
  EXPECT_THAT(revising.critique_turns({7, "How?", ""}, "Cut it.", 0), SizeIs(7));
  write(R"({"prompt": "P", "response": "R", "principle": "breif", "critique": "C", "revision": "V"})"
        "\n");
  expect_error([&] { Revising("data.r", o, 1, 1); }, ErrorKind::input, {":1: ", "\"breif\"", "id of a principle"});
}

TEST_F(Revisions, APrincipleWithoutARequestIsRefusedByName) {
  RevisingOptions o = options();
  write(R"({"principles": [{"id": "safe", "text": "T", "revision_request": "Make it safe."}]})");
  std::filesystem::rename(file_, principles_);
  expect_error([&] { Revising("data.r", o, 1, 1); }, ErrorKind::input, {"principle 'safe'", "'critique_request'"});
  o.critiques = false;
  EXPECT_NO_THROW(Revising("data.r", o, 1, 1));
  write(R"({"principles": [{"id": "safe", "text": "T", "critique_request": "What is unsafe?"}]})");
  std::filesystem::rename(file_, principles_);
  expect_error([&] { Revising("data.r", o, 1, 1); }, ErrorKind::input, {"principle 'safe'", "'revision_request'"});
}

TEST_F(Revisions, ATemplateWithAPlaceOfAnotherIsRefused) {
  RevisingOptions o = options();
  o.critique_template = write("%% user\n{prompt} {response} {critique_request} {first}\n");
  expect_error([&] { Revising("data.r", o, 1, 1); }, ErrorKind::input, {":2: unknown placeholder 'first'"});
  write("%% user\n{prompt} {critique_request}\n");
  expect_error([&] { Revising("data.r", o, 1, 1); }, ErrorKind::input, {"placeholder {response} is missing"});
  write("%% style: verdict_first\n%% user\n{prompt} {response} {critique_request}\n");
  expect_error([&] { Revising("data.r", o, 1, 1); }, ErrorKind::input,
               {":1: ", "conversations that ask for a verdict"});
}

std::vector<std::string> responses(const Chain& chain, const std::string& steps, ChainCounts& left_out) {
  std::vector<std::string> texts;
  for (const Demonstration& one : demonstrations_of(chain, StepRange::read("k", steps, 3), left_out))
    texts.push_back(one.response);
  return texts;
}

TEST_F(Revisions, StepsChooseWhatIsLearned) {
  Chain one = chain(7, "A0.");
  one.steps = {{"safe", "c", "A1.", "changed"}, {"safe", "c", "", "refused"}, {"brief", "c", "A1.", "unchanged"}};
  ChainCounts left_out;
  EXPECT_THAT(responses(one, "0", left_out), ElementsAre("A0."));
  EXPECT_THAT(responses(one, "1", left_out), ElementsAre("A1."));
  EXPECT_THAT(left_out, IsEmpty());
  EXPECT_THAT(responses(one, "2", left_out), IsEmpty());
  EXPECT_EQ(left_out["steps_without_revision"], 1);
  EXPECT_THAT(responses(one, "0..2", left_out), ElementsAre("A0.", "A1."));
  EXPECT_THAT(responses(one, "all", left_out), ElementsAre("A1.", "A1."));
  EXPECT_THAT(responses(one, "last", left_out), ElementsAre("A1."));
  one.steps = {{"safe", "", "", "no_critique"}};
  EXPECT_THAT(responses(one, "last", left_out), IsEmpty());
  EXPECT_EQ(left_out["chains_without_revision"], 1);
  one.answer.ended = false;
  EXPECT_THAT(responses(one, "0", left_out), IsEmpty());
  EXPECT_EQ(left_out["answers_unended"], 1);
  one = chain(8, "Help.");
  one.is_revised = false;
  EXPECT_THAT(responses(one, "2..3", left_out), ElementsAre("Help."));
  for (const char* wrong : {"4", "2..1", "-1", "first", "1..", "0..9", ""})
    expect_error([&] { StepRange::read("data.r.steps", wrong, 3); }, ErrorKind::usage, {"data.r.steps", "to 3"});
}

TEST_F(Revisions, APairIsTheLastRevisionAgainstTheAnswerInEitherPlace) {
  ChainCounts left_out;
  int first = 0;
  for (std::uint64_t id = 0; id < 64; ++id) {
    Chain one = chain(id, "A0.");
    one.steps = {{"safe", "c", "A1.", "changed"}, {"safe", "c", "A2.", "changed"}, {"safe", "c", "x", "truncated"}};
    const auto pair = pair_of(one, left_out);
    ASSERT_TRUE(pair);
    const bool revision_first = *pair->label == 1.0;
    first += revision_first;
    EXPECT_EQ((revision_first ? pair->first : pair->second).text, "A2.");
    EXPECT_EQ((revision_first ? pair->second : pair->first).text, "A0.");
  }
  EXPECT_GT(first, 15);
  EXPECT_LT(first, 49);
  Chain back = chain(1, "A0.");
  back.steps = {{"safe", "c", "A1.", "changed"}, {"safe", "c", "A0.", "changed"}};
  EXPECT_FALSE(pair_of(back, left_out));
  back.steps.clear();
  EXPECT_FALSE(pair_of(back, left_out));
  EXPECT_THAT(left_out, ElementsAre(std::pair<const std::string, std::int64_t>("chains_unchanged", 1),
                                    std::pair<const std::string, std::int64_t>("chains_without_revision", 1)));
}

TEST_F(Revisions, AChainComesBackFromItsFileAsItWas) {
  Chain one = chain(7, "A0.");
  one.answer.ended = false;
  one.steps = {{"safe", "c", "A1.", "changed", "stock_closing"}};
  one.usage = {5, 0, 6, 0.25};
  one.texts = 2;
  write(to_json(one).dump() + "\n");
  const std::vector<Chain> read = read_chains(file_);
  ASSERT_THAT(read, SizeIs(1));
  EXPECT_EQ(to_json(read.front()), to_json(one));
  write("{\"prompt\": \"P\", \"id\": 1, \"family\": \"\", \"answer\": \"A\", \"ended\": true, \"revised\": true}\n");
  expect_error([&] { read_chains(file_); }, ErrorKind::input, {":1: ", "'steps'"});
}

}  // namespace
}  // namespace rlaif::stages
