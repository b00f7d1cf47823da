// A file of lines for each test, gone with it.
//   class Jsonl : public LinesFile {};   TEST_F(Jsonl, reads) { read_json_lines(write("{}\n")); }
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "rlaif/core/files.hpp"
#include "support/expect_error.hpp"

namespace rlaif {

class LinesFile : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& bytes) {
    write_file_atomic(file_, bytes);
    return file_;
  }
  void TearDown() override { std::filesystem::remove(file_); }

  // Reading this content by `read` fails with a message that holds file, line and parts.
  template <class Read>
  void expect_refused_by(Read read, const std::string& bytes, const std::string& line, std::vector<std::string> parts) {
    write(bytes);
    parts.push_back(file_.string() + (line.empty() ? "" : ":" + line));
    expect_error([&] { read(file_); }, ErrorKind::input, parts);
  }

  std::filesystem::path file_ = std::filesystem::temp_directory_path() /
                                ("rlaif_lines_" + std::to_string(getpid()) + "_" +
                                 ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".jsonl");
};

}  // namespace rlaif
