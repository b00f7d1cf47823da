#include <cctype>
#include <cmath>
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/judge/judge.hpp"

namespace rlaif::judge {
namespace {

// First words of the keys of Stream::annotator: draws for a comparison and for a person.
constexpr std::uint64_t comparison_key = 0, person_key = 1;

std::int64_t count_words(const std::string& text) {
  std::int64_t words = 0;
  bool inside = false;
  for (const unsigned char c : text) {
    const bool space = std::isspace(c) != 0;
    if (!space && !inside) ++words;
    inside = !space;
  }
  return words;
}

void check(const AnnotatorOptions& options) {
  const auto refuse = [](const std::string& message) { throw usage_error("annotators: " + message); };
  if (options.people < 1) refuse("people must be at least 1, not " + std::to_string(options.people));
  if (!(options.utility_noise >= 0.0) || !std::isfinite(options.utility_noise))
    refuse("utility_noise must be a number of at least 0, not " + std::to_string(options.utility_noise));
  if (!(options.length_weight >= 0.0) || !std::isfinite(options.length_weight))
    refuse("length_weight must be a number of at least 0, not " + std::to_string(options.length_weight));
  if (!(options.flip_rate >= 0.0 && options.flip_rate <= 1.0))
    refuse("flip_rate must be in [0, 1], not " + std::to_string(options.flip_rate));
}

class Annotators final : public Judge {
 public:
  Annotators(std::string name, AnnotatorOptions options, Utility utility, cost::Price price)
      : name_(std::move(name)), options_(options), utility_(std::move(utility)), price_(std::move(price)) {
    check(options_);
    for (int person = 0; person < options_.people; ++person) {
      Rng rng(options_.seed, Stream::annotator, {person_key, static_cast<std::uint64_t>(person)});
      weights_.push_back(options_.length_weight * rng.normal());
    }
  }

  const std::string& name() const override { return name_; }

  std::vector<Verdict> judge(std::span<const Comparison> comparisons) override {
    std::vector<Verdict> verdicts;
    verdicts.reserve(comparisons.size());
    for (const Comparison& comparison : comparisons) verdicts.push_back(label(comparison));
    return verdicts;
  }

 private:
  Verdict label(const Comparison& comparison) const {
    Rng rng(options_.seed, Stream::annotator, {comparison_key, comparison.id});
    const double weight = weights_[rng.below(weights_.size())];
    const auto longer = static_cast<double>(count_words(comparison.first.text) - count_words(comparison.second.text));
    const double difference = utility_(comparison.prompt, comparison.first) -
                              utility_(comparison.prompt, comparison.second) + weight * longer +
                              options_.utility_noise * rng.normal();
    const bool flipped = rng.uniform() < options_.flip_rate;
    const bool prefers_first = difference != 0.0 ? difference > 0.0 : rng.uniform() < 0.5;
    Verdict verdict = single_order(prefers_first != flipped ? 1.0 : 0.0);
    verdict.usage.cost_usd = price_.label_usd(verdict.usage);
    return verdict;
  }

  std::string name_;
  AnnotatorOptions options_;
  Utility utility_;
  cost::Price price_;
  std::vector<double> weights_;  // one per person, per word of length difference
};

}  // namespace

std::unique_ptr<Judge> make_annotators(std::string name, AnnotatorOptions options, Utility utility, cost::Price price) {
  return std::make_unique<Annotators>(std::move(name), options, std::move(utility), std::move(price));
}

}  // namespace rlaif::judge
