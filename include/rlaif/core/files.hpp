// Files that are there whole or not at all: write a temporary name, sync, rename, sync the folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rlaif {

// Whole file as bytes. Throws Error(input) naming the file where it is missing or unreadable.
std::string read_file(const std::filesystem::path& file);

// Replaces `file` by `bytes` atomically and durably. Throws Error(resource) naming the file and the cause.
void write_file_atomic(const std::filesystem::path& file, std::string_view bytes);

// Temporary name beside `file`, unique to this process: where a library writes before commit_file.
std::filesystem::path temporary_name(const std::filesystem::path& file);
// fsync(temporary), rename to file, fsync the folder.
void commit_file(const std::filesystem::path& temporary, const std::filesystem::path& file);
void sync_folder(const std::filesystem::path& folder);
void make_folders(const std::filesystem::path& folder);

// XXH3 64-bit of bytes, and as 16 hex digits; file_checksum reads the file.
std::uint64_t checksum(std::string_view bytes);
std::string hex(std::uint64_t value);
std::string file_checksum(const std::filesystem::path& file);

// The same of bytes that come in pieces.
class RunningChecksum {
 public:
  RunningChecksum();
  RunningChecksum(RunningChecksum&&) noexcept;
  RunningChecksum& operator=(RunningChecksum&&) noexcept;
  ~RunningChecksum();
  void add(std::string_view bytes);
  // The first `size` bytes of a file, read piece by piece. Throws Error(input) where it has fewer.
  void add_file(const std::filesystem::path& file, std::uint64_t size);
  std::string value() const;  // 16 hex digits, of all so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A file of lines that grows: append, sync, cut back to a known size on resume.
class AppendFile {
 public:
  AppendFile() = default;
  // Opens for appending, cut back to `size` bytes first (0: empty). Throws Error(resource).
  AppendFile(const std::filesystem::path& file, std::uint64_t size);
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  ~AppendFile();

  void append(std::string_view bytes);  // throws Error(resource) when not all could be written
  void sync();
  std::uint64_t size() const { return size_; }

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace rlaif
