#include "rlaif/judge/kinds/reward_model.hpp"

#include <utility>

#include "temperature.hpp"

namespace rlaif::judge {
namespace {

// Scores over a temperature.
class Tempered final : public ResponseScorer {
 public:
  Tempered(std::shared_ptr<ResponseScorer> scorer, double temperature)
      : scorer_(std::move(scorer)), temperature_(temperature) {}

  std::vector<ResponseScore> score(std::span<const Response> responses) override {
    std::vector<ResponseScore> scores = scorer_->score(responses);
    for (ResponseScore& one : scores) one.score /= temperature_;
    return scores;
  }

 private:
  std::shared_ptr<ResponseScorer> scorer_;
  double temperature_;
};

}  // namespace

std::unique_ptr<Judge> make_reward_model_judge(std::string name, std::shared_ptr<ResponseScorer> scorer,
                                               double temperature, cost::Price price) {
  require_temperature(name, temperature);
  auto tempered = std::make_shared<Tempered>(std::move(scorer), temperature);
  return make_scoring_judge(std::move(name), std::move(tempered), 1.0, std::move(price));
}

}  // namespace rlaif::judge
