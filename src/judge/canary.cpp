#include "rlaif/judge/canary.hpp"

#include <limits>
#include <map>
#include <utility>

#include "annotator_keys.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::judge {
namespace {

class MixingJudge final : public CanaryJudge {
 public:
  MixingJudge(std::shared_ptr<Judge> inner, std::vector<Canary> canaries, double rate, std::uint64_t seed)
      : inner_(std::move(inner)), canaries_(std::move(canaries)), rate_(rate), seed_(seed) {
    if (!(rate_ >= 0.0 && rate_ <= 1.0))
      throw usage_error("judge.canary_rate: a number from 0 to 1 was expected, not " + std::to_string(rate_));
    if (canaries_.empty()) throw input_error("judge '" + inner_->name() + "': expected at least one canary");
  }

  const std::string& name() const override { return inner_->name(); }
  ResponseScorer* scorer() override { return inner_->scorer(); }

  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    std::vector<Comparison> asked(comparisons.begin(), comparisons.end());
    std::vector<Planted> planted;
    for (const Comparison& comparison : comparisons) plant(comparison.id, asked, planted);
    std::vector<Verdict> verdicts = inner_->judge(asked);
    RLAIF_CHECK(verdicts.size() == asked.size(), "a judge must give one verdict per comparison");
    for (std::size_t i = 0; i < planted.size(); ++i) count(planted[i], verdicts[comparisons.size() + i]);
    verdicts.resize(comparisons.size());
    return verdicts;
  }

  CanaryCounts take_counts() override { return std::exchange(counts_, {}); }

 private:
  struct Planted {
    const Canary* canary;
    bool good_first;
  };

  void plant(std::uint64_t comparison, std::vector<Comparison>& asked, std::vector<Planted>& planted) const {
    Rng rng(seed_, Stream::annotator, {canary_key, comparison});
    if (!(rng.uniform() < rate_)) return;
    const Canary& canary = rng.pick(canaries_);
    planted.push_back({&canary, rng.below(2) == 0});
    Comparison& shown = asked.emplace_back();
    shown.id = hash_words({canary_key, comparison});  // draws its own principle and fence
    shown.prompt.id = shown.id;
    shown.prompt.text = canary.prompt;
    shown.first.text = planted.back().good_first ? canary.good : canary.bad;
    shown.second.text = planted.back().good_first ? canary.bad : canary.good;
    shown.first.ended = shown.second.ended = true;
  }

  void count(const Planted& planted, const Verdict& verdict) {
    counts_.cost_usd += verdict.usage.cost_usd;
    const double p_good = planted.good_first ? verdict.p_first : 1.0 - verdict.p_first;
    const bool ok = verdict.status == VerdictStatus::ok;
    if (ok && p_good > 0.5) {
      ++counts_.right;
      return;
    }
    ++(ok ? counts_.wrong : counts_.failed);
    counts_.not_right.push_back(planted.canary->id);
  }

  std::shared_ptr<Judge> inner_;
  std::vector<Canary> canaries_;
  double rate_;
  std::uint64_t seed_;
  CanaryCounts counts_;
};

}  // namespace

std::vector<Canary> load_canaries(const std::filesystem::path& file) {
  std::vector<Canary> canaries;
  std::map<std::string, std::size_t> line_of;
  text::for_each_json_line(file, [&](const text::JsonRecord& record) {
    const JsonReader reader = record.reader();
    reader.allow_only({"id", "kind", "prompt", "good", "bad"});
    Canary canary{reader.at("id").text(), reader.at("kind").text(), reader.at("prompt").text(),
                  reader.at("good").text(), reader.at("bad").text()};
    if (canary.good == canary.bad) throw reader.error("'good' and 'bad' are the same text; expected two that differ");
    const auto [known, is_new] = line_of.emplace(canary.id, record.line);
    if (!is_new) {
      throw reader.at("id").unexpected("ids that are unique; that of line " + std::to_string(known->second) +
                                       " is the same");
    }
    canaries.push_back(std::move(canary));
  });
  if (canaries.empty()) throw input_error(file, "holds no canary; expected at least one");
  return canaries;
}

double CanaryCounts::right_share() const {
  if (asked() == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(right) / static_cast<double>(asked());
}

CanaryCounts& CanaryCounts::operator+=(const CanaryCounts& other) {
  right += other.right;
  wrong += other.wrong;
  failed += other.failed;
  cost_usd += other.cost_usd;
  not_right.insert(not_right.end(), other.not_right.begin(), other.not_right.end());
  return *this;
}

std::unique_ptr<CanaryJudge> make_canary_judge(std::shared_ptr<Judge> inner, std::vector<Canary> canaries, double rate,
                                               std::uint64_t seed) {
  return std::make_unique<MixingJudge>(std::move(inner), std::move(canaries), rate, seed);
}

}  // namespace rlaif::judge
