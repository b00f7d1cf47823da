#include "rlaif/remote/answer_cache.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"

namespace rlaif::remote {
namespace {

namespace fs = std::filesystem;

class AnswerCacheTest : public testing::Test {
 protected:
  AnswerCacheTest() : folder_(fs::temp_directory_path() / ("rlaif-answers-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
  }
  ~AnswerCacheTest() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(AnswerCacheTest, AnswersAreThereForTheNextProcessOnAnyNumberOfRanks) {
  const std::string body = "{\"text\": \"line\\nbreak \xF0\x9F\x98\x80\"}\n";
  {
    AnswerCache first(folder_, 0), second(folder_, 1);
    first.store(request_hash("one"), body, 0.25);
    second.store(request_hash("two"), "2", 0.5);
    EXPECT_EQ(first.find(request_hash("one")), body);
    EXPECT_FALSE(first.contains(request_hash("two")));
  }
  const AnswerCache later(folder_, 7);
  EXPECT_EQ(later.size(), 2u);
  EXPECT_EQ(later.segments(), 2u);
  EXPECT_EQ(later.find(request_hash("one")), body);
  EXPECT_EQ(later.find(request_hash("two")), "2");
  EXPECT_DOUBLE_EQ(later.paid_usd(), 0.75);
}

TEST_F(AnswerCacheTest, NoTwoProcessesWriteOneFile) {
  AnswerCache one(folder_, 0), same_rank(folder_, 0);
  one.store(request_hash("a"), "1", 0);
  same_rank.store(request_hash("b"), "2", 0);
  EXPECT_TRUE(fs::exists(folder_ / "rank-0-0.jsonl"));
  EXPECT_TRUE(fs::exists(folder_ / "rank-0-1.jsonl"));
}

TEST_F(AnswerCacheTest, ATornLastLineIsCutAndSaid) {
  {
    AnswerCache(folder_, 0).store(request_hash("a"), "1", 0);
  }
  const fs::path segment = folder_ / "rank-0-0.jsonl";
  const std::string whole = read_file(segment);
  std::ofstream(segment, std::ios::app) << whole.substr(0, whole.size() / 2);
  testing::internal::CaptureStderr();
  const AnswerCache again(folder_, 0);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("rank-0-0.jsonl: the last line was torn by a kill"),
            std::string::npos);
  EXPECT_EQ(again.size(), 1u);
  EXPECT_EQ(read_file(segment), whole);
}

TEST_F(AnswerCacheTest, TheLineThatALivingProcessIsWritingIsLeftAlone) {
  AnswerCache writer(folder_, 0);
  writer.store(request_hash("a"), "1", 0);
  std::ofstream(folder_ / "rank-0-0.jsonl", std::ios::app) << "{\"check";
  const auto size = fs::file_size(folder_ / "rank-0-0.jsonl");
  EXPECT_EQ(AnswerCache(folder_, 1).size(), 1u);
  EXPECT_EQ(fs::file_size(folder_ / "rank-0-0.jsonl"), size);
}

TEST_F(AnswerCacheTest, ADamagedLineIsAnErrorThatNamesIt) {
  {
    AnswerCache cache(folder_, 0);
    cache.store(request_hash("a"), "first", 0);
    cache.store(request_hash("b"), "second", 0);
  }
  const fs::path segment = folder_ / "rank-0-0.jsonl";
  std::string bytes = read_file(segment);
  bytes[bytes.find("first")] = 'F';
  std::ofstream(segment) << bytes;
  try {
    AnswerCache(folder_, 0);
    FAIL() << "a damaged line was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("rank-0-0.jsonl:1: the line is damaged"), std::string::npos)
        << error.what();
  }
}

TEST_F(AnswerCacheTest, WhatWasSentAndNeverHeardOfStaysHeld) {
  {
    AnswerCache cache(folder_, 0);
    cache.note_sent(request_hash("answered"), 1.0);
    cache.store(request_hash("answered"), "1", 0.25);
    cache.note_sent(request_hash("failed"), 1.0);
    cache.note_failed(request_hash("failed"));
    cache.note_sent(request_hash("killed"), 0.5);
    cache.note_sent(request_hash("twice"), 0.125);
    cache.note_sent(request_hash("twice"), 0.125);
    cache.store(request_hash("twice"), "1", 0.0);
  }
  const AnswerCache again(folder_, 0);
  EXPECT_DOUBLE_EQ(again.paid_usd(), 0.25);
  EXPECT_DOUBLE_EQ(again.unsettled_usd(), 0.625);
}

TEST_F(AnswerCacheTest, AHundredThousandAnswersOpenInUnderTwoSeconds) {
  const std::string body(1000, 'x');
  {
    AnswerCache cache(folder_, 0);
    for (int i = 0; i < 100000; ++i) {
      const RequestHash hash = request_hash("request " + std::to_string(i));
      cache.note_sent(hash, 0.01);
      cache.store(hash, body, 0.001);
    }
  }
  const auto begin = std::chrono::steady_clock::now();
  const AnswerCache cache(folder_, 0);
  const double wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("100000 answers of 1 kB opened in %.3f s\n", wall_seconds);
  EXPECT_EQ(cache.size(), 100000u);
  EXPECT_LT(wall_seconds, 2.0);
}

}  // namespace
}  // namespace rlaif::remote
