// Demonstrations as files: what is read of them, and what is said of lines that are none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <numeric>

#include "../../src/stages/makers/demonstrations.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "support/expect_error.hpp"

namespace rlaif::stages {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Demonstrations : public ::testing::Test {
 protected:
  Demonstrations() : folder_(fs::temp_directory_path() / ("rlaif-demonstrations-" + std::to_string(getpid()))) {
    make_folders(folder_);
  }
  ~Demonstrations() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& text) const {
    write_file_atomic(folder_ / name, text);
    return folder_ / name;
  }

  fs::path folder_;
};

const std::string good = R"({"prompt": "What is 2 plus 3?", "response": "5."})";

TEST_F(Demonstrations, OfAFileAreItsLinesInOrder) {
  const auto read =
      read_demonstration_file(write("a.jsonl", good + "\n\n" + R"({"prompt": "b", "response": ""})" + "\n"));
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].prompt.text, "What is 2 plus 3?");
  EXPECT_EQ(read[0].response, "5.");
  EXPECT_EQ(read[1].prompt.text, "b");
}

TEST_F(Demonstrations, MayAnswerAConversation) {
  const std::string line =
      R"({"prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}], "response": "a"})";
  const auto read = read_demonstration_file(write("a.jsonl", line + "\n"));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].prompt.turns, (std::vector<Message>{{"system", "s"}, {"user", "u"}}));
  EXPECT_EQ(read[0].prompt.text, "System: s\n\nUser: u");
}

TEST_F(Demonstrations, OfEveryTurnAreAnAnswerEach) {
  const std::string line =
      R"({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}, )"
      R"({"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "v"}, )"
      R"({"role": "assistant", "content": ""}, {"role": "user", "content": "w"}, {"role": "assistant", "content": "c"}]})";
  auto last = read_demonstration_file(write("a.jsonl", line + "\n"));
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last[0].response, "c");
  last.push_back(read_demonstration_file(write("b.jsonl", good + "\n")).front());
  const auto every = every_answer(last);
  ASSERT_EQ(every.size(), 3u);
  EXPECT_EQ(every[0].response, "a");
  EXPECT_EQ(every[0].prompt.turns, (std::vector<Message>{{"system", "s"}, {"user", "u"}}));
  EXPECT_EQ(every[1].response, "c");
  EXPECT_EQ(every[1].prompt.turns.size(), 7u);
  EXPECT_EQ(every[2].response, "5.");
}

TEST_F(Demonstrations, WithoutAKeyAreRefusedByFileAndLine) {
  const fs::path file = write("a.jsonl", good + "\n" + R"({"prompt": "b"})" + "\n");
  EXPECT_THAT(input_refusal([&] { read_demonstration_file(file); }),
              AllOf(HasSubstr("a.jsonl:2"), HasSubstr("response")));
  EXPECT_THAT(input_refusal([&] { read_demonstration_file(write("b.jsonl", "\n")); }),
              AllOf(HasSubstr("b.jsonl"), HasSubstr("at least one was expected")));
}

TEST_F(Demonstrations, OfADataSetAreThoseThatItsManifestCounts) {
  write("block-000000.jsonl", good + "\n");
  write("block-000001.jsonl", good + "\n" + good + "\n");
  write_sealed_json(folder_ / "manifest.json", {{"kind", "demonstrations"}, {"blocks", 2}, {"demonstrations", 3}});
  EXPECT_EQ(read_demonstrations(folder_).size(), 3u);
  write("block-000001.jsonl", good + "\n");
  EXPECT_THAT(input_refusal([&] { read_demonstrations(folder_); }), HasSubstr("3 demonstrations were expected"));
}

TEST_F(Demonstrations, AreReadOnceAnEpochInAnOrderOfItsOwn) {
  const EpochOrder order(5, 2, 7);
  EXPECT_EQ(order.steps(3), 3);
  std::vector<std::int64_t> first, second, all(5);
  for (std::int64_t i = 0; i < 5; ++i) first.push_back(order[i]), second.push_back(order[5 + i]);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_NE(first, second);
  EXPECT_THAT(first, ::testing::UnorderedElementsAreArray(all));
  EXPECT_THAT(second, ::testing::UnorderedElementsAreArray(all));
}

}  // namespace
}  // namespace rlaif::stages
