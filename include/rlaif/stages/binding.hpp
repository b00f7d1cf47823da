// Keys that trainers have in common, bound to the structs of a section.
//   bind_schedule(table, "dpo", options.schedule, options.adam);   // dpo.learning_rate, dpo.warmup_steps, ...
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rlaif/core/option_table.hpp"
#include "rlaif/run/layers.hpp"
#include "rlaif/study/network.hpp"
#include "rlaif/train/options.hpp"

namespace rlaif::stages {

// Products of them, of pairs a prompt and of epochs stay whole numbers of 64 bits.
inline constexpr double most_items = 1e9, most_epochs = 1e6;

void bind_schedule(OptionTable& table, const std::string& section, train::ScheduleOptions& schedule,
                   train::AdamWOptions& adam);
// `prefix`_rank and `prefix`_alpha.
void bind_adapter(OptionTable& table, const std::string& prefix, LowRankOptions& adapter, const std::string& whose);

// The names of a table of what may stand in a place, for OptionTable::add_choice.
template <class Entry>
std::vector<std::pair<std::string, std::string>> names_of(const std::vector<Entry>& entries) {
  std::vector<std::pair<std::string, std::string>> names;
  for (const Entry& entry : entries) names.emplace_back(entry.name, entry.name);
  return names;
}

}  // namespace rlaif::stages
