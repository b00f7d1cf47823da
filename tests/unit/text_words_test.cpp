#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlaif/text/words.hpp"

namespace rlaif::text {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(RuleWords, AreRunsOfLettersAndDigitsInSmallLetters) {
  EXPECT_THAT(words("Keep it in a DRY, cool place."), ElementsAre("keep", "it", "in", "a", "dry", "cool", "place"));
  EXPECT_THAT(words("salt/pepper (both) -- now"), ElementsAre("salt", "pepper", "both", "now"));
  EXPECT_THAT(words(""), IsEmpty());
  EXPECT_THAT(words(" \t\n -- !? ..."), IsEmpty());
}

TEST(RuleWords, KeepApostrophesHyphensNumbersAndAbbreviationsWhole) {
  EXPECT_THAT(words("Don't use 3.5 cups, e.g. of well-known flour"),
              ElementsAre("don't", "use", "3.5", "cups", "e.g", "of", "well-known", "flour"));
  EXPECT_THAT(words("don\u2019t \u2018quote\u2019"), ElementsAre("don't", "quote"));
  EXPECT_THAT(words("1,000 at 10:30 in the U.S.A."), ElementsAre("1,000", "at", "10:30", "in", "the", "u.s.a"));
  EXPECT_THAT(words("end.Next example.com -5 rock 'n' roll"),
              ElementsAre("end", "next", "example", "com", "5", "rock", "n", "roll"));
}

TEST(RuleWords, OfOtherScriptsAreCounted) {
  EXPECT_THAT(words("Ünïcode ÉTÉ naïve"), ElementsAre("ünïcode", "été", "naïve"));
  EXPECT_THAT(words("ПРИВЕТ мир"), ElementsAre("привет", "мир"));
  EXPECT_THAT(words("パンを食べる。"), ElementsAre("パ", "ン", "を", "食", "べ", "る"));
  EXPECT_THAT(words("한국어 문장"), ElementsAre("한국어", "문장"));
  EXPECT_THAT(words("cafe\u0301 ½ cup"), ElementsAre("cafe\u0301", "½", "cup"));
}

TEST(RuleWords, EmojiSymbolsAndIllFormedBytesAreNone) {
  EXPECT_THAT(words("Yes \U0001F600 \u2764\uFE0F \U0001F1EB\U0001F1F7 5 \u20AC \u2192 ok"),
              ElementsAre("yes", "5", "ok"));
  EXPECT_THAT(words("a\xFF"
                    "b \xE2\x82 c"),
              ElementsAre("a", "b", "c"));
}

TEST(RuleSentences, EndAtMarksBeforeWhiteSpace) {
  EXPECT_THAT(sentences("Dry it. Then fold it!  Is it flat?"), ElementsAre("Dry it.", "Then fold it!", "Is it flat?"));
  EXPECT_THAT(sentences("One sentence"), ElementsAre("One sentence"));
  EXPECT_THAT(sentences("Wait?! Yes."), ElementsAre("Wait?!", "Yes."));
  EXPECT_THAT(sentences("do this. then this."), ElementsAre("do this.", "then this."));
  EXPECT_THAT(sentences("It dries.Then fold."), ElementsAre("It dries.", "Then fold."));
  EXPECT_THAT(sentences(""), IsEmpty());
}

TEST(RuleSentences, NeedAWord) {
  EXPECT_THAT(sentences("... !!! \U0001F600"), IsEmpty());
  EXPECT_THAT(sentences("Done. \U0001F600 !"), ElementsAre("Done."));
}

TEST(RuleSentences, DoNotEndAtNumbersAndAbbreviations) {
  EXPECT_THAT(sentences("Use 3.5 cups, e.g. Of flour, i.e. a lot."),
              ElementsAre("Use 3.5 cups, e.g. Of flour, i.e. a lot."));
  EXPECT_THAT(sentences("Ask Dr. Smith vs. Mr. Jones."), ElementsAre("Ask Dr. Smith vs. Mr. Jones."));
  EXPECT_THAT(sentences("Salt, oil, etc. go in."), ElementsAre("Salt, oil, etc. go in."));
  EXPECT_THAT(sentences("Salt, oil, etc. Stir well."), ElementsAre("Salt, oil, etc.", "Stir well."));
  EXPECT_THAT(sentences("Eat at 6 p.m. at home. Sleep at 10 p.m. Rise early."),
              ElementsAre("Eat at 6 p.m. at home.", "Sleep at 10 p.m.", "Rise early."));
}

TEST(RuleSentences, DoNotEndAtInitialsAndNumbersOfLists) {
  EXPECT_THAT(sentences("J. R. Smith and John F. Kennedy met."), ElementsAre("J. R. Smith and John F. Kennedy met."));
  EXPECT_THAT(sentences("Oranges have vitamin C. They are sweet."),
              ElementsAre("Oranges have vitamin C.", "They are sweet."));
  EXPECT_THAT(sentences("1. Boil water.\n2. Add tea."), ElementsAre("1. Boil water.", "2. Add tea."));
  EXPECT_THAT(sentences("It has 7. Count them."), ElementsAre("It has 7.", "Count them."));
}

TEST(RuleSentences, EllipsesAndQuotationsGoOnWithASmallLetter) {
  EXPECT_THAT(sentences("Well... maybe not."), ElementsAre("Well... maybe not."));
  EXPECT_THAT(sentences("Well\u2026 maybe. Hm... No."), ElementsAre("Well\u2026 maybe.", "Hm...", "No."));
  EXPECT_THAT(sentences("\"Stop!\" he said. (It was late.) We left."),
              ElementsAre("\"Stop!\" he said.", "(It was late.)", "We left."));
  EXPECT_THAT(sentences("\u201CGo.\u201D He went."), ElementsAre("\u201CGo.\u201D", "He went."));
}

TEST(RuleSentences, EndAtLineBreaksAndWideMarks) {
  EXPECT_THAT(sentences("Tips:\n- Wash\n- Dry\r\n\r\nDone"), ElementsAre("Tips:", "- Wash", "- Dry", "Done"));
  EXPECT_THAT(sentences("水を飲む。「はい。」いいね！"), ElementsAre("水を飲む。", "「はい。」", "いいね！"));
}

TEST(RuleStems, BringFormsOfAWordTogether) {
  const auto same = [](const std::string& forms, const std::string& stem) {
    EXPECT_THAT(content_stems(forms), UnorderedElementsAre(stem)) << forms;
  };
  same("dry dries dried drying", "dri");
  same("store stores stored storing", "stor");
  same("stop stops stopped stopping", "stop");
  same("box boxes boxed boxing", "box");
  same("bake bakes baked baking", "bak");
  same("potato potatoes potato's", "potato");
  same("boil boils boiled boiling", "boil");
  same("fall falls falling fell fallen", "fal");
  same("freeze freezing froze frozen", "freez");
  same("quick quickly", "quick");
  same("glass glasses", "glas");
  same("key keys Key", "kei");
  same("tooth teeth", "tooth");
}

TEST(RuleStems, LeaveShortWordsAndOtherWordsApart) {
  EXPECT_THAT(content_stems("bring spring bed seed bus egg"),
              UnorderedElementsAre("bring", "spring", "bed", "seed", "bus", "egg"));
  EXPECT_THAT(content_stems("flow flower corn corner"), UnorderedElementsAre("flow", "flower", "corn", "corner"));
  EXPECT_THAT(content_stems("été café 7 3.5"), UnorderedElementsAre("été", "café", "7", "3.5"));
}

TEST(RuleStems, OfStopWordsAndSingleLettersAreNoContent) {
  EXPECT_THAT(content_stems("How do I keep it from getting worse? Don't you know what's best?"),
              UnorderedElementsAre("wors"));
  EXPECT_THAT(content_stems("Why is vitamin C well-known in ice-cream?"),
              UnorderedElementsAre("vitamin", "ice", "cream"));
}

}  // namespace
}  // namespace rlaif::text
