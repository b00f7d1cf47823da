// The stages of a study. Each is collective, reads and writes the run directory, and returns the facts for its done
// marker (root rank; the others' are ignored).
#pragma once

#include <string>
#include <vector>

#include "rlaif/core/json.hpp"
#include "rlaif/evaluate/statistics.hpp"
#include "rlaif/pipeline/context.hpp"

namespace rlaif::pipeline {

// Trains a tokenizer on the world's text, or takes the deck's -> models/tokenizer.json
Json run_tokenizer_stage(const Context& context);

// The behaviour mixture and register texts -> models/sft
Json run_sft_stage(const Context& context);

// Gold-labelled pairs of behaviours -> models/<name of the judge model>
Json run_judge_model_stage(const Context& context, const JudgeModel& model);

// Generates pairs by blocks and has every judge label them -> preferences/<judge>, preferences/<judge>-heldout
Json run_annotate_stage(const Context& context);
std::string heldout_store(const std::string& judge);  // "<judge>-heldout"

// Judges that arms learn from, people apart, against judge.min_agreement: by the yardstick on the held-out pairs, else by
// their calibration. Throws Error(input) for one below, unless the deck goes on all the same.
Json run_agreement_stage(const Context& context);
// Of a study without arms, its results: every judge against the yardstick on the held-out pairs.
Json run_judges_stage(const Context& context);

// preferences/<judge> -> models/reward-<judge>
Json run_reward_stage(const Context& context, const std::string& judge);

// models/sft and models/reward-<judge> -> models/<arm>
Json run_ppo_stage(const Context& context, const ArmOptions& arm);

// Samples of SFT (twice) and every arm on held-out prompts, with gold scores -> evaluation/*.jsonl; judges and reward
// models against gold on the held-out pairs. Facts: everything results.json says, timings aside.
Json run_evaluate_stage(const Context& context);

}  // namespace rlaif::pipeline
