// What a run has paid, read beside the processes that pay.
#include "rlaif/remote/paid_sums.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "rlaif/core/files.hpp"

namespace rlaif::remote {
namespace {

namespace fs = std::filesystem;

class PaidSumsTest : public testing::Test {
 protected:
  PaidSumsTest() : folder_(fs::temp_directory_path() / ("rlaif-paid-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
  }
  ~PaidSumsTest() override { fs::remove_all(folder_); }
  std::map<std::string, fs::path> folders() const { return {{"judge", folder_}}; }
  const cost::Asker ai{"judge", "ai"};
  fs::path folder_;
};

TEST_F(PaidSumsTest, WhatIsPaidAndHeldIsReadWhileItGrows) {
  PaidSums sums(folders());
  EXPECT_TRUE(sums.read().empty());  // nothing was asked yet, and no folder is made
  EXPECT_FALSE(fs::exists(folder_));
  EXPECT_EQ(paid_text(sums.read()), "");

  AnswerCache cache(folder_ / "ai", 0);
  cache.note_sent(request_hash("one"), 0.5);
  EXPECT_DOUBLE_EQ(sums.read().at(ai).held_usd, 0.5);
  cache.store(request_hash("one"), "{}", 0.25);
  cache.note_sent(request_hash("two"), 0.5);
  cache.note_failed(request_hash("two"));
  AnswerCache other(folder_ / "ai", 1);
  other.store(request_hash("three"), "{}", 0.125);
  const Paid paid = sums.read().at(ai);
  EXPECT_EQ(paid.answers, 2);
  EXPECT_DOUBLE_EQ(paid.paid_usd, 0.375);
  EXPECT_DOUBLE_EQ(paid.held_usd, 0.0);
  EXPECT_DOUBLE_EQ(PaidSums(folders()).read().at(ai).paid_usd, 0.375);  // at once as bit by bit
  EXPECT_EQ(paid_text(sums.read()), "$0.38");
}

TEST_F(PaidSumsTest, AWriterIsPaidOnItsOwnAccount) {
  const std::map<std::string, fs::path> both{{"judge", folder_ / "verdicts"}, {"writer", folder_ / "written"}};
  AnswerCache(folder_ / "verdicts" / "big", 0).store(request_hash("one"), "{}", 0.25);
  AnswerCache(folder_ / "written" / "big", 0).store(request_hash("two"), "{}", 0.5);
  const auto paid = PaidSums(both).read();
  EXPECT_DOUBLE_EQ(paid.at({"judge", "big"}).paid_usd, 0.25);
  EXPECT_DOUBLE_EQ(paid.at({"writer", "big"}).paid_usd, 0.5);
  EXPECT_EQ(paid_text(paid), "$0.75");
}

TEST_F(PaidSumsTest, ALineCountsOnceItIsWholeAndDamagedOnesAreCountedApart) {
  {
    AnswerCache(folder_ / "ai", 0).store(request_hash("one"), "{}", 0.25);
  }
  const fs::path segment = folder_ / "ai" / "rank-0-0.jsonl";
  const std::string line = read_file(segment);
  const auto append = [&](const std::string& text) { std::ofstream(segment, std::ios::app) << text; };
  append(line.substr(0, 40));
  PaidSums sums(folders());
  EXPECT_EQ(sums.read().at(ai).answers, 1);
  EXPECT_EQ(read_file(segment).size(), line.size() + 40);  // nothing is cut off
  append(line.substr(40));
  EXPECT_EQ(sums.read().at(ai).answers, 2);
  append("{\"checksum\":\"0123456789abcdef\",\"request\":\"\"}\n");
  EXPECT_EQ(sums.read().at(ai).answers, 2);
  EXPECT_EQ(sums.read().at(ai).damaged_lines, 1);
}

}  // namespace
}  // namespace rlaif::remote
