#include "pair_training.hpp"

#include "../tensors.hpp"
#include "rlaif/train/throughput.hpp"

namespace rlaif::train {

PairTraining policy_on_pairs(const model::Transformer& policy, const ScheduleOptions& schedule,
                             const AdamWOptions& adam) {
  PairTraining training;
  training.groups = {{"policy", policy.trainable_parameters()}};
  training.adam = adam;
  training.schedule = schedule;
  training.flops_per_token = training_flops_per_token(policy, OutputMatrix::used);
  return training;
}

void train_on_pairs(const PairTraining& training, std::span<const TokenPair> pairs, PairSteps steps,
                    const StageRun& run) {
  std::vector<model::NamedTensor> trained;
  for (const FlatParameters::Group& group : training.groups)
    trained.insert(trained.end(), group.parameters.begin(), group.parameters.end());
  FlatParameters parameters(training.groups);
  AdamW optimizer(parameters, training.adam, run.state_shards());
  DataParallel data_parallel(run, parameters);
  const Checkpoint start = resume(run, trained, optimizer);

  LoopCallbacks::Work work;
  LoopCallbacks callbacks;
  callbacks.work = [&] { return work; };
  callbacks.step = [&](std::int64_t step) {
    if (training.before_step) training.before_step(step, steps);
    const auto sums = data_parallel.accumulate(training.columns, [&](int grain) {
      const auto groups = micro_batches(pairs, steps.of(step, grain, run.grains), run.micro_batch_tokens);
      std::vector<double> row(training.columns, 0.0);
      for (const auto& group : groups)
        training.backward(group, row, &group == &groups.back() ? &data_parallel : nullptr);
      return row;
    });
    work = {sums[training.tokens], sums[training.tokens] * training.flops_per_token};
    const double rate = scheduled_rate(training.schedule, step, steps.total());
    const double norm = optimizer.step(rate, 1.0 / sums[training.weight]);
    return training.metrics({step, steps.epoch_of(step), sums, rate, norm});
  };
  callbacks.save = [&] {
    Checkpoint checkpoint;
    checkpoint.tensors = trained;
    append_prefixed(checkpoint.tensors, "", optimizer.state());
    return checkpoint;
  };
  callbacks.progress_text = training.progress_text;
  run_loop(run, steps.total(), start, callbacks);
}

}  // namespace rlaif::train
