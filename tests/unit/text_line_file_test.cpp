// Lines of files as they are and compressed, told by their first bytes.
#include "rlaif/text/line_file.hpp"

#include <unistd.h>

#include <filesystem>

#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/text/jsonl.hpp"
#include "unit/text_fixtures.hpp"

namespace rlaif::text {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class LineFileTest : public ::testing::Test {
 protected:
  LineFileTest() : folder_(fs::temp_directory_path() / ("rlaif-lines-" + std::to_string(getpid()))) {
    make_folders(folder_);
  }
  ~LineFileTest() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& bytes) const {
    write_file_atomic(folder_ / name, bytes);
    return folder_ / name;
  }
  static std::vector<std::string> lines_of(const fs::path& file) {
    std::vector<std::string> lines;
    LineFile in(file);
    for (std::string_view line; in.next(line);) {
      lines.emplace_back(line);
      EXPECT_EQ(in.number(), lines.size());
    }
    return lines;
  }

  fs::path folder_;
};

std::string gzipped(const std::string& bytes) { return compressed_for("x.gz", bytes); }
std::string zstd_of(const std::string& bytes) { return compressed_for("x.zst", bytes); }

// Longer than a buffer, with empty lines, lines beyond a buffer and none at the end.
std::string long_text(std::vector<std::string>& lines) {
  Rng rng(3, Stream::test);
  std::string text;
  for (const std::size_t length : {5u, 0u, 300000u, 1u, 700000u, 0u, 262144u, 262143u, 7u}) {
    std::string line(length, 'x');
    for (char& c : line) c = static_cast<char>('a' + rng.below(26));
    text += (text.empty() && lines.empty() ? "" : "\n") + line;
    lines.push_back(line);
  }
  return text;
}

TEST_F(LineFileTest, lines_are_the_same_whatever_the_file_is_compressed_by) {
  std::vector<std::string> lines;
  const std::string text = long_text(lines);
  EXPECT_EQ(lines_of(write("a.jsonl", text)), lines);
  EXPECT_EQ(lines_of(write("a.jsonl.gz", gzipped(text))), lines);
  EXPECT_EQ(lines_of(write("a.jsonl.zst", zstd_of(text))), lines);
  EXPECT_EQ(lines_of(write("a.jsonl", text + "\n")), lines);
  EXPECT_LT(gzipped(text).size(), text.size());
  EXPECT_EQ(compressed_for("a.jsonl", text), text);
}

TEST_F(LineFileTest, first_bytes_tell_and_not_the_name) {
  EXPECT_THAT(lines_of(write("a.jsonl", gzipped("a\nb"))), ElementsAre("a", "b"));
  EXPECT_THAT(lines_of(write("b.gz", zstd_of("a\nb"))), ElementsAre("a", "b"));
  EXPECT_THAT(lines_of(write("c.gz", "a\nb")), ElementsAre("a", "b"));
  EXPECT_THAT(lines_of(write("d.zst", "a")), ElementsAre("a"));
  EXPECT_THAT(lines_of(write("e.gz", "")), ElementsAre());
  EXPECT_THAT(lines_of(write("f.gz", gzipped(""))), ElementsAre());
  EXPECT_THAT(lines_of(write("g.zst", zstd_of(""))), ElementsAre());
}

TEST_F(LineFileTest, members_and_frames_follow_one_another) {
  EXPECT_THAT(lines_of(write("a.gz", gzipped("a\nb") + gzipped("") + gzipped("c\n") + gzipped("d"))),
              ElementsAre("a", "bc", "d"));
  EXPECT_THAT(lines_of(write("a.zst", zstd_of("a\nb") + zstd_of("") + zstd_of("c\n") + zstd_of("d"))),
              ElementsAre("a", "bc", "d"));
  EXPECT_THAT(
      lines_of(write("padded.gz", gzipped("a\n") + std::string(700, '\0') + gzipped("b") + std::string(3, '\0'))),
      ElementsAre("a", "b"));
  const std::string skipped("\x5A\x2A\x4D\x18\x02\x00\x00\x00zz", 10);
  EXPECT_THAT(lines_of(write("parallel.zst", skipped + zstd_of("a"))), ElementsAre("a"));
}

TEST_F(LineFileTest, cut_short_at_any_byte_is_said_with_file_and_line) {
  std::vector<std::string> lines;
  const std::string text = "one\ntwo\nthree\n";
  for (const auto& [name, bytes] : {std::pair{"a.gz", gzipped(text)}, std::pair{"a.zst", zstd_of(text)}}) {
    for (std::size_t size = 4; size < bytes.size(); ++size) {
      const fs::path file = write(name, bytes.substr(0, size));
      expect_error([&] { lines_of(file); }, ErrorKind::input, {file.string() + ":", "cut short"});
    }
    // The first member is whole, the second one is not.
    const fs::path file = write(name, bytes + bytes.substr(0, bytes.size() - 1));
    expect_error([&] { lines_of(file); }, ErrorKind::input, {file.string() + ":", "cut short"});
  }
  const fs::path file = write("b.gz", gzipped("{\"a\": 1}\n") + gzipped("{\"a\": 2}\n").substr(0, 12));
  expect_error([&] { read_json_lines(file); }, ErrorKind::input, {file.string() + ":2: ", "(gzip) is cut short"});
}

TEST_F(LineFileTest, damage_is_said_with_file_and_line) {
  for (const auto& [name, text] :
       {std::pair{"a.gz", gzipped("one\ntwo\n")}, std::pair{"a.zst", zstd_of("one\ntwo\n")}}) {
    std::string bytes = text;
    bytes[bytes.size() - 1] ^= 0x55;
    const fs::path file = write(name, bytes + text);
    if (std::string(name) == "a.gz")
      expect_error([&] { lines_of(file); }, ErrorKind::input, {file.string() + ":", "is damaged"});
    const fs::path garbage = write(name, text + "garbage");
    expect_error([&] { lines_of(garbage); }, ErrorKind::input, {garbage.string() + ":", "is damaged"});
  }
}

TEST_F(LineFileTest, folders_and_absent_files_are_named) {
  expect_error([&] { LineFile file(folder_); }, ErrorKind::input, {folder_.string(), "is a folder"});
  expect_error([&] { LineFile file(folder_ / "none.gz"); }, ErrorKind::input, {"none.gz", "no such file"});
}

}  // namespace
}  // namespace rlaif::text
