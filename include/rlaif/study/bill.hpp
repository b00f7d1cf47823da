// What asked judges and writers will cost, before anything is generated or asked.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/judge/kinds/remote.hpp"
#include "rlaif/run/stage.hpp"
#include "rlaif/study/study.hpp"

namespace rlaif::study {

void bind_costs(OptionTable& table, CostOptions& options);

// What is not known before: the length of a prompt that is not there, with its template, and of a judge's answer.
struct AssumedTokens {
  std::int64_t prompt = 64, answer = 150;
};

struct JudgeBill {
  std::string judge, asked_by;  // asked_by: the judge of study.judges that it is a member of, or itself
  std::string model, price, as_of;
  std::string counted_by;     // "bytes / 4", or the tokenizer's file
  remote::Estimate estimate;  // over all pairs, and the canaries among them
  double spent_usd = 0.0;     // by earlier starts of this run directory, what is unsettled included
  double responses = 0.0;     // that it is to score while policies learn, no pairs of them
};
struct WriterBill {
  std::string writer, model, price, as_of, counted_by;
  double prompts = 0.0;
  remote::Estimate estimate = {};  // over all prompts
  double least_chain_usd = 0.0;    // held for all conversations with the shortest prompt
  double spent_usd = 0.0;
};
struct Bill {
  std::int64_t prompts = 0, pairs = 0;  // at most: identical responses make fewer pairs
  std::int64_t rendered_prompts = 0;    // of them, those whose conversations were made
  std::vector<JudgeBill> judges;
  std::vector<WriterBill> writers;
};

// Of one stage: the judges that it asks, and about how many comparisons or responses at most.
using AskedJudges = std::vector<run::Needs::Asked>;
using AskedWriters = std::vector<run::Needs::Written>;  // of all stages

// A text of so many words of one token each in nearly every vocabulary, four bytes with their spaces.
std::string filler_text(const std::string& word, int tokens);

// The conversations of the deck's own prompts (Task::draw) with its styles and principles. Responses are not there yet:
// each is taken to have annotate.max_new_tokens tokens of three letters and a space, answers `assumed` ones. Every
// asked judge, members of others included, is taken to be asked about every pair of the stages that ask it, and every writer for
// the conversations that its stages have with some 200 evenly spaced prompts, which stand for all. From 20,000
// prompts on evenly spaced ones stand for all. Where the study's pairs are recorded, these are asked about as they are. Where the files of prompts are not there, prompts of `assumed` such
// tokens take their place.
// Throws Error(usage) naming judge and model for a missing price, Error(input) for files that do not fit.
Bill plan_bill(const Study& study, const AssumedTokens& assumed, std::span<const AskedJudges> stages,
               std::span<const Comparison> recorded = {}, const AskedWriters& writers = {});

// Lines of "# ..." for --dry-run; empty where nobody is asked over HTTP. Throws Error(usage) where cost.cap_usd, less what is
// spent already, is below the least request of a judge or writer that is to be asked first.
std::string describe_bill(const Study& study, const AssumedTokens& assumed, std::span<const AskedJudges> stages,
                          std::span<const Comparison> recorded = {}, const AskedWriters& writers = {});

}  // namespace rlaif::study
