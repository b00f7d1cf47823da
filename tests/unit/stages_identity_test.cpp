#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "rlaif/core/files.hpp"
#include "rlaif/stages/stage_parts.hpp"
#include "rlaif/stages/study.hpp"

namespace rlaif::stages {
namespace {

namespace fs = std::filesystem;

class StageIdentity : public ::testing::Test {
 protected:
  StageIdentity() : root_(fs::temp_directory_path() / ("rlaif-parts-" + std::to_string(::getpid()))) {
    deck_.entries = {{"run.seed", "0"},
                     {"run.directory", "runs/a", false},
                     {"judge.ai.model", "judge"},
                     {"judge.other.model", "judge"},
                     {"judge_model.steps", "10"},
                     {"judge_model.small.steps", "10"},
                     {"ppo.kl_coefficient", "0.1"},
                     {"reward.epochs", "1"},
                     {"arm.rlaif.judge", "ai"}};
    deck_.inputs = {{"task.world", "w"}, {"model.folder/config.json", "c"}};
    write_file_atomic(root_ / "models" / "sft" / "model.safetensors", "weights");
    options_.arms.push_back({"rlaif", "ai"});
    options_.judges.emplace_back();
    options_.judges.back().name = "ai";
  }
  ~StageIdentity() override { fs::remove_all(root_); }
  std::string of(const StageParts& parts) const {
    return stage_identity("stage", parts, deck_, "cpu", instruction_sets_, root_);
  }
  void set(const std::string& key, const std::string& text) {
    for (auto& entry : deck_.entries) {
      if (entry.key == key) entry.text = text;
    }
  }
  fs::path root_;
  std::string instruction_sets_ = "libtorch avx2";
  ResolvedDeck deck_;
  StudyOptions options_;
};

TEST_F(StageIdentity, OfARewardModelDoesNotKnowTheKlCoefficient) {
  const StageParts reward = reward_parts(options_, options_.arms[0]), ppo = ppo_parts(options_, options_.arms[0]);
  const std::string reward_before = of(reward), ppo_before = of(ppo);
  set("ppo.kl_coefficient", "0.2");
  EXPECT_EQ(of(reward), reward_before);
  EXPECT_NE(of(ppo), ppo_before);
}

TEST_F(StageIdentity, KnowsTheInstructionSetsThatWereTaken) {
  const StageParts parts = tokenizer_parts();
  const std::string before = of(parts);
  instruction_sets_ = "libtorch avx512";
  EXPECT_NE(of(parts), before);
}

TEST_F(StageIdentity, KnowsTheSeedAndTheBytesItReadsAndNotTheFolder) {
  const StageParts reward = reward_parts(options_, options_.arms[0]);
  const std::string before = of(reward);
  set("run.directory", "runs/b");
  EXPECT_EQ(of(reward), before);
  write_file_atomic(root_ / "models" / "sft" / "model.safetensors", "other weights");
  EXPECT_NE(of(reward), before);
  write_file_atomic(root_ / "models" / "sft" / "model.safetensors", "weights");
  EXPECT_EQ(of(reward), before);
  set("run.seed", "1");
  EXPECT_NE(of(reward), before);
}

TEST_F(StageIdentity, SectionsOfOtherJudgesAndModelsDoNotCount) {
  JudgeModel model;
  model.name = "judge";
  const StageParts judge = judge_model_parts(model), pairs = pairs_parts(options_, first_pairs(options_));
  const std::string judge_before = of(judge), pairs_before = of(pairs);
  set("judge_model.small.steps", "20");
  set("judge.other.model", "elsewhere");
  EXPECT_EQ(of(judge), judge_before);
  EXPECT_EQ(of(pairs), pairs_before);
  set("judge.ai.model", "elsewhere");
  EXPECT_NE(of(pairs), pairs_before);
  set("judge_model.steps", "20");
  EXPECT_NE(of(judge), judge_before);
}

TEST_F(StageIdentity, KnowsFilesOfAFolderThatAKeyNames) {
  const std::string before = of(tokenizer_parts());
  deck_.inputs[1].second = "d";
  EXPECT_NE(of(tokenizer_parts()), before);
}

TEST_F(StageIdentity, AnUntouchedPolicyIsNotShared) {
  options_.model.folder = "somewhere";
  options_.sft.examples = options_.sft.register_examples = 0;
  EXPECT_TRUE(sft_parts(options_).makes.empty());
}

}  // namespace
}  // namespace rlaif::stages
