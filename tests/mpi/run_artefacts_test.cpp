#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/json_parse.hpp"
#include "rlaif/run/artefacts.hpp"
#include "rlaif/run/run_directory.hpp"

namespace rlaif::run {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Artefacts : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("rlaif-artefacts-" + std::to_string(::getpid()));
    fs::remove_all(root_);
    write_file_atomic(root_ / "models/sft/model.safetensors", "weights");
    write_file_atomic(root_ / "models/sft/config.json", "{}");
    write_file_atomic(root_ / "models/tokenizer.json", "tokens");
    write_file_atomic(root_ / "metrics/sft.jsonl", "{}\n");
    write_file_atomic(root_ / "models/sft/.config.json.7.tmp", "half");  // of a killed writer
  }
  void TearDown() override { fs::remove_all(root_); }

  Json marker_of(const std::vector<fs::path>& outputs) const { return {{"files", list_artefacts(root_, outputs)}}; }
  std::vector<Damage> damage(const std::vector<Json>& markers) const {
    return find_damage(comm::Communicator::self(), root_, markers);
  }

  fs::path root_;
};

TEST_F(Artefacts, AreFilesAndWhatFoldersHoldInTheOrderOfTheirNames) {
  const Json files = list_artefacts(root_, {"models/tokenizer.json", "models/sft", "models/none", "metrics/sft.jsonl"});
  ASSERT_EQ(files.size(), 4U);
  EXPECT_EQ(files[0]["file"], "metrics/sft.jsonl");
  EXPECT_EQ(files[1]["file"], "models/sft/config.json");
  EXPECT_EQ(files[2],
            (Json{{"file", "models/sft/model.safetensors"}, {"bytes", 7}, {"checksum", hex(checksum("weights"))}}));
  EXPECT_EQ(files[3]["file"], "models/tokenizer.json");
}

TEST_F(Artefacts, AWholeRunHasNoDamage) {
  EXPECT_THAT(damage({marker_of({"models/sft", "metrics/sft.jsonl"}), Json(), marker_of({"models/tokenizer.json"})}),
              IsEmpty());
}

TEST_F(Artefacts, DamageNamesTheFileAndWhatIsWrong) {
  const Json first = marker_of({"models/tokenizer.json"}), second = marker_of({"models/sft", "metrics/sft.jsonl"});
  write_file_atomic(root_ / "models/sft/model.safetensors", "weightz");
  write_file_atomic(root_ / "models/sft/config.json", "{ }");
  fs::remove(root_ / "metrics/sft.jsonl");
  const std::vector<Damage> found = damage({first, second});
  ASSERT_THAT(found, SizeIs(3));
  for (const Damage& one : found) EXPECT_EQ(one.marker, 1U);
  EXPECT_THAT(found[0].what, AllOf(HasSubstr("metrics/sft.jsonl: is lost"), HasSubstr("No such file")));
  EXPECT_TRUE(found[0].is_record);
  EXPECT_THAT(found[1].what, HasSubstr("models/sft/config.json: is damaged: 3 bytes instead of 2"));
  EXPECT_THAT(found[2].what,
              HasSubstr("models/sft/model.safetensors: is damaged: its checksum is " + hex(checksum("weightz"))));
  EXPECT_FALSE(found[2].is_record);
}

TEST_F(Artefacts, APathThatLeavesTheRunIsNotFollowed) {
  for (const char* path : {"../secret", "/etc/hostname", "models/../../secret", ""}) {
    const Json marker{{"files", {{{"file", path}, {"bytes", 3}, {"checksum", "0"}}}}};
    const std::vector<Damage> found = damage({Json(), marker});
    ASSERT_THAT(found, SizeIs(1)) << path;
    EXPECT_EQ(found[0].marker, 1U);
    EXPECT_THAT(found[0].what, HasSubstr("no files of this run"));
  }
  EXPECT_THAT(damage({Json{{"files", 3}}}), SizeIs(1));
}

TEST_F(Artefacts, TheDigestIsOfFilesThatLaterStagesRead) {
  const Json before = marker_of({"models/sft", "metrics/sft.jsonl"});
  write_file_atomic(root_ / "metrics/sft.jsonl", "other");
  EXPECT_EQ(artefact_digest(marker_of({"models/sft", "metrics/sft.jsonl"})), artefact_digest(before));
  write_file_atomic(root_ / "models/sft/config.json", "other");
  EXPECT_NE(artefact_digest(marker_of({"models/sft", "metrics/sft.jsonl"})), artefact_digest(before));
  EXPECT_EQ(artefact_digest(marker_of({"metrics"})), "");
  EXPECT_EQ(artefact_digest(Json()), "");
}

TEST_F(Artefacts, CommandsOverModelsRefuseADamagedOne) {
  const RunDirectory directory(root_);
  directory.finish_stage("tokenizer", "d", marker_of({"models/tokenizer.json"}));
  directory.finish_stage("sft", "d", marker_of({"models/sft"}));
  const auto comm = comm::Communicator::self();
  write_file_atomic(root_ / "models/other/config.json", "{}");
  directory.finish_stage("other", "d", marker_of({"models/other"}));
  write_file_atomic(root_ / "models/other/config.json", "[]");
  require_whole_models(comm, root_, {"sft"});  // the other one is not read
  try {
    require_whole_models(comm, root_, {"other"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), HasSubstr("models/other/config.json: is damaged"));
  }
  require_whole_models(comm, root_ / "elsewhere", {"sft"});  // no run, nothing to hold it against
}

TEST_F(Artefacts, AMarkerOfWhichAByteChangedIsNotDone) {
  const RunDirectory directory(root_);
  directory.finish_stage("evaluate", "d",
                         {{"results", {{"win_rate", 0.7125}, {"count", 40.0}, {"kl", -0.0}}}, {"text", "\xc3\xa9\n"}});
  ASSERT_TRUE(directory.finished_stage("evaluate", "d"));
  EXPECT_FALSE(directory.finished_stage("evaluate", "e"));
  const std::string whole = read_file(directory.stage_marker("evaluate"));
  std::size_t taken = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] ^= 1 << (at % 7);
    write_file_atomic(directory.stage_marker("evaluate"), damaged);
    const auto marker = directory.finished_stage("evaluate", "d");
    if (!marker) continue;
    ++taken;  // white space, or the word "checksum" itself
    EXPECT_EQ(marker->at("results").dump(), R"({"win_rate":0.7125,"count":40.0,"kl":-0.0})") << at;
    EXPECT_EQ(marker->at("text"), "\xc3\xa9\n");
  }
  EXPECT_LT(taken, whole.size() / 3);
}

}  // namespace
}  // namespace rlaif::run
