// Runs a fuzz target where libFuzzer is not at hand: the corpus, then changed inputs of it, drawn by a seed. Inputs that
// reach new code (the compiler reports its edges) join the corpus of the run. Takes libFuzzer's arguments:
//   TARGET [-runs=N] [-max_total_time=SECONDS] [-seed=N] [-max_len=BYTES] [-timeout=SECONDS] [-artifact_prefix=PATH] CORPUS...
// A finding ends the process with what the sanitizer says; the input is left as <prefix>crash-<checksum>.
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"

extern "C" {
// Memory is not asked for by the gigabyte because a file says so.
const char* __asan_default_options() { return "max_allocation_size_mb=1024:detect_leaks=0:handle_abort=1"; }
const char* __ubsan_default_options() { return "print_stacktrace=1:halt_on_error=1"; }
}

namespace {

using Input = std::vector<std::uint8_t>;
using Clock = std::chrono::steady_clock;

// Edges of the code seen so far, by a hash of (where from, where to), with how often in powers of two.
constexpr std::size_t kEdges = 1 << 16;
std::array<std::uint8_t, kEdges> edges_now{}, edges_seen{};
std::uintptr_t edge_from = 0;

bool reaches_new_code() {
  bool is_new = false;
  for (std::size_t i = 0; i < kEdges; ++i) {
    if (edges_now[i] == 0) {
      while (i % 8 == 0 && i + 8 < kEdges && std::memcmp(&edges_now[i], "\0\0\0\0\0\0\0", 8) == 0) i += 8;
      if (edges_now[i] == 0) continue;
    }
    const auto bucket = static_cast<std::uint8_t>(1 << std::min(7, 31 - __builtin_clz(edges_now[i])));
    is_new = is_new || (edges_seen[i] & bucket) == 0;
    edges_seen[i] |= bucket;
  }
  edges_now.fill(0);
  return is_new;
}

Input current;
std::string artifact_prefix;

void leave_input() {
  const std::string_view bytes = rlaif::fuzz::text_of(current.data(), current.size());
  const std::string name = artifact_prefix + "crash-" + rlaif::hex(rlaif::checksum(bytes));
  std::ofstream(name, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  std::fprintf(stderr, "fuzz: the input is left as %s\n", name.c_str());
}

void on_alarm(int) {
  std::fprintf(stderr, "fuzz: one input took too long\n");
  leave_input();
  std::_Exit(70);
}

// Draws in a fixed order from a seed: the same run twice is the same inputs.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : seed_(seed) {}
  std::uint64_t next() { return rlaif::hash_words({seed_, count_++}); }
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : next() % bound; }

 private:
  std::uint64_t seed_, count_ = 0;
};

// Pieces that formats are made of, so that changed inputs are not all refused at the first byte.
const std::vector<std::string> dictionary = {"{",
                                             "}",
                                             "[",
                                             "]",
                                             "\"",
                                             ":",
                                             ",",
                                             "null",
                                             "true",
                                             "-1",
                                             "0",
                                             "1e308",
                                             "9223372036854775807",
                                             "18446744073709551616",
                                             "\\u0000",
                                             "\\ud800",
                                             "\xff",
                                             "\xef\xbf\xbd",
                                             "\n",
                                             "\r\n",
                                             "= ",
                                             "[[",
                                             "]]",
                                             "<|",
                                             "|>",
                                             "../",
                                             "%n%s",
                                             "<script>",
                                             "[[[[[[[[",
                                             "{\"a\":",
                                             std::string(8, '\0'),
                                             std::string(4, '\xff'),
                                             "Verdict: A",
                                             "F32",
                                             "data_offsets",
                                             "shape"};

class Mutator {
 public:
  Mutator(Draws& draws, std::size_t longest) : draws_(draws), longest_(longest) {}

  Input change(const std::vector<Input>& corpus) {
    Input input = corpus[draws_.below(corpus.size())];
    for (std::size_t times = 1 + draws_.below(4); times > 0; --times) step(input, corpus);
    if (input.size() > longest_) input.resize(longest_);
    return input;
  }

