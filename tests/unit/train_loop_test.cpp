#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/throughput.hpp"
#include "train_support.hpp"

namespace rlaif::train::test {
namespace {

// MPI for the communicators of this binary; one rank.
class SessionEnvironment : public ::testing::Environment {
 public:
  void SetUp() override {
    static int argc = 0;
    static char** argv = nullptr;
    session_ = std::make_unique<comm::Session>(&argc, &argv);
    at::set_num_threads(1);
  }
  void TearDown() override { session_.reset(); }

 private:
  std::unique_ptr<comm::Session> session_;
};
[[maybe_unused]] const auto* const environment = ::testing::AddGlobalTestEnvironment(new SessionEnvironment);

constexpr std::int64_t kSteps = 10;

// Runs until `example` is asked for step `last`: a process that dies there.
void run_killed_in_step(const StageRun& run, std::int64_t last) {
  const auto dying = [&](std::int64_t i) {
    if (i / language_model_options(kSteps).batch >= last) throw std::runtime_error("killed");
    return successor_example(i);
  };
  EXPECT_THROW(run_language_model(run, kSteps, dying), std::runtime_error);
}

Outcome straight_run(const comm::Communicator& comm) {
  const TemporaryFolder folder;
  return run_language_model(stage_run(comm, folder.path()), kSteps);
}

std::vector<std::string> checkpoint_names(const StageRun& run) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(run.checkpoint_folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void damage(const std::filesystem::path& file) {
  std::string bytes = read_file(file);
  bytes[bytes.size() - 5] = static_cast<char>(bytes[bytes.size() - 5] ^ 1);
  std::ofstream(file, std::ios::binary) << bytes;
}

TEST(GrainItems, AreContiguousCoverAllAndDifferByAtMostOne) {
  for (const std::int64_t items : {0, 1, 3, 4, 10, 33}) {
    std::int64_t expected_begin = 0;
    for (int grain = 0; grain < 4; ++grain) {
      const auto [begin, end] = grain_items(items, grain, 4);
      EXPECT_EQ(begin, expected_begin);
      EXPECT_GE(end - begin, items / 4);
      EXPECT_LE(end - begin, items / 4 + 1);
      expected_begin = end;
    }
    EXPECT_EQ(expected_begin, items);
  }
}

TEST(DataParallel, SumsGradientsAndRowsOverAllGrains) {
  const auto comm = comm::Communicator::self();
  auto weight = torch::tensor({2.0F, -1.0F});
  FlatParameters parameters({{"all", {{"w", weight}}}});
  DataParallel data_parallel(comm, 5, parameters);
  const auto row = data_parallel.accumulate(2, [&](int grain) -> std::vector<double> {
    (weight * static_cast<double>(grain + 1)).sum().backward();
    return {1.0, static_cast<double>(grain)};
  });
  EXPECT_EQ(row, (std::vector<double>{5.0, 10.0}));
  EXPECT_TRUE(torch::equal(weight.grad(), torch::full({2}, 15.0F)));
}

TEST(Resume, AStoppedRunEndsInTheSameBytesAsAStraightOne) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  StageRun run = stage_run(comm, folder.path());
  int boundaries = 0;
  run.stop_requested = [&] { return ++boundaries > 4; };
  try {
    run_language_model(run, kSteps);
    FAIL() << "the stop was not obeyed";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
  EXPECT_EQ(checkpoint_names(run), (std::vector<std::string>{"step-00000004.safetensors"}));
  EXPECT_EQ(metrics_lines(run).size(), 4U);
  run.stop_requested = [] { return false; };
  EXPECT_EQ(run_language_model(run, kSteps), straight_run(comm));
}

TEST(Resume, AKilledRunGoesBackToItsCheckpointAndEndsInTheSameBytes) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  StageRun run = stage_run(comm, folder.path());
  run.checkpoint_every_steps = 3;
  run_killed_in_step(run, 7);
  EXPECT_EQ(checkpoint_names(run),
            (std::vector<std::string>{"step-00000003.safetensors", "step-00000006.safetensors"}));
  EXPECT_EQ(metrics_lines(run).size(), 7U);
  EXPECT_EQ(run_language_model(run, kSteps), straight_run(comm));
}

TEST(Resume, ADamagedNewestCheckpointIsPassedOver) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  StageRun run = stage_run(comm, folder.path());
  run.checkpoint_every_steps = 3;
  run_killed_in_step(run, 7);
  damage(run.checkpoint_folder / "step-00000006.safetensors");
  EXPECT_EQ(load_checkpoint(run).step, 3);
  EXPECT_EQ(run_language_model(run, kSteps), straight_run(comm));
}

TEST(Resume, WithoutAnyWholeCheckpointTheStageStartsAnew) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  StageRun run = stage_run(comm, folder.path());
  run.checkpoint_every_steps = 3;
  run_killed_in_step(run, 7);
  damage(run.checkpoint_folder / "step-00000003.safetensors");
  std::filesystem::resize_file(run.checkpoint_folder / "step-00000006.safetensors", 40);
  EXPECT_EQ(load_checkpoint(run).step, 0);
  EXPECT_EQ(run_language_model(run, kSteps), straight_run(comm));
}

