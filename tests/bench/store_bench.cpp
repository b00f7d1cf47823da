// The store against the least that could be done: the same bytes, written plainly and synced.
//   RLAIF_BENCH_FOLDER: where to write (default: the system's temporary folder). Needs 450 MB there.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/progress.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/preferences/store.hpp"

namespace {

namespace fs = std::filesystem;
using namespace rlaif;

constexpr std::size_t kRecords = 200000;
constexpr std::size_t kShards = 8;
constexpr std::size_t kShardRecords = kRecords / kShards;

std::string words(Rng& rng, std::size_t mean) {
  static const std::vector<std::string> known = {"the ", "answer ", "is ",    "right ",
                                                 "and ", "brief ",  "wordy ", "false "};
  std::string text;
  for (std::uint64_t left = mean / 2 + rng.below(mean); left > 0; --left) text += rng.pick(known);
  return text;
}

// About 1 kB a record, as in the study that chose the layout.
const std::vector<Preference>& shard_records() {
  static const std::vector<Preference> records = [] {
    std::vector<Preference> made(kShardRecords);
    Rng rng(1, Stream::test);
    for (std::size_t i = 0; i < made.size(); ++i) {
      Preference& record = made[i];
      record.comparison.id = i;
      record.comparison.prompt = {i / 6, words(rng, 30), "fact"};
      record.comparison.first.text = words(rng, 60);
      record.comparison.second.text = words(rng, 60);
      record.verdict.status = VerdictStatus::ok;
      record.verdict.p_first = rng.uniform();
      record.verdict.p_first_by_order = {rng.uniform(), rng.uniform()};
      record.verdict.rationale = words(rng, 20);
    }
    return made;
  }();
  return records;
}

// A folder that is removed with all that was written.
class BenchFolder {
 public:
  BenchFolder() {
    const char* base = std::getenv("RLAIF_BENCH_FOLDER");
    path_ = (base ? fs::path(base) : fs::temp_directory_path()) / ("rlaif-store-bench-" + std::to_string(::getpid()));
    make_folders(path_);
  }
  ~BenchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

double write_store(const fs::path& folder) {
  const Stopwatch watch;
  for (std::uint64_t shard = 0; shard < kShards; ++shard) {
    preferences::write_shard(folder, shard, "bench", shard_records());
  }
  return watch.seconds();
}

// write() and fsync() of given bytes into a new file, and nothing else.
double write_plainly(const fs::path& folder, const std::string& bytes) {
  const Stopwatch watch;
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    const fs::path file = folder / ("plain-" + std::to_string(shard));
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    RLAIF_CHECK(descriptor >= 0, file.string());
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t written = ::write(descriptor, bytes.data() + done, bytes.size() - done);
      RLAIF_CHECK(written > 0, file.string());
      done += static_cast<std::size_t>(written);
    }
    RLAIF_CHECK(::fsync(descriptor) == 0 && ::close(descriptor) == 0, file.string());
  }
  return watch.seconds();
}

// Time: the store's. Counters: seconds of both in turn, so that a disk's moods fall on both, and their ratio.
void write_store_against_plain(benchmark::State& state) {
  const BenchFolder folder;
  write_store(folder.path());  // makes the records, and the bytes to write plainly
  const std::string bytes = read_file(preferences::shard_path(folder.path(), 0));
  double store_seconds = 0, plain_seconds = 0;
  for (auto _ : state) {
    for (const auto& item : fs::directory_iterator(folder.path())) fs::remove(item.path());
    const double store = write_store(folder.path());
    plain_seconds += write_plainly(folder.path(), bytes);
    store_seconds += store;
    state.SetIterationTime(store);
  }
  const auto turns = static_cast<double>(state.iterations());
  state.SetItemsProcessed(static_cast<std::int64_t>(kRecords) * state.iterations());
  state.counters["megabytes"] = static_cast<double>(bytes.size() * kShards) / 1e6;
  state.counters["store_seconds"] = store_seconds / turns;
  state.counters["baseline_seconds"] = plain_seconds / turns;  // target: the store within 1.25 times it
}
BENCHMARK(write_store_against_plain)->UseManualTime()->Iterations(5)->Unit(benchmark::kMillisecond);

void read_whole_store(benchmark::State& state) {
  const BenchFolder folder;
  write_store(folder.path());
  preferences::finish_store(folder.path(), kShards, "bench");
  for (auto _ : state) {
    const auto records = preferences::read_store(folder.path());
    RLAIF_CHECK(records.size() == kRecords, "records were lost");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(kRecords) * state.iterations());
}
BENCHMARK(read_whole_store)->Iterations(3)->Unit(benchmark::kMillisecond);

// What one small block costs: mostly the sync.
void write_small_shard(benchmark::State& state) {
  const BenchFolder folder;
  const std::span<const Preference> records(shard_records().data(), 96);
  std::uint64_t block = 0;
  for (auto _ : state) preferences::write_shard(folder.path(), block++, "bench", records);
}
BENCHMARK(write_small_shard)->Iterations(50)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
