#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/stages/algorithm.hpp"
#include "rlaif/stages/study.hpp"

namespace rlaif::stages {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

JudgeOptions judge_of(const std::string& name, const std::string& model) {
  JudgeOptions judge;
  judge.name = name;
  judge.model = model;
  return judge;
}

class StudyStages : public ::testing::Test {
 protected:
  StudyStages() : root_(fs::temp_directory_path() / ("rlaif-stages-" + std::to_string(::getpid()))) {
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
    add_arm({"rlaif", "ai"});
    study_.judges.labelling.push_back(judge_of("ai", "judge"));
    stages_.judge_models.push_back({"judge"});
    stages_.judge_models.back().training.training.steps = 10;
  }
  void add_arm(ArmOptions arm) {
    arm.how = algorithm_named("algorithm", arm.algorithm).make();
    study_.arms.push_back(std::move(arm));
  }
  ~StudyStages() override { fs::remove_all(root_); }

  Stage stage(const std::string& name) const {
    for (Stage& one : plan_stages(study_, stages_)) {
      if (one.name == name) return one;
    }
    throw usage_error("no stage " + name);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const Stage& one : plan_stages(study_, stages_)) all.push_back(one.name);
    return all;
  }
  std::string identity(const std::string& name) const {
    return run::stage_identity(stage(name), deck_, "cpu", instruction_sets_, root_);
  }
  void set(const std::string& key, const std::string& text) {
    for (auto& entry : deck_.entries) {
      if (entry.key == key) entry.text = text;
    }
  }
  std::string refusal() const {
    try {
      plan_stages(study_, stages_);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  fs::path root_;
  std::string instruction_sets_ = "libtorch avx2";
  ResolvedDeck deck_;
  Study study_;
  StageOptions stages_;
};

TEST_F(StudyStages, IdentityOfARewardModelDoesNotKnowTheKlCoefficient) {
  const std::string reward = identity("reward-ai"), ppo = identity("ppo-rlaif");
  set("ppo.kl_coefficient", "0.2");
  EXPECT_EQ(identity("reward-ai"), reward);
  EXPECT_NE(identity("ppo-rlaif"), ppo);
}

TEST_F(StudyStages, IdentityKnowsTheInstructionSetsThatWereTaken) {
  const std::string before = identity("tokenizer");
  instruction_sets_ = "libtorch avx512";
  EXPECT_NE(identity("tokenizer"), before);
}

TEST_F(StudyStages, IdentityKnowsTheSeedAndTheBytesItReadsAndNotTheFolder) {
  const std::string before = identity("reward-ai");
  set("run.directory", "runs/b");
  EXPECT_EQ(identity("reward-ai"), before);
  write_file_atomic(root_ / "models" / "sft" / "model.safetensors", "other weights");
  EXPECT_NE(identity("reward-ai"), before);
  write_file_atomic(root_ / "models" / "sft" / "model.safetensors", "weights");
  EXPECT_EQ(identity("reward-ai"), before);
  set("run.seed", "1");
  EXPECT_NE(identity("reward-ai"), before);
}

TEST_F(StudyStages, SectionsOfOtherJudgesAndModelsDoNotCount) {
  const std::string judge = identity("judge-model"), pairs = identity("annotate");
  set("judge_model.small.steps", "20");
  set("judge.other.model", "elsewhere");
  EXPECT_EQ(identity("judge-model"), judge);
  EXPECT_EQ(identity("annotate"), pairs);
  set("judge.ai.model", "elsewhere");
  EXPECT_NE(identity("annotate"), pairs);
  set("judge_model.steps", "20");
  EXPECT_NE(identity("judge-model"), judge);
}

TEST_F(StudyStages, IdentityKnowsFilesOfAFolderThatAKeyNames) {
  const std::string before = identity("tokenizer");
  deck_.inputs[1].second = "d";
  EXPECT_NE(identity("tokenizer"), before);
}

TEST_F(StudyStages, AnUntouchedPolicyIsNotShared) {
  study_.policy.network.folder = "somewhere";
  study_.policy.texts.examples = study_.policy.texts.register_examples = 0;
  EXPECT_TRUE(stage("sft").makes.empty());
}

TEST_F(StudyStages, ComeInOrderAndEachOnce) {
  EXPECT_THAT(names(), ElementsAre("tokenizer", "sft", "judge-model", "annotate", "agreement", "reward-ai", "ppo-rlaif",
                                   "evaluate"));
  add_arm({"again", "ai"});
  EXPECT_THAT(names(), ElementsAre("tokenizer", "sft", "judge-model", "annotate", "agreement", "reward-ai", "ppo-rlaif",
                                   "ppo-again", "evaluate"));
  add_arm({"second", "ai", "rlaif"});
  EXPECT_THAT(names(), ElementsAre("tokenizer", "sft", "judge-model", "annotate", "agreement", "reward-ai", "ppo-rlaif",
                                   "ppo-again", "annotate-second", "agreement-second", "reward-second", "ppo-second",
                                   "evaluate"));
}

TEST_F(StudyStages, OfAStudyWithoutArmsEndWithItsJudges) {
  study_.arms.clear();
  EXPECT_THAT(names(), ElementsAre("tokenizer", "sft", "judge-model", "annotate", "judges"));
  study_.judges.labelling.clear();
  EXPECT_THAT(refusal(), HasSubstr("study.judges: at least one name was expected"));
}

TEST_F(StudyStages, SayWhatTheyAreAndForWhom) {
  const Stage ppo = stage("ppo-rlaif");
  EXPECT_EQ(ppo.kind, "ppo");
  EXPECT_EQ(ppo.of, "rlaif");
  EXPECT_THAT(ppo.reads, Contains("models/reward-ai"));
  EXPECT_THAT(ppo.makes, ElementsAre("models/rlaif", "metrics/ppo-rlaif.jsonl"));
  EXPECT_GT(ppo.needs({}).bytes(), stage("sft").needs({}).bytes());
}

TEST_F(StudyStages, OfDpoNeedNoRewardModel) {
  ArmOptions arm{"direct", "ai"};
  arm.algorithm = "dpo";
  study_.arms.clear();
  add_arm(arm);
  EXPECT_THAT(names(),
              ElementsAre("tokenizer", "sft", "judge-model", "annotate", "agreement", "dpo-direct", "evaluate"));
  const Stage dpo = stage("dpo-direct");
  EXPECT_THAT(dpo.reads, Contains("preferences/ai"));
  EXPECT_THAT(dpo.makes, ElementsAre("models/direct", "metrics/dpo-direct.jsonl"));
  EXPECT_GT(dpo.needs({}).bytes(), 0.0);
}

TEST(Algorithms, AnUnknownOneIsRefusedByItsKey) {
  try {
    algorithm_named("arm.rlaif.algorithm", "ppoo");
    FAIL() << "a refusal was expected";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("arm.rlaif.algorithm: "), HasSubstr("ppo")));
  }
}

}  // namespace
}  // namespace rlaif::stages
