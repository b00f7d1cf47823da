// The stages of a study. Each is collective, reads and writes the run directory, and returns the facts for its done
// marker (root rank; the others' are ignored).
#pragma once

#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/evaluate/statistics.hpp"
#include "rlaif/pipeline/context.hpp"
#include "rlaif/pipeline/pair_sets.hpp"

namespace rlaif::pipeline {

// Trains a tokenizer on the world's text, or takes the deck's -> models/tokenizer.json
Json run_tokenizer_stage(const Context& context);

// The behaviour mixture and register texts -> models/sft
Json run_sft_stage(const Context& context);
// The same texts -> models/sft-reward, of the sizes in [reward_network]: what reward models of their own size start from
Json run_reward_network_stage(const Context& context);

// Gold-labelled pairs of behaviours -> models/<name of the judge model>
Json run_judge_model_stage(const Context& context, const JudgeModel& model);

// Generates pairs by blocks and has every judge of the set label them -> preferences/<store>, preferences/<store>-heldout
Json run_annotate_stage(const Context& context, const PairSet& pairs);
std::string heldout_store(const std::string& store);  // "<store>-heldout"

// Judges that arms learn from, people apart, against judge.min_agreement: by the yardstick on the held-out pairs, else by
// their calibration. Throws Error(input) for one below, unless the deck goes on all the same.
Json run_agreement_stage(const Context& context, const PairSet& pairs);
// Of a study without arms, its results: every judge against the yardstick on the held-out pairs.
Json run_judges_stage(const Context& context);

// preferences/<labels> -> models/reward-<labels>, from the policy that the arm starts from (labels_of)
Json run_reward_stage(const Context& context, const ArmOptions& arm);

// models/<start> and models/reward-<labels> -> models/<arm>
Json run_ppo_stage(const Context& context, const ArmOptions& arm);

// Samples of SFT (twice) and every arm on held-out prompts, with gold scores -> evaluation/*.jsonl; judges and reward
// models against gold on the held-out pairs. Facts: everything results.json says, timings aside.
Json run_evaluate_stage(const Context& context);

}  // namespace rlaif::pipeline
