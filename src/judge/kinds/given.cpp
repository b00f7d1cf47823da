#include "rlaif/judge/kinds/given.hpp"

#include <utility>

namespace rlaif::judge {
namespace {

class GivenJudge final : public Judge {
 public:
  GivenJudge(std::string name, cost::Price price) : name_(std::move(name)), price_(std::move(price)) {}
  const std::string& name() const override { return name_; }

  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    std::vector<Verdict> verdicts(comparisons.size());
    for (std::size_t i = 0; i < comparisons.size(); ++i) {
      Verdict& verdict = verdicts[i];
      verdict.p_first_by_order = {not_asked, not_asked};
      if (!comparisons[i].label) continue;
      verdict.status = VerdictStatus::ok;
      verdict.p_first = *comparisons[i].label;
      verdict.usage.cost_usd = price_.label_usd(verdict.usage);
    }
    return verdicts;
  }

 private:
  std::string name_;
  cost::Price price_;
};

}  // namespace

std::unique_ptr<Judge> make_given_judge(std::string name, cost::Price price) {
  return std::make_unique<GivenJudge>(std::move(name), std::move(price));
}

}  // namespace rlaif::judge
