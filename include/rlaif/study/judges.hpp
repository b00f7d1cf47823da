// Judges made from the deck, with the models they need.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rlaif/judge/canary.hpp"
#include "rlaif/study/context.hpp"
#include "rlaif/study/judge_kinds.hpp"

namespace rlaif::study {

// What a judge without members loads into this process, the same for all that share it: the name of a model of the run, or
// the folder of a reward model and how it reads; empty for the other kinds. `policy` as for make_judges.
std::string process_model(const Study& study, const JudgeOptions& judge, const std::string& policy = first_policy);

// A server that is paid, by its section in the deck: "judge" or "writer", and its name.
struct PricedServer {
  std::string role, name, model, price;
};
// Throws Error(usage) naming who it is and the model for a price that the table lacks.
cost::Price server_price(const Judges& judges, const PricedServer& server);
// Throws Error(usage) naming the judge, and its model where it is asked, for a price that the table lacks.
cost::Price judge_price(const Judges& judges, const JudgeOptions& judge);
// A remote judge's options and parts by the deck, for all ranks together; answers and meter are the caller's to add.
judge::RemoteOptions remote_options(const Study& study, const JudgeOptions& judge);
judge::RemoteParts remote_parts(const Judges& judges, const JudgeOptions& judge);

// What asked judges of a stage, members of others included, and writers spend together: one cap over all ranks, judges and
// writers, what earlier starts have paid included.
// Collective to make and to destroy.
class StageSpending {
 public:
  StageSpending(const Context& context, const std::string& stage);
  std::shared_ptr<remote::AnswerCache> answers(const std::string& judge) const;  // of an asked judge, this rank's
  std::shared_ptr<remote::AnswerCache> answers_of_writer(const std::string& writer) const;  // likewise
  const std::shared_ptr<cost::SpendMeter>& meter() const { return meter_; }
  // What all ranks paid in this start, by judge and writer: collective, the same on every rank; empty where nobody is asked.
  Json report(const Context& context) const;

 private:
  std::map<std::string, std::shared_ptr<remote::AnswerCache>> answers_;  // by judge
  std::map<std::string, std::shared_ptr<remote::AnswerCache>> texts_;    // by writer
  std::shared_ptr<cost::SpendMeter> meter_;
};

// A judge and what must outlive it.
struct BoundJudge {
  std::vector<std::shared_ptr<const model::Transformer>> networks;
  std::shared_ptr<judge::Judge> judge;
  judge::CanaryJudge* canaries = nullptr;  // `judge` where it is asked canaries (study/canaries.hpp)
};
// Collective. Members are made with the judge; a network or a member that several use is there once. Only a model in
// this process needs a language (needs_language). `policy` is whose responses are judged, for those who judge their
// own. Throws Error(usage) or Error(input) for a price, template, principle file, model or calibration that does not
// fit.
std::vector<BoundJudge> make_judges(const Context& context, const std::vector<JudgeOptions>& judges,
                                    const Language* language, const StageSpending& spending,
                                    const std::string& policy = first_policy, const PairId& pair_id = {});
BoundJudge make_judge(const Context& context, const JudgeOptions& options, const Language* language,
                      const StageSpending& spending);

}  // namespace rlaif::study
