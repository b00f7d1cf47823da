// What fuzz targets share. A target is one file with LLVMFuzzerTestOneInput: libFuzzer runs it, or driver.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace rlaif::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Runs what must either work or throw rlaif::Error of a kind that bad input has. Anything else ends the process: an exception
// of a library that got out, an error that has no message.
void expect_clean(const std::function<void()>& f);

// A file in memory with a path, and a folder in memory; one of each a process, written anew every time.
std::filesystem::path memory_file(std::string_view bytes);
std::filesystem::path scratch_folder();  // empty at each call
void write_plain(const std::filesystem::path& file, std::string_view bytes);

// The input's parts, cut at the byte 0xff; `count` of them, the last ones empty where there are fewer.
std::vector<std::string_view> parts_of(std::string_view input, std::size_t count);

}  // namespace rlaif::fuzz
