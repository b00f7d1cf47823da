#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/tools/sweep.hpp"

namespace rlaif::tools {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string refusal(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(SweepAxis, OneKey) {
  const SweepAxis axis = parse_axis("kl", "ppo.kl_coefficient: 0.05 | 0.2|1");
  EXPECT_THAT(axis.keys, ElementsAre("ppo.kl_coefficient"));
  ASSERT_EQ(axis.values.size(), 3u);
  EXPECT_EQ(axis.values[1].label, "0.2");
  EXPECT_THAT(axis.values[2].texts, ElementsAre("1"));
}

TEST(SweepAxis, SeveralKeysWithLabelsAndPaths) {
  const SweepAxis axis =
      parse_axis("judge", "judge.ai.model, judge.ai.template: small, a/first.txt | big = large, b/reasons.txt");
  EXPECT_THAT(axis.keys, ElementsAre("judge.ai.model", "judge.ai.template"));
  EXPECT_EQ(axis.values[0].label, "small");
  EXPECT_EQ(axis.values[1].label, "big");
  EXPECT_THAT(axis.values[1].texts, ElementsAre("large", "b/reasons.txt"));
  EXPECT_EQ(parse_axis("style", "judge.ai.template: a/first.txt | b/reasons.txt").values[1].label, "reasons");
}

TEST(SweepAxis, WhatIsRefused) {
  EXPECT_THAT(refusal([] { parse_axis("kl", "0.1 | 0.2"); }), HasSubstr("sweep.axis.kl: there is no ':'"));
  EXPECT_THAT(refusal([] { parse_axis("kl", "ppo: 1"); }), HasSubstr("'ppo' is no key"));
  EXPECT_THAT(refusal([] { parse_axis("m", "a.b, a.c: 1, 2 | 3"); }), HasSubstr("'3' has 1 values for 2 keys"));
  EXPECT_THAT(refusal([] { parse_axis("m", "a.b: x/one.txt | y/one.txt"); }), HasSubstr("two values are called 'one'"));
  EXPECT_THAT(refusal([] { parse_axis("seed", "run.seed: 0 | 1"); }), HasSubstr("sweep.seeds"));
  EXPECT_THAT(refusal([] { read_sweep("d", {{"axis.a", "a.b: 1"}, {"axis.b", "a.b: 2"}}); }),
              HasSubstr("as axis a does"));
  EXPECT_THAT(refusal([] { read_sweep("d", {{"axis.a", "run.directory: x"}}); }), HasSubstr("the sweep itself sets"));
  EXPECT_THAT(refusal([] { read_sweep("d", {{"seeds", "0 0"}}); }), HasSubstr("0 stands twice"));
  EXPECT_THAT(refusal([] { read_sweep("d", {{"seed", "0"}}); }), HasSubstr("sweep.seeds"));
}

TEST(SweepCells, AreAllCombinationsWithSeedsFastest) {
  const SweepOptions sweep = read_sweep(
      "d",
      {{"axis.judge", "arm.rlaif.judge: small | large"}, {"axis.n", "reward.labels: 10 | 20"}, {"seeds", "0 1 2"}});
  const auto cells = sweep_cells(sweep);
  ASSERT_EQ(cells.size(), 12u);
  EXPECT_EQ(cells[0].name, "judge-small_n-10_seed-0");
  EXPECT_EQ(cells[1].name, "judge-small_n-10_seed-1");
  EXPECT_EQ(cells[3].name, "judge-small_n-20_seed-0");
  EXPECT_EQ(cells[11].name, "judge-large_n-20_seed-2");
  EXPECT_EQ(cells[11].keys.at("reward.labels"), "20");
  EXPECT_EQ(cells[11].keys.at("run.seed"), "2");
  EXPECT_TRUE(sweep.share);
}

TEST(SweepCells, AnAxisOverRanksSharesNothing) {
  const SweepOptions sweep = read_sweep("d", {{"axis.ranks", "ranks: 1 | 2"}});
  const auto cells = sweep_cells(sweep);
  EXPECT_FALSE(sweep.share);
  EXPECT_EQ(cells[1].ranks, 2);
  EXPECT_TRUE(cells[1].keys.empty());
}

class SweepFolder : public ::testing::Test {
 protected:
  SweepFolder() {
    sweep_ = read_sweep(
        "d", {{"axis.judge", "arm.rlaif.judge: small | large"},
              {"seeds", "0 1 2"},
              {"directory", (fs::temp_directory_path() / ("rlaif-sweep-" + std::to_string(::getpid()))).string()}});
    cells_ = sweep_cells(sweep_);
    for (SweepCell& cell : cells_) cell.deck_hash = "hash of " + cell.name;
    write_cells(sweep_, cells_);
  }
  ~SweepFolder() override { fs::remove_all(sweep_.directory); }
  void begin(std::size_t cell) const {
    write_file_atomic(cell_run(sweep_, cells_[cell]) / "run.json",
                      "{\"deck_hash\": \"" + cells_[cell].deck_hash + "\"}");
  }
  void finish(std::size_t cell, double wins) const {
    begin(cell);
    Json results;
    results["arms"]["rlaif"]["win_rate_vs_sft"] = wins;
    results["arms"]["rlaif"]["ci_low"] = 0.0;
    results["arms"]["rlaif"]["judge"] = "small";
    results["seed"] = 3;
    write_file_atomic(cell_run(sweep_, cells_[cell]) / "report" / "results.json", results.dump());
  }
  SweepOptions sweep_;
  std::vector<SweepCell> cells_;
};

TEST_F(SweepFolder, CellsAreReadBack) {
  const auto read = read_cells(sweep_.directory);
  ASSERT_EQ(read.size(), 6u);
  EXPECT_EQ(read[4].name, cells_[4].name);
  EXPECT_EQ(read[4].deck_hash, cells_[4].deck_hash);
  EXPECT_EQ(read[4].values, cells_[4].values);
}

// 0.5, 0.75, 1: mean 0.75, s = 0.25, half-width 4.302653 * 0.25 / sqrt(3) = 0.621035.
TEST_F(SweepFolder, MeansAreOverSeedsByHand) {
  for (std::size_t c = 0; c < 3; ++c) finish(c, 0.5 + 0.25 * static_cast<double>(c));
  finish(3, 0.5);
  const Json collected = collect_sweep(sweep_, read_cells(sweep_.directory));
  ASSERT_EQ(collected["groups"].size(), 2u);
  const Json& small = collected["groups"][0];
  EXPECT_EQ(small["values"]["judge"], "small");
  EXPECT_EQ(small["n"], 3);
  const Json& wins = small["metrics"]["arms.rlaif.win_rate_vs_sft"];
  EXPECT_NEAR(wins["mean"].get<double>(), 0.75, 1e-12);
  EXPECT_NEAR(wins["low"].get<double>(), 0.75 - 0.621035, 1e-5);
  EXPECT_NEAR(wins["high"].get<double>(), 0.75 + 0.621035, 1e-5);
  EXPECT_NEAR(wins["standard_deviation"].get<double>(), 0.25, 1e-12);
  EXPECT_FALSE(small["metrics"].contains("arms.rlaif.ci_low"));
  EXPECT_FALSE(small["metrics"].contains("seed"));
  const Json& large = collected["groups"][1];
  EXPECT_EQ(large["n"], 1);
  EXPECT_EQ(large["of"], 3);
  EXPECT_FALSE(large["metrics"]["arms.rlaif.win_rate_vs_sft"].contains("low"));
  EXPECT_THAT(
      sweep_csv(collected),
      HasSubstr("judge,metric,n,mean,low,high,standard_deviation\nsmall,arms.rlaif.win_rate_vs_sft,3,0.75,0.1289"));
  EXPECT_THAT(sweep_csv(collected), HasSubstr("large,arms.rlaif.win_rate_vs_sft,1,0.5,,,\n"));
  const std::string table = sweep_table(sweep_, collected);
  EXPECT_THAT(table, HasSubstr("4 of 6 cells are done"));
  EXPECT_THAT(table, HasSubstr("0.750 (0.129 to 1.371)"));
  EXPECT_THAT(table, HasSubstr("1 of 3"));
}

TEST_F(SweepFolder, WhatIsMissingIsNamedWithItsState) {
  finish(0, 0.6);
  begin(1);
  write_file_atomic(cell_run(sweep_, cells_[1]) / "stages" / "sft.json",
                    "{\"deck_hash\": \"" + cells_[1].deck_hash + "\"}");
  write_file_atomic(cell_run(sweep_, cells_[2]) / "run.json", "{\"deck_hash\": \"another\"}");
  const Json collected = collect_sweep(sweep_, read_cells(sweep_.directory));
  ASSERT_EQ(collected["missing"].size(), 5u);
  EXPECT_EQ(collected["missing"][0]["name"], "judge-small_seed-1");
  EXPECT_EQ(collected["missing"][0]["state"], "stopped: 1 stages done, the last sft");
  EXPECT_EQ(collected["missing"][1]["state"], "is the run of another deck");
  EXPECT_EQ(collected["missing"][2]["state"], "not started");
  EXPECT_THAT(sweep_table(sweep_, collected), HasSubstr("judge-large_seed-0  not started"));
}

TEST_F(SweepFolder, ACellCannotNameAFolderOutside) {
  write_file_atomic(sweep_.directory / "cells.jsonl",
                    R"({"number":0,"name":"../x","values":{},"ranks":0,"deck_hash":"h"})"
                    "\n");
  EXPECT_THAT(refusal([&] { read_cells(sweep_.directory); }), HasSubstr("cells.jsonl:1"));
}

TEST(Sweep, OneThatWasNotPlannedIsSaid) {
  EXPECT_THAT(refusal([] { read_cells("no/such/folder"); }), HasSubstr("rlaif sweep plan"));
}

}  // namespace
}  // namespace rlaif::tools