 private:
  void step(Input& input, const std::vector<Input>& corpus) {
    const std::size_t at = draws_.below(input.size() + 1);
    const auto place = input.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t length =
        std::min<std::size_t>(1 + draws_.below(draws_.below(4) == 0 ? 256 : 8), input.size() - at);
    switch (draws_.below(8)) {
      case 0:
        if (at < input.size()) input[at] ^= static_cast<std::uint8_t>(1 << draws_.below(8));
        break;
      case 1:
        if (at < input.size()) input[at] = static_cast<std::uint8_t>(draws_.next());
        break;
      case 2: input.erase(place, place + static_cast<std::ptrdiff_t>(length)); break;
      case 3: {  // a piece of its own again
        const Input piece(place, place + static_cast<std::ptrdiff_t>(length));
        const auto to = static_cast<std::ptrdiff_t>(draws_.below(input.size() + 1));
        input.insert(input.begin() + to, piece.begin(), piece.end());
        break;
      }
      case 4: input.resize(at); break;
      case 5: {  // its beginning, another's end
        const Input& other = corpus[draws_.below(corpus.size())];
        input.resize(at);
        input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(draws_.below(other.size() + 1)),
                     other.end());
        break;
      }
      case 6: {
        const std::string& word = dictionary[draws_.below(dictionary.size())];
        input.insert(place, word.begin(), word.end());
        break;
      }
      default: {
        const std::string& word = dictionary[draws_.below(dictionary.size())];
        for (std::size_t i = 0; i < word.size() && at + i < input.size(); ++i)
          input[at + i] = static_cast<std::uint8_t>(word[i]);
        break;
      }
    }
  }

  Draws& draws_;
  std::size_t longest_;
};

struct Arguments {
  std::uint64_t runs = 0, seconds = 0, seed = 1, longest = 1 << 16, timeout = 20;  // 0 runs: no bound but the time
  std::vector<std::filesystem::path> folders;
};

Arguments read_arguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string text = argv[i];
    const std::size_t sign = text.find('=');
    if (!text.starts_with("-")) {
      arguments.folders.emplace_back(text);
      continue;
    }
    const std::string name = text.substr(0, sign), value = sign == std::string::npos ? "" : text.substr(sign + 1);
    if (name == "-artifact_prefix") artifact_prefix = value;
    if (name == "-runs") arguments.runs = std::stoull(value);
    if (name == "-max_total_time") arguments.seconds = std::stoull(value);
    if (name == "-seed") arguments.seed = std::stoull(value);
    if (name == "-max_len") arguments.longest = std::stoull(value);
    if (name == "-timeout") arguments.timeout = std::stoull(value);
  }
  return arguments;
}

std::vector<Input> read_corpus(const std::vector<std::filesystem::path>& folders) {
  std::set<std::filesystem::path> files;
  for (const auto& folder : folders) {
    if (std::filesystem::is_regular_file(folder)) files.insert(folder);
    if (!std::filesystem::is_directory(folder)) continue;
    for (const auto& item : std::filesystem::directory_iterator(folder)) files.insert(item.path());
  }
  std::vector<Input> corpus;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return corpus;
}

}  // namespace

extern "C" __attribute__((no_sanitize("address", "undefined"))) void __sanitizer_cov_trace_pc() {
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  std::uint8_t& count = edges_now[(here ^ edge_from) & (kEdges - 1)];
  if (count < 255) ++count;
  edge_from = here >> 1;
}

int main(int argc, char** argv) {
  const Arguments arguments = read_arguments(argc, argv);
  std::vector<Input> corpus = read_corpus(arguments.folders);
  const std::size_t given = corpus.size();
  __sanitizer_set_death_callback(leave_input);
  std::signal(SIGALRM, on_alarm);
  const auto run = [&](Input input) {
    current = std::move(input);
    edge_from = 0;
    ::alarm(static_cast<unsigned>(arguments.timeout));
    LLVMFuzzerTestOneInput(current.data(), current.size());
    ::alarm(0);
    return reaches_new_code();
  };
  const Clock::time_point begin = Clock::now();
  std::uint64_t runs = 0;
  for (const Input& input : corpus) {
    run(input);
    ++runs;
  }
  if (corpus.empty()) corpus.emplace_back();
  Draws draws(arguments.seed);
  Mutator mutator(draws, arguments.longest);
  const auto is_over = [&] {
    if (arguments.runs > 0 && runs >= arguments.runs) return true;
    return arguments.seconds > 0 && Clock::now() - begin >= std::chrono::seconds(arguments.seconds);
  };
  while (!is_over()) {
    if (run(mutator.change(corpus))) corpus.push_back(current);
    ++runs;
  }
  std::fprintf(stderr, "Done %llu runs, corpus %zu of which %zu given\n", static_cast<unsigned long long>(runs),
               corpus.size(), given);
  return 0;
}