TEST(Resume, FinalBytesDoNotDependOnTheCheckpointCadence) {
  const auto comm = comm::Communicator::self();
  const Outcome expected = straight_run(comm);
  for (const int every : {1, 4}) {
    const TemporaryFolder folder;
    StageRun run = stage_run(comm, folder.path());
    run.checkpoint_every_steps = every;
    EXPECT_EQ(run_language_model(run, kSteps), expected) << every;
  }
}

TEST(Resume, DamagedMetricsAreMadeAgainFromACheckpointThatKnowsThemWhole) {
  const auto comm = comm::Communicator::self();
  const Outcome expected = straight_run(comm);
  const auto spoil = [](const StageRun& run, std::uint64_t size, std::optional<std::uint64_t> flipped) {
    std::string bytes = read_file(run.metrics_file).substr(0, size);
    if (flipped) bytes[*flipped] ^= 1;
    write_file_atomic(run.metrics_file, bytes);
  };
  for (const std::uint64_t size : {std::uint64_t{10}, std::uint64_t{1} << 20}) {
    const TemporaryFolder folder;
    StageRun run = stage_run(comm, folder.path());
    run.checkpoint_every_steps = 3;
    run_killed_in_step(run, 7);
    spoil(run, size, size > 10 ? std::optional<std::uint64_t>(5) : std::nullopt);
    EXPECT_EQ(run_language_model(run, kSteps), expected) << size;
  }
}

TEST(Resume, ACheckpointOfAnotherModelNamesTheTensor) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  StageRun run = stage_run(comm, folder.path());
  save_checkpoint(run, {2, 0, Json::object(), {{"another", torch::ones({2})}}});
  write_file_atomic(run.metrics_file, "");
  try {
    run_language_model(run, kSteps);
    FAIL() << "a foreign checkpoint was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("tensor "), std::string::npos);
  }
}

TEST(Checkpoint, ComesBackWithEverythingItHeld) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const StageRun run = stage_run(comm, folder.path());
  Checkpoint written;
  written.step = 12;
  written.metrics_size = 345;
  written.extra["kl_coefficient"] = 0.1 + 0.2;
  written.tensors = {{"a", torch::arange(6, torch::kFloat32).view({2, 3})}, {"b", torch::tensor({1.5F})}};
  save_checkpoint(run, written);
  const Checkpoint read = load_checkpoint(run);
  EXPECT_EQ(read.step, 12);
  EXPECT_EQ(read.metrics_size, 345U);
  EXPECT_EQ(read.extra.at("kl_coefficient").get<double>(), 0.1 + 0.2);
  EXPECT_EQ(bytes_of(read.tensors), bytes_of(written.tensors));
}

TEST(Checkpoint, LeftoversOfAKilledWriterAreRemoved) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const StageRun run = stage_run(comm, folder.path());
  make_folders(run.checkpoint_folder);
  const auto leftover = temporary_name(run.checkpoint_folder / "step-00000009.safetensors");
  std::ofstream(leftover) << "half";
  EXPECT_EQ(load_checkpoint(run).step, 0);
  EXPECT_FALSE(std::filesystem::exists(leftover));
}

TEST(Metrics, HaveOneLineAStepCountedFromOne) {
  const auto comm = comm::Communicator::self();
  const TemporaryFolder folder;
  const StageRun run = stage_run(comm, folder.path());
  run_language_model(run, 3);
  const auto lines = metrics_lines(run);
  ASSERT_EQ(lines.size(), 3U);
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i].at("step"), i + 1);
}

TEST(MicroBatches, HoldAtMostTheBudgetLongestFirstAndEveryItemOnce) {
  const std::vector<std::int64_t> tokens = {4, 9, 4, 30, 1, 8};
  using Groups = std::vector<std::vector<std::size_t>>;
  EXPECT_EQ(micro_batches(tokens, 0), (Groups{{0, 1, 2, 3, 4, 5}}));
  EXPECT_EQ(micro_batches(tokens, 17), (Groups{{3}, {1, 5}, {0, 2, 4}}));
  EXPECT_EQ(micro_batches(tokens, 1), (Groups{{3}, {1}, {5}, {0}, {2}, {4}}));
  EXPECT_TRUE(micro_batches({}, 0).empty());
  EXPECT_TRUE(micro_batches({}, 10).empty());
}

TEST(TrainingFlops, AreSixAWeightInFullAndFourWithTheBaseFrozen) {
  auto model = tiny_model(1);
  // A layer: qkv [32, 16], output [16, 16], up [48, 16], down [16, 24]; the output matrix [12, 16].
  const double layer = 32 * 16 + 16 * 16 + 48 * 16 + 16 * 24, output = 12 * 16;
  EXPECT_EQ(training_flops_per_token(model, OutputMatrix::unused), 6 * 2 * layer);
  EXPECT_EQ(training_flops_per_token(model, OutputMatrix::used), 6 * (2 * layer + output));
  model::AdapterOptions options;
  options.rank = 2;
  options.targets = {"o_proj"};
  options.first_layer = 1;
  model.adapter = std::make_shared<model::Adapter>(model.config(), options, 1, model.device());
  EXPECT_EQ(training_flops_per_token(model, OutputMatrix::used), (2 + 4) * layer + 4 * output + 6 * 2 * (16 + 16));
}

}  // namespace
}  // namespace rlaif::train::test
