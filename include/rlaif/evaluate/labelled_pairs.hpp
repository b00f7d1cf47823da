// Pairs that people have judged.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "rlaif/core/types.hpp"

namespace rlaif::evaluate {

struct LabelledPair {
  Comparison comparison;                 // id: the place in the file from 0; prompts of one text have one prompt id
  std::string id;                        // of the file, else the place as digits
  std::string subset, model_a, model_b;  // empty where the file has none
  double label = 0.5;                    // 1: a is better, 0: b, 0.5: a tie, NaN: nobody knows (never of a file)
  std::vector<double> annotators;        // single people's labels, the same way
};

// JSON Lines {"prompt", "response_a", "response_b", "label": "a" | "b" | "tie"} with optional "id", "subset", "model_a",
// "model_b", "annotators": [labels] and "messages", the turns of a conversation in the prompt's place; further keys are
// ignored. Other forms of labelled pairs are read too (records/records.hpp). Throws Error(input) naming file, line and key: a label that
// is none of the three, an id that was there before; naming the file: no pair.
std::vector<LabelledPair> read_labelled_pairs(const std::filesystem::path& file);

// Pairs whose better response is known by how they were made: a is the good one, the subset is the kind. JSON Lines {"id",
// "kind", "prompt", "good", "bad"}, all texts. Throws Error(input) as above.
std::vector<LabelledPair> read_probes(const std::filesystem::path& file);

}  // namespace rlaif::evaluate
