#include "combined_scores.hpp"

#include <algorithm>

#include "../members.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/judge/prompts/scores.hpp"

namespace rlaif::judge {
namespace {

constexpr double least_reward = -1.0;

std::vector<ResponseScore> scores_by(const Member& member, std::span<const Response> responses) {
  std::vector<ResponseScore> scores = member.judge->scorer()->score(responses);
  RLAIF_CHECK(scores.size() == responses.size(), "a judge must give one score per response");
  return scores;
}

class MeanScorer final : public ResponseScorer {
 public:
  MeanScorer(std::vector<Member> members, std::size_t least) : members_(std::move(members)), least_(least) {}

  std::vector<ResponseScore> score(std::span<const Response> responses) override {
    std::vector<std::vector<ResponseScore>> said;
    for (const Member& member : members_) said.push_back(scores_by(member, responses));
    std::vector<ResponseScore> scores;
    for (std::size_t i = 0; i < responses.size(); ++i) scores.push_back(mean_of(said, i));
    return scores;
  }

 private:
  ResponseScore mean_of(const std::vector<std::vector<ResponseScore>>& said, std::size_t response) const {
    ResponseScore mean;
    Failures failures;
    double sum = 0.0;
    std::size_t count = 0;
    for (const auto& of_member : said) {
      const ResponseScore& one = of_member[response];
      mean.usage += one.usage;
      if (one.status != VerdictStatus::ok) {
        failures.add(one.status);
        continue;
      }
      sum += one.score;
      ++count;
    }
    if (count < least_) {
      mean.status = failures.commonest();
      return mean;
    }
    mean.status = VerdictStatus::ok;
    mean.score = sum / static_cast<double>(count);
    return mean;
  }

  std::vector<Member> members_;
  std::size_t least_;
};

class GatedScorer final : public ResponseScorer {
 public:
  GatedScorer(std::vector<Member> levels, double gate) : levels_(std::move(levels)), gate_(gate) {}

  std::vector<ResponseScore> score(std::span<const Response> responses) override {
    std::vector<ResponseScore> scores(responses.size());
    std::vector<std::vector<LevelScores>> said(responses.size(),
                                               std::vector<LevelScores>(levels_.size(), LevelScores{{1.0}, {}}));
    std::vector<std::size_t> going_on;
    for (std::size_t i = 0; i < responses.size(); ++i) {
      scores[i].status = VerdictStatus::ok;
      going_on.push_back(i);
    }
    for (std::size_t level = 0; level < levels_.size(); ++level) {
      std::vector<Response> asked;
      for (const std::size_t i : going_on) asked.push_back(responses[i]);
      const std::vector<ResponseScore> answers = scores_by(levels_[level], asked);
      std::vector<std::size_t> passed;
      for (std::size_t a = 0; a < answers.size(); ++a) {
        const std::size_t i = going_on[a];
        scores[i].usage += answers[a].usage;
        if (answers[a].status != VerdictStatus::ok) {
          scores[i].status = answers[a].status;
          continue;
        }
        said[i][level].scores = {answers[a].score};
        if (answers[a].score >= gate_) passed.push_back(i);
      }
      going_on = std::move(passed);
    }
    for (std::size_t i = 0; i < responses.size(); ++i)
      if (scores[i].status == VerdictStatus::ok) scores[i].score = gated_mean(said[i], gate_, least_reward);
    return scores;
  }

 private:
  std::vector<Member> levels_;
  double gate_;
};

}  // namespace

bool all_score(const std::vector<Member>& members) {
  return std::all_of(members.begin(), members.end(),
                     [](const Member& member) { return member.judge->scorer() != nullptr; });
}

std::unique_ptr<ResponseScorer> make_mean_scorer(std::vector<Member> members, std::size_t least) {
  return std::make_unique<MeanScorer>(std::move(members), least);
}

std::unique_ptr<ResponseScorer> make_gated_scorer(std::vector<Member> levels, double gate) {
  return std::make_unique<GatedScorer>(std::move(levels), gate);
}

}  // namespace rlaif::judge
