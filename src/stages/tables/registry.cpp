// The list of tables: a line each.
#include <fmt/format.h>

#include <cmath>

#include "tables.hpp"

namespace rlaif::stages {

const std::vector<Table>& tables() {
  static const std::vector<Table> all{
      {"policies", "every policy on held-out prompts, and its wins over sft", policies_rows, policies_finish,
       policies_text},
      {"head_to_head", "arms against each other, and sft against itself", head_to_head_rows, nullptr,
       head_to_head_text},
      {"verdict", "judges that no arm has learned from on all policies", nullptr, verdict_finish, verdict_text},
      {"best_of_n", "the best of n responses of sft by each reward model", best_of_n_rows, nullptr, best_of_n_text},
      {"judges", "judges and their members on held-out pairs", judges_rows, judges_finish, judges_text},
      {"reward_models", "reward models on held-out pairs", reward_models_rows, nullptr, reward_models_text},
      {"rounds", "every round against the one that it starts from", rounds_rows, rounds_finish, rounds_text},
      {"times", "stages, ranks and starts", nullptr, times_finish, times_text},
      {"costs", "dollars and hours", nullptr, costs_finish, nullptr},
  };
  return all;
}

Json Evaluated::win_rate(const std::string& of, const std::string& over, const char* name) const {
  const evaluate::Interval interval =
      policy_win_rate(samples.at(of), samples.at(over), context.study.run.seed, resamples);
  if (std::isnan(interval.value)) return Json::object();  // the yardstick knows none of the prompts
  return {{name, interval.value}, {"ci_low", interval.low}, {"ci_high", interval.high}};
}

void put_interval(Json& row, const std::string& name, const evaluate::Interval& interval) {
  if (std::isnan(interval.value)) return;
  row[name] = interval.value;
  row[name + "_low"] = interval.low;
  row[name + "_high"] = interval.high;
}

double number(const Json& object, const std::string& key) {
  return object.contains(key) && object[key].is_number() ? object[key].get<double>() : 0.0;
}

std::string rate(const Json& object, const std::string& key) {
  return object.contains(key) ? fmt::format("{:.3f}", number(object, key)) : "-";
}

namespace {

std::string percent_text(double value, double low, double high) {
  return fmt::format("{:.1f} ({:.1f}-{:.1f})", 100 * value, 100 * low, 100 * high);
}

}  // namespace

std::string share_text(const Json& object, const std::string& key) {
  if (!object.contains(key)) return "-";
  return percent_text(number(object, key), number(object, key + "_low"), number(object, key + "_high"));
}

std::string win_text(const Json& object, const std::string& key) {
  if (!object.contains(key)) return "-";
  return percent_text(number(object, key), number(object, "ci_low"), number(object, "ci_high"));
}

}  // namespace rlaif::stages
