// Every rank trains alone, then all together: parameters and metrics are the same bytes.
#include <gtest/gtest.h>

#include "rlaif/core/error.hpp"
#include "rlaif/model/torch.hpp"
#include "unit/train_support.hpp"

namespace rlaif::train::test {
namespace {

class TrainOnRanks : public ::testing::Test {
 protected:
  void SetUp() override { at::set_num_threads(1); }

  // One folder all ranks see, named by the root.
  static std::string shared_folder(const comm::Communicator& world, const TemporaryFolder& mine) {
    std::string path = mine.path().string();
    world.broadcast(path);
    return path;
  }

  // `stage` run on this rank alone and on all ranks.
  static void expect_same_bytes(const std::function<Outcome(const StageRun&)>& stage) {
    const auto world = comm::Communicator::world();
    const auto self = comm::Communicator::self();
    const TemporaryFolder alone, together;
    const Outcome expected = stage(stage_run(self, alone.path()));
    const Outcome outcome = stage(stage_run(world, shared_folder(world, together)));
    EXPECT_EQ(checksum(outcome.parameters), checksum(expected.parameters));
    if (world.is_root()) {
      EXPECT_EQ(outcome.metrics, expected.metrics);
    }
    world.barrier();  // the root's folder is everyone's
  }
};

TEST_F(TrainOnRanks, LanguageModelEndsInTheSameBytes) {
  expect_same_bytes([](const StageRun& run) { return run_language_model(run, 8); });
}

TEST_F(TrainOnRanks, RewardModelEndsInTheSameBytes) {
  const auto pairs = wanted_token_pairs(22, 2, 0.9);
  expect_same_bytes([&](const StageRun& run) { return run_reward_model(run, pairs, 2); });
}

TEST_F(TrainOnRanks, AShardedOptimizerEndsInTheBytesOfOneRankWithout) {
  const auto world = comm::Communicator::world();
  const auto pairs = wanted_token_pairs(22, 2, 0.9);
  const auto sharded = [&](const StageRun& original) {
    StageRun run = original;
    run.shard_optimizer = run.comm->size() == world.size();  // on one rank alone there is nothing to share out
    return run;
  };
  expect_same_bytes([&](const StageRun& run) { return run_language_model(sharded(run), 8); });
  expect_same_bytes([&](const StageRun& run) { return run_reward_model(sharded(run), pairs, 2); });
}

TEST_F(TrainOnRanks, ACheckpointOfAShardedOptimizerIsGoneOnWithWithoutShardsAndTheOtherWay) {
  for (const bool first_sharded : {true, false}) {
    expect_same_bytes([&](const StageRun& original) {
      StageRun run = original;
      run.shard_optimizer = first_sharded;
      int boundaries = 0;
      run.stop_requested = [&] { return ++boundaries > 4; };
      EXPECT_THROW(run_language_model(run, 8), Error);
      run.stop_requested = [] { return false; };
      run.shard_optimizer = !first_sharded;
      return run_language_model(run, 8);
    });
  }
}

TEST_F(TrainOnRanks, ACheckpointOfAllRanksIsGoneOnWithByOne) {
  const auto world = comm::Communicator::world();
  const auto self = comm::Communicator::self();
  const TemporaryFolder mine, alone;
  StageRun run = stage_run(world, shared_folder(world, mine));
  run.shard_optimizer = true;
  int boundaries = 0;
  run.stop_requested = [&] { return ++boundaries > 3; };
  EXPECT_THROW(run_language_model(run, 6), Error);
  if (world.is_root()) {
    StageRun by_one = run;
    by_one.comm = &self;
    by_one.stop_requested = [] { return false; };
    EXPECT_EQ(run_language_model(by_one, 6), run_language_model(stage_run(self, alone.path()), 6));
  }
  world.barrier();
}

TEST_F(TrainOnRanks, PpoEndsInTheSameBytes) {
  // The reward is a model, so that scoring is part of what must not depend on ranks.
  const auto reward_model = model::ScalarModel::from_body(tiny_model(6), 2);
  PolicyGradientCallbacks callbacks = ppo_callbacks();
  callbacks.reward = [&](std::span<const Drawn> drawn) {
    std::vector<std::vector<TokenId>> sequences;
    for (const Drawn& one : drawn) {
      sequences.push_back(one.prompt_tokens);
      sequences.back().insert(sequences.back().end(), one.completion.tokens.begin(), one.completion.tokens.end());
    }
    return score_sequences(reward_model, sequences, 64);
  };
  callbacks.monitor = wanted_share;
  expect_same_bytes([&](const StageRun& run) { return run_ppo(run, ppo_options(4), callbacks); });
}

TEST_F(TrainOnRanks, PolicyGradientsWithoutValueModelEndInTheSameBytesWithAndWithoutAdapter) {
  for (const auto advantage : {AdvantageEstimator::group, AdvantageEstimator::leave_one_out, AdvantageEstimator::batch,
                               AdvantageEstimator::greedy}) {
    for (const Trained trained : {Trained::all, Trained::adapter}) {
      expect_same_bytes([&](const StageRun& run) {
        PolicyGradientOptions options = critic_free_options(4, advantage);
        options.whiten_advantages = advantage == AdvantageEstimator::batch;
        options.rollout.redraws = 1;
        options.loss.mask_truncated = true;
        options.loss.ratio = advantage == AdvantageEstimator::group ? RatioLevel::sequence : RatioLevel::token;
        options.loss.sum = LossSum::response;
        return run_critic_free(run, options, ppo_callbacks(), trained);
      });
    }
  }
}

TEST_F(TrainOnRanks, GroupsWithKlInTheLossStoppedOnAllRanksWithAShardedOptimizerGoOnWithoutShards) {
  expect_same_bytes([](const StageRun& original) {
    StageRun run = original;
    run.shard_optimizer = true;
    run.micro_batch_tokens = 30;
    PolicyGradientOptions options = critic_free_options(5, AdvantageEstimator::group);
    options.kl = {.coefficient = 0.1, .place = KlPlace::loss, .estimator = KlEstimator::k2};
    int boundaries = 0;
    run.stop_requested = [&] { return ++boundaries > 3; };
    EXPECT_THROW(run_critic_free(run, options, ppo_callbacks()), Error);
    run.stop_requested = [] { return false; };
    run.shard_optimizer = false;
    return run_critic_free(run, options, ppo_callbacks());
  });
}

TEST_F(TrainOnRanks, DpoEndsInTheSameBytesWithAndWithoutAdapter) {
  const auto pairs = answer_pairs(22, 2, 0.9);
  for (const Trained trained : {Trained::all, Trained::adapter}) {
    expect_same_bytes([&](const StageRun& run) {
      DpoOptions options = dpo_options(2);
      options.nll_weight = 0.1;
      return run_dpo(run, pairs, options, trained);
    });
  }
}

TEST_F(TrainOnRanks, OnlineDpoEndsInTheSameBytesWithAndWithoutAdapter) {
  for (const Trained trained : {Trained::all, Trained::adapter})
    expect_same_bytes(
        [&](const StageRun& run) { return run_online_dpo(run, online_options(4), online_callbacks(), trained); });
}

TEST_F(TrainOnRanks, OnlineDpoStoppedOnAllRanksWithAShardedOptimizerGoesOnWithoutShards) {
  expect_same_bytes([](const StageRun& original) {
    StageRun run = original;
    run.shard_optimizer = true;
    run.micro_batch_tokens = 20;
    int boundaries = 0;
    run.stop_requested = [&] { return ++boundaries > 2; };
    EXPECT_THROW(run_online_dpo(run, online_options(5), online_callbacks()), Error);
    run.stop_requested = [] { return false; };
    run.shard_optimizer = false;
    return run_online_dpo(run, online_options(5), online_callbacks());
  });
}

TEST_F(TrainOnRanks, KtoEndsInTheSameBytesWithAndWithoutAdapter) {
  auto pairs = answer_pairs(40, 2, 0.9);
  std::erase_if(pairs, [](const TokenPair& pair) { return pair.p_first == 0.5; });
  for (const Trained trained : {Trained::all, Trained::adapter})
    expect_same_bytes([&](const StageRun& run) { return run_kto(run, pairs, kto_options(2), trained); });
}

TEST_F(TrainOnRanks, DpoStoppedOnAllRanksWithAShardedOptimizerGoesOnWithoutShards) {
  const auto pairs = answer_pairs(22, 2, 0.9);
  for (const Trained trained : {Trained::all, Trained::adapter}) {
    expect_same_bytes([&](const StageRun& original) {
      StageRun run = original;
      run.shard_optimizer = true;
      run.micro_batch_tokens = 20;
      int boundaries = 0;
      run.stop_requested = [&] { return ++boundaries > 4; };  // one before the reference's block
      EXPECT_THROW(run_dpo(run, pairs, dpo_options(2), trained), Error);
      run.stop_requested = [] { return false; };
      run.shard_optimizer = false;
      return run_dpo(run, pairs, dpo_options(2), trained);
    });
  }
}

TEST_F(TrainOnRanks, ReferenceLogProbsAreTheSameBytesAndGoneOnWithByOne) {
  const auto world = comm::Communicator::world();
  const auto self = comm::Communicator::self();
  const TemporaryFolder mine, alone, together;
  const auto reference = tiny_model(5);
  const auto pairs = answer_pairs(700, 3);  // several blocks, the last one short
  const auto expected = reference_log_probs(reference, pairs, stage_run(self, alone.path()));
  const StageRun run = stage_run(world, shared_folder(world, together));
  EXPECT_EQ(reference_log_probs(reference, pairs, run), expected);

  StageRun stopped = stage_run(world, shared_folder(world, mine));
  int boundaries = 0;
  stopped.stop_requested = [&] { return ++boundaries > 1; };  // after one block a rank
  EXPECT_THROW(reference_log_probs(reference, pairs, stopped), Error);
  if (world.is_root()) {
    stopped.comm = &self;
    stopped.stop_requested = [] { return false; };
    EXPECT_EQ(reference_log_probs(reference, pairs, stopped), expected);
  }
  world.barrier();
}

TEST_F(TrainOnRanks, ABatchSmallerThanTheRanksWorks) {
  expect_same_bytes([](const StageRun& run) {
    auto model = tiny_model(3);
    LanguageModelOptions options = language_model_options(3);
    options.batch = 2;
    train_language_model(model, successor_example, options, run);
    return Outcome{bytes_of(model.parameters()), run.comm->is_root() ? read_file(run.metrics_file) : ""};
  });
}

TEST_F(TrainOnRanks, AStopSeenByTheLastRankStopsAllAndResumingEndsInTheSameBytes) {
  expect_same_bytes([](const StageRun& original) {
    StageRun run = original;
    const bool last = run.comm->rank() == run.comm->size() - 1;
    int boundaries = 0;
    run.stop_requested = [&] { return ++boundaries > 4 && last; };
    try {
      run_language_model(run, 8);
      ADD_FAILURE() << "the stop was not obeyed";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::interrupted);
    }
    run.stop_requested = [] { return false; };
    return run_language_model(run, 8);
  });
}

TEST_F(TrainOnRanks, AnErrorOnOneRankIsAnErrorOnAll) {
  const auto world = comm::Communicator::world();
  const TemporaryFolder mine;
  const StageRun run = stage_run(world, shared_folder(world, mine));
  const auto failing = [](std::int64_t i) {
    if (i == 9) throw input_error("example 9 is bad");  // of the last grain
    return successor_example(i);
  };
  EXPECT_THROW(run_language_model(run, 8, failing), Error);
  world.barrier();
}

}  // namespace
}  // namespace rlaif::train::test
