// What judges and writers cost while they work: tokens and dollars by stage and asker, and the cap that holds in flight too.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "rlaif/core/json.hpp"
#include "rlaif/core/types.hpp"
#include "rlaif/cost/asker.hpp"

namespace rlaif::cost {

// Dollars as whole billionths, so that sums do not depend on their order. Rounded up. Throws Error(usage) where the
// amount is negative, not finite or above 9 billion dollars.
std::int64_t to_nano_usd(double usd);

// Money that may still be spent. One process's own (make_budget), or a counter that ranks share.
class Budget {
 public:
  virtual ~Budget() = default;
  // Takes so many billionths of a dollar out, or takes nothing and says false where less is left. Over all holders, what
  // was so taken and not given back never exceeds the cap.
  virtual bool reserve(std::int64_t nano_usd) = 0;
  // Takes out what is spent already, be it there or not, and says by how much the cap is passed then (0: it is not).
  virtual std::int64_t overdraw(std::int64_t nano_usd) = 0;
  virtual void give_back(std::int64_t nano_usd) = 0;
};
constexpr double no_cap = std::numeric_limits<double>::infinity();
// Throws Error(usage) for a cap below 0 or NaN.
std::unique_ptr<Budget> make_budget(double cap_usd);

struct Spending {
  std::int64_t requests = 0;          // answers paid for
  std::int64_t stored_answers = 0;    // answers that were there already and cost nothing now
  std::int64_t failures = 0;          // requests that ended without an answer
  Usage usage;                        // of the answers paid for
  std::int64_t reasoning_tokens = 0;  // of usage.output_tokens
  double unsettled_usd = 0.0;         // held for attempts of which nobody knows whether they are billed
  Spending& operator+=(const Spending& other);
};

// Reservations and their settlement. One a rank; not for several threads.
class SpendMeter {
 public:
  explicit SpendMeter(std::shared_ptr<Budget> budget = make_budget(no_cap));

  void set_stage(std::string stage) { stage_ = std::move(stage); }

  // The worst case of a request, before it is sent. False: the cap does not allow it.
  bool reserve(double worst_usd);
  // A request that was answered: the difference is given back. An answer dearer than its reservation (a server that
  // ignores its limits) takes the rest out of the cap, below 0 where it must: then nobody reserves any more. The first of an
  // asker, and the first that passes the cap, are said in a warning.
  void settle(const Asker& asker, double reserved_usd, const Usage& usage, std::int64_t reasoning_tokens);
  // An attempt that may have been billed though no answer came: the money stays out, and is counted apart.
  void leave_unsettled(const Asker& asker, double reserved_usd);
  // A request that was never sent, or whose server said that it failed.
  void give_back(double reserved_usd);
  void count_failure(const Asker& asker);
  void count_stored(const Asker& asker, std::int64_t answers);
  // How far answers of this process were seen to pass the cap.
  double over_cap_usd() const;

  // By (stage, asker). What is paid in this process, not what verdicts carry: those from the store cost nothing again.
  const std::map<std::pair<std::string, Asker>, Spending>& rows() const { return rows_; }
  Spending total() const;
  void merge(const SpendMeter& other);
  // [{"stage", "role", "name", "requests", ..., "cost_usd", "unsettled_usd"}], by stage and asker.
  Json to_json() const;

 private:
  Spending& row(const Asker& asker) { return rows_[{stage_, asker}]; }

  std::shared_ptr<Budget> budget_;
  std::string stage_;
  std::set<Asker> dear_askers_;  // that were said to cost more than was reserved
  std::int64_t over_cap_nano_ = 0;
  std::map<std::pair<std::string, Asker>, Spending> rows_;
};

}  // namespace rlaif::cost
