// Judges made from the deck, with the models they need.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "rlaif/pipeline/context.hpp"

namespace rlaif::pipeline {

// Whether a judge is behind HTTP.
bool is_asked(JudgeKind kind);
// Throws Error(usage) naming the judge, and its model where it is asked, for a price that the table lacks.
cost::Price judge_price(const StudyOptions& study, const JudgeOptions& judge);
// An asked judge's options and parts by the deck, for all ranks together; answers and meter are the caller's to add.
judge::RemoteOptions asked_options(const StudyOptions& study, const JudgeOptions& judge);
judge::RemoteParts asked_parts(const StudyOptions& study, const JudgeOptions& judge);

// What asked judges of a stage spend together: one cap over all ranks and judges, what earlier starts have paid included.
// Collective to make and to destroy.
class StageSpending {
 public:
  StageSpending(const Context& context, const std::string& stage);
  std::shared_ptr<judge::AnswerCache> answers(const std::string& judge) const;  // of an asked judge, this rank's
  const std::shared_ptr<cost::SpendMeter>& meter() const { return meter_; }
  // What all ranks paid in this start, by judge: collective, the same on every rank; empty where no judge is asked.
  Json report(const Context& context) const;

 private:
  std::map<std::string, std::shared_ptr<judge::AnswerCache>> answers_;
  std::shared_ptr<cost::SpendMeter> meter_;
};

// A judge and what must outlive it.
struct BoundJudge {
  std::unique_ptr<model::Transformer> network;
  std::unique_ptr<judge::Judge> judge;
};
// Collective. Only a model in this process needs a language. Throws Error(usage) or Error(input) for a price, template, principle file or model that does not fit.
BoundJudge make_judge(const Context& context, const JudgeOptions& options, const Language* language,
                      const StageSpending& spending);

}  // namespace rlaif::pipeline
