// A hundred thousand labelled pairs of 1 KB, read from files of every form and compression against the least that could be done:
// the bytes of the file, read once. Counters: MB/s of the plain text, seconds of the processor, which other programs alter less than
// those of the clock, and by how many MB the memory in use was higher at its peak than before (the records themselves are 1 KB each).
//   RLAIF_BENCH_FOLDER: where to write (default: the system's temporary folder). Needs 400 MB there.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/records/write.hpp"

namespace {

namespace fs = std::filesystem;
using namespace rlaif;

constexpr std::size_t pairs = 100000;

std::string words(Rng& rng, std::size_t count) {
  static const std::vector<std::string> known = {"the ", "answer ", "is ",    "“right” ", "and ", "brief, ",
                                                 "so ",  "I ",      "can't ", "naïve ",   "say ", "\"false\".\n"};
  std::string text;
  for (; count > 0; --count) text += rng.pick(known);
  return text;
}

std::vector<records::Record> make_records() {
  std::vector<records::Record> made(pairs);
  Rng rng(1, Stream::test);
  for (std::size_t i = 0; i < made.size(); ++i) {
    made[i].id = "pair/" + std::to_string(i);
    made[i].prompt.text = words(rng, 45);
    made[i].responses = {words(rng, 60) + "a", words(rng, 60) + "b"};
    made[i].label = made[i].stated = rng.below(2) == 0 ? 1.0 : 0.0;
  }
  return made;
}

// The files of all cases, gone at the end.
class Files {
 public:
  Files() {
    const char* base = std::getenv("RLAIF_BENCH_FOLDER");
    folder_ =
        (base ? fs::path(base) : fs::temp_directory_path()) / ("rlaif-records-bench-" + std::to_string(::getpid()));
    make_folders(folder_);
    const std::vector<records::Record> made = make_records();
    for (const char* name : {"pairs.jsonl", "pairs.jsonl.gz", "pairs.jsonl.zst"})
      records::write_records(folder_ / name, "pairs", made);
    records::write_records(folder_ / "turns.jsonl", "preference-conversational", made);
  }
  ~Files() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  fs::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  fs::path folder_;
};

const Files& files() {
  static const Files made;
  return made;
}

// Of this process, in MB: `field` is VmRSS, now, or VmHWM, the most since start_peak().
double memory(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field + ":")) return std::strtod(line.c_str() + field.size() + 1, nullptr) * 1024e-6;
  return 0.0;
}
void start_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

template <class Read>
void measure(benchmark::State& state, const std::string& name, const std::string& plain, Read read) {
  const double megabytes = static_cast<double>(fs::file_size(files() / plain)) * 1e-6;
  double seconds = 0.0, processor_seconds = 0.0, peak = 0.0;
  for (auto _ : state) {
    malloc_trim(0);
    start_peak();
    const double before = memory("VmRSS");
    const Stopwatch watch;
    const std::clock_t ticks = std::clock();
    read(files() / name);
    const double took = watch.seconds();
    processor_seconds += static_cast<double>(std::clock() - ticks) / CLOCKS_PER_SEC;
    peak = std::max(peak, memory("VmHWM") - before);
    seconds += took;
    state.SetIterationTime(took);
  }
  state.counters["MB"] = megabytes;
  state.counters["MB/s"] = megabytes * static_cast<double>(state.iterations()) / seconds;
  state.counters["cpu_seconds"] = processor_seconds / static_cast<double>(state.iterations());
  state.counters["peak_MB"] = peak;
}

void read_pairs(benchmark::State& state, const std::string& name, const std::string& plain) {
  measure(state, name, plain, [](const fs::path& file) {
    RLAIF_CHECK(records::read_records(file, records::Kind::pair).size() == pairs, "records were lost");
  });
}
void read_bytes(benchmark::State& state) {
  measure(state, "pairs.jsonl", "pairs.jsonl", [](const fs::path& file) { benchmark::DoNotOptimize(read_file(file)); });
}
void read_lines(benchmark::State& state) {
  measure(state, "pairs.jsonl", "pairs.jsonl", [](const fs::path& file) {
    for (text::JsonLineReader lines(file); lines.next();) benchmark::DoNotOptimize(lines.record().object);
  });
}

#define RECORDS_BENCHMARK(name, ...) \
  BENCHMARK_CAPTURE(__VA_ARGS__)->Name(name)->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond)
BENCHMARK(read_bytes)->Name("ReadPairs/baseline")->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);
BENCHMARK(read_lines)->Name("ReadPairs/json_alone")->UseManualTime()->Iterations(3)->Unit(benchmark::kMillisecond);
RECORDS_BENCHMARK("ReadPairs/plain", read_pairs, plain, "pairs.jsonl", "pairs.jsonl");
RECORDS_BENCHMARK("ReadPairs/gzip", read_pairs, gzip, "pairs.jsonl.gz", "pairs.jsonl");
RECORDS_BENCHMARK("ReadPairs/zstd", read_pairs, zstd, "pairs.jsonl.zst", "pairs.jsonl");
RECORDS_BENCHMARK("ReadPairs/conversational", read_pairs, turns, "turns.jsonl", "turns.jsonl");

}  // namespace

BENCHMARK_MAIN();
