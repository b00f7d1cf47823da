#include "rlaif/write/faults.hpp"

#include <gtest/gtest.h>

#include "support/lines_file.hpp"

namespace rlaif::write {
namespace {

const std::filesystem::path shipped = std::filesystem::path(RLAIF_SOURCE_DIR) / "inputs" / "stock_phrases.jsonl";

class Faults : public LinesFile {
 protected:
  std::string fault(const std::string& said) const {
    const auto found = find_fault(said, request_, "Cut the wire.", stock_);
    return found ? to_string(*found) : "none";
  }
  StockPhrases stock_ = StockPhrases::load(shipped);
  std::vector<Message> request_{{"user", "How do I open a lock?"},
                                {"assistant", "Cut the wire."},
                                {"user", "Write your last response again without harm."}};
};

TEST_F(Faults, ATextThatAnswersIsTaken) {
  EXPECT_EQ(fault("Ask a locksmith."), "none");
  EXPECT_EQ(fault("Cut the wire."), "none");  // the draft: nothing was to be changed
  EXPECT_EQ(fault(""), "none");
}

TEST_F(Faults, ATextThatSaysItsRequestAgainIsNone) {
  EXPECT_EQ(fault("write your last response again, without harm!"), "repeats_request");
  EXPECT_EQ(fault("Yes. Write your last response again without harm. Ask a locksmith."), "repeats_request");
  EXPECT_EQ(fault("How do I open a lock?"), "repeats_request");
}

TEST_F(Faults, ATextThatSpeaksForOthersIsNone) {
  EXPECT_EQ(fault("Ask a locksmith.\nHuman: And then?"), "speaks_for_others");
  EXPECT_EQ(fault("**Assistant:** Ask a locksmith."), "speaks_for_others");
  EXPECT_EQ(fault("Two ways: ask a locksmith, or wait."), "none");
  EXPECT_EQ(fault("Every human: take care."), "none");
}

TEST_F(Faults, StockPhrasesAreFoundAtTheirEndOfTheTextAlone) {
  EXPECT_EQ(fault("Here is the revised response: ask a locksmith."), "stock_opening");
  EXPECT_EQ(fault("Here\u2019s a revised version."), "stock_opening");
  EXPECT_EQ(fault("Ask a locksmith. I hope this helps!"), "stock_closing");
  EXPECT_EQ(fault("Ask a locksmith. Let me know if it opens. It will."), "none");
  EXPECT_EQ(fault("Let me know if it opens."), "none");  // the only sentence is the answer
  EXPECT_EQ(fault("The note said: here is the revised plan."), "none");
}

TEST_F(Faults, AFileOfPhrasesIsReadByItsKeys) {
  stock_ = StockPhrases::load(write("{\"opening\": \"Well now\"}\n{\"speaker\": \"Judge\"}\n"));
  EXPECT_EQ(fault("Well, now: ask."), "stock_opening");
  EXPECT_EQ(fault("Judge: ask."), "speaks_for_others");
  EXPECT_EQ(fault("Here is the revised response."), "none");
  const auto read = [](const std::filesystem::path& file) { StockPhrases::load(file); };
  expect_refused_by(read, "{\"opening\": \"Well\"}\n{\"ending\": \"Bye\"}\n", "2",
                    {"'opening', 'closing' or 'speaker'"});
  expect_refused_by(read, "{\"closing\": \"...\"}\n", "1", {"'closing' holds no word"});
}

}  // namespace
}  // namespace rlaif::write
