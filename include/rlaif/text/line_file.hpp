// Lines of a file that is text as it stands or compressed by gzip or zstd. Its first bytes tell which, whatever its name says.
//   text::LineFile file("pairs.jsonl.gz");
//   for (std::string_view line; file.next(line);) ...
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace rlaif::text {

// Bytes of a file, decompressed where need be.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Up to `size` bytes; 0 at the end only. Throws Error(input) naming file and `line` where no more can be had.
  virtual std::size_t read(char* bytes, std::size_t size, std::size_t line) = 0;
};

class LineFile {
 public:
  // Throws Error(input) naming the file where it cannot be opened.
  explicit LineFile(const std::filesystem::path& file);
  LineFile(LineFile&&) = default;
  LineFile& operator=(LineFile&&) = default;

  // The next line without its end, which stays until the next call; false at the end. Throws Error(input) naming file and line
  // where what is compressed is damaged or cut short.
  bool next(std::string_view& line);
  std::size_t number() const { return number_; }  // of the last next(), from 1

 private:
  std::unique_ptr<ByteSource> source_;
  std::string buffer_, held_;  // held_: of a line that goes beyond the buffer
  std::string_view left_;      // of the buffer
  std::size_t number_ = 0;
};

// Bytes as a file of this name keeps them: gzip for .gz, zstd for .zst, else as they are. The same bytes give the same.
std::string compressed_for(const std::filesystem::path& file, std::string bytes);

}  // namespace rlaif::text
