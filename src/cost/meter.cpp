#include "rlaif/cost/meter.hpp"

#include <algorithm>
#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"

namespace rlaif::cost {
namespace {

class OwnBudget final : public Budget {
 public:
  explicit OwnBudget(double cap_usd) : unlimited_(std::isinf(cap_usd) && cap_usd > 0.0) {
    if (!unlimited_) left_ = to_nano_usd(cap_usd);
  }

  bool reserve(std::int64_t nano_usd) override {
    if (unlimited_) return true;
    if (nano_usd > left_) return false;
    left_ -= nano_usd;
    return true;
  }

  void give_back(std::int64_t nano_usd) override {
    if (!unlimited_) left_ += nano_usd;
  }

  std::int64_t overdraw(std::int64_t nano_usd) override {
    if (!unlimited_) left_ -= nano_usd;
    return std::max<std::int64_t>(0, -left_);
  }

 private:
  bool unlimited_;
  std::int64_t left_ = 0;
};

}  // namespace

std::int64_t to_nano_usd(double usd) {
  if (!(usd >= 0.0 && usd <= 9e9)) throw usage_error("expected dollars between 0 and 9e9, not " + std::to_string(usd));
  // Less than a thousandth of a billionth is what binary fractions do to a round amount.
  return static_cast<std::int64_t>(std::ceil(usd * 1e9 - 1e-3));
}

std::unique_ptr<Budget> make_budget(double cap_usd) { return std::make_unique<OwnBudget>(cap_usd); }

Spending& Spending::operator+=(const Spending& other) {
  requests += other.requests;
  stored_answers += other.stored_answers;
  failures += other.failures;
  usage += other.usage;
  reasoning_tokens += other.reasoning_tokens;
  unsettled_usd += other.unsettled_usd;
  return *this;
}

SpendMeter::SpendMeter(std::shared_ptr<Budget> budget) : budget_(std::move(budget)) {
  RLAIF_CHECK(budget_ != nullptr, "a meter needs a budget");
}

bool SpendMeter::reserve(double worst_usd) { return budget_->reserve(to_nano_usd(worst_usd)); }

void SpendMeter::settle(const Asker& asker, double reserved_usd, const Usage& usage, std::int64_t reasoning_tokens) {
  Spending& spending = row(asker);
  ++spending.requests;
  spending.usage += usage;
  spending.reasoning_tokens += reasoning_tokens;
  const std::int64_t excess = to_nano_usd(usage.cost_usd) - to_nano_usd(reserved_usd);
  if (excess <= 0) {
    budget_->give_back(-excess);
    return;
  }
  const std::string cost = asker.text() + ": an answer cost $" + std::to_string(usage.cost_usd) + ", at most $" +
                           std::to_string(reserved_usd) +
                           " were expected: the server used more tokens than it was allowed";
  const std::int64_t over = budget_->overdraw(excess);
  if (over > 0 && over_cap_nano_ == 0)
    log::warning(cost + "; the cap on the cost (cost.cap_usd) is passed by $" +
                 std::to_string(static_cast<double>(over) * 1e-9) + ", nothing more is asked");
  else if (!dear_askers_.contains(asker))
    log::warning(cost);
  dear_askers_.insert(asker);
  over_cap_nano_ = std::max(over_cap_nano_, over);
}

double SpendMeter::over_cap_usd() const { return static_cast<double>(over_cap_nano_) * 1e-9; }

void SpendMeter::leave_unsettled(const Asker& asker, double reserved_usd) { row(asker).unsettled_usd += reserved_usd; }

void SpendMeter::give_back(double reserved_usd) { budget_->give_back(to_nano_usd(reserved_usd)); }
void SpendMeter::count_failure(const Asker& asker) { ++row(asker).failures; }
void SpendMeter::count_stored(const Asker& asker, std::int64_t answers) { row(asker).stored_answers += answers; }

Spending SpendMeter::total() const {
  Spending sum;
  for (const auto& [key, spending] : rows_) sum += spending;
  return sum;
}

void SpendMeter::merge(const SpendMeter& other) {
  for (const auto& [key, spending] : other.rows_) rows_[key] += spending;
}

Json SpendMeter::to_json() const {
  Json list = Json::array();
  for (const auto& [key, spending] : rows_) {
    list.push_back({{"stage", key.first},
                    {"role", key.second.role},
                    {"name", key.second.name},
                    {"requests", spending.requests},
                    {"stored_answers", spending.stored_answers},
                    {"failures", spending.failures},
                    {"input_tokens", spending.usage.input_tokens},
                    {"cached_input_tokens", spending.usage.cached_input_tokens},
                    {"output_tokens", spending.usage.output_tokens},
                    {"reasoning_tokens", spending.reasoning_tokens},
                    {"cost_usd", spending.usage.cost_usd},
                    {"unsettled_usd", spending.unsettled_usd}});
  }
  return list;
}

}  // namespace rlaif::cost
