// Members asked one after the other until a verdict stands: what cascade and hierarchy have in common.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "members.hpp"
#include "rlaif/judge/scorer.hpp"

namespace rlaif::judge {

enum class OnFailure { ask_next, stands };
enum class OnTie { by_confidence, ask_next };

class Escalation final : public Judge {
 public:
  // `least_confidence`: of each member but the last.
  Escalation(std::string name, std::vector<Member> members, std::vector<double> least_confidence, OnFailure on_failure,
             OnTie on_tie, std::unique_ptr<ResponseScorer> scorer = nullptr)
      : name_(std::move(name)),
        members_(std::move(members)),
        least_confidence_(std::move(least_confidence)),
        on_failure_(on_failure),
        on_tie_(on_tie),
        scorer_(std::move(scorer)) {}

  const std::string& name() const override { return name_; }
  ResponseScorer* scorer() override { return scorer_.get(); }
  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override;

 private:
  bool stands(const Verdict& verdict, std::size_t member) const;

  std::string name_;
  std::vector<Member> members_;
  std::vector<double> least_confidence_;
  OnFailure on_failure_;
  OnTie on_tie_;
  std::unique_ptr<ResponseScorer> scorer_;
};

}  // namespace rlaif::judge
