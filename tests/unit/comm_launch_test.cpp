#include "rlaif/comm/launch.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "rlaif/core/error.hpp"

namespace rlaif::comm {
namespace {

using Variables = std::map<std::string, std::string>;

std::optional<Launch> launch_in(const Variables& variables) {
  return launch_of([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

// What a world of one is told; empty: nothing is wrong.
std::string complaint(const Variables& variables) {
  try {
    require_whole_step(launch_in(variables), 1);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "";
}
std::string complaint_before(const Variables& variables) {
  try {
    prepare_launch(launch_in(variables));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "";
}

// As Slurm 22.05 sets them.
const Variables batch_script{
    {"SLURM_JOB_ID", "1"}, {"SLURM_NTASKS", "4"}, {"SLURM_NPROCS", "4"}, {"SLURM_PROCID", "0"}, {"SLURM_NNODES", "2"}};
const Variables step_of_two{{"SLURM_JOB_ID", "1"}, {"SLURM_STEP_ID", "0"}, {"SLURM_STEPID", "0"},
                            {"SLURM_NTASKS", "2"}, {"SLURM_NPROCS", "2"},  {"SLURM_STEP_NUM_TASKS", "2"},
                            {"SLURM_PROCID", "1"}};
Variables with(Variables variables, const Variables& more) {
  for (const auto& [name, value] : more) variables[name] = value;
  return variables;
}
Variables without(Variables variables, std::initializer_list<const char*> names) {
  for (const char* name : names) variables.erase(name);
  return variables;
}

TEST(Launch, ATaskOfSeveralThatIsAloneIsToldToUsePmix) {
  for (const std::string& said : {complaint(step_of_two), complaint_before(step_of_two)}) {
    EXPECT_NE(said.find("srun started 2 tasks"), std::string::npos) << said;
    EXPECT_NE(said.find("--mpi=pmix"), std::string::npos) << said;
    EXPECT_NE(said.find("mpirun"), std::string::npos) << said;
  }
}

TEST(Launch, EachOfSlurmsWordsForTheSizeOfAStepIsEnough) {
  EXPECT_NE(complaint(without(step_of_two, {"SLURM_STEP_NUM_TASKS"})), "");
  EXPECT_NE(complaint(without(step_of_two, {"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"})), "");
  EXPECT_NE(complaint(without(step_of_two, {"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_NPROCS"})),
            "");  // task 1 is not alone
  EXPECT_NE(complaint(without(step_of_two, {"SLURM_STEP_ID"})), "");
}

TEST(Launch, WhatABatchScriptOrAShellOfSallocStartsIsNoStep) {
  for (const Variables& variables :
       {batch_script, without(batch_script, {"SLURM_PROCID"}),
        with(batch_script, {{"SLURM_STEP_ID", "4294967290"}, {"SLURM_STEP_NUM_TASKS", "1"}}),
        with(batch_script, {{"SLURM_STEP_ID", "4294967291"}})}) {
    EXPECT_EQ(complaint(variables), "");
    EXPECT_EQ(complaint_before(variables), "");
  }
}

TEST(Launch, OneTaskOfAStepIsAlone) {
  const Variables one =
      with(batch_script, {{"SLURM_STEP_ID", "1"}, {"SLURM_STEP_NUM_TASKS", "1"}, {"SLURM_NTASKS", "1"}});
  EXPECT_EQ(complaint(one), "");
  ::setenv("SLURM_STEP_ID", "1", 1);
  EXPECT_EQ(complaint_before(one), "");
  EXPECT_EQ(std::getenv("SLURM_STEP_ID"), nullptr);  // MPI starts by itself
}

TEST(Launch, MpirunWithinAStepOrAnAllocationSaysHowManyThereAre) {
  const Variables one{{"OMPI_COMM_WORLD_SIZE", "1"}, {"OMPI_COMM_WORLD_RANK", "0"}, {"PMIX_RANK", "0"}};
  EXPECT_EQ(complaint(with(step_of_two, one)), "");  // one rank on a node that Slurm's step of two daemons reached
  EXPECT_EQ(complaint_before(with(step_of_two, one)), "");
  EXPECT_EQ(complaint(with(batch_script, one)), "");
  EXPECT_EQ(complaint_before(with(step_of_two, {{"OMPI_COMM_WORLD_SIZE", "3"}})), "");
}

TEST(Launch, WithPmixOrPmiMpiIsLeftToTry) {
  for (const char* name : {"PMIX_RANK", "PMI_RANK", "PMI_FD", "OMPI_MCA_pmix"}) {
    EXPECT_EQ(complaint_before(with(step_of_two, {{name, "1"}})), "") << name;
    EXPECT_NE(complaint(with(step_of_two, {{name, "1"}})), "") << name;
  }
  EXPECT_NE(complaint(with(step_of_two, {{"PMI_SIZE", "2"}})).find("--mpi=pmix"), std::string::npos);
}

TEST(Launch, OtherLaunchersOfSeveralTasksAreNamed) {
  EXPECT_NE(complaint({{"OMPI_COMM_WORLD_SIZE", "4"}}).find("mpirun started 4 tasks"), std::string::npos);
  EXPECT_NE(complaint({{"PMI_SIZE", "3"}}).find("mpiexec started 3 tasks"), std::string::npos);
  EXPECT_NE(complaint({{"FLUX_JOB_SIZE", "2"}, {"FLUX_TASK_RANK", "0"}}).find("flux started 2 tasks"),
            std::string::npos);
  EXPECT_NE(complaint({{"PALS_RANKID", "5"}}).find("PALS"), std::string::npos);
  EXPECT_NE(complaint({{"JSM_NAMESPACE_SIZE", "2"}}), "");
  EXPECT_NE(complaint({{"MV2_COMM_WORLD_SIZE", "2"}}), "");
}

TEST(Launch, AWorldOfSeveralOrNoLauncherIsFine) {
  EXPECT_EQ(complaint({}), "");
  EXPECT_EQ(complaint({{"PMI_SIZE", "1"}}), "");
  EXPECT_EQ(complaint({{"PMI_SIZE", "many"}}), "");
  EXPECT_NO_THROW(require_whole_step(launch_in(step_of_two), 2));
}

}  // namespace
}  // namespace rlaif::comm
