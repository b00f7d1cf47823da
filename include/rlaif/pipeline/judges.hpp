// Judges made from the deck, with the models they need.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "rlaif/judge/canary.hpp"
#include "rlaif/pipeline/context.hpp"

namespace rlaif::pipeline {

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
  judge::CanaryJudge* canaries = nullptr;  // `judge` where it is asked canaries (pipeline/canaries.hpp)
};
// Collective. Only a model in this process needs a language. Throws Error(usage) or Error(input) for a price, template, principle file or model that does not fit.
BoundJudge make_judge(const Context& context, const JudgeOptions& options, const Language* language,
                      const StageSpending& spending);

}  // namespace rlaif::pipeline
