// Tables: what results.json says and what is printed, subject by subject. A new one is a file here and a line in
// registry.cpp.
//   for (const Table& table : tables())  if (table.text) std::cout << table.text({results, columns});
#pragma once

#include <map>
#include <string>
#include <vector>

#include "../sampling.hpp"
#include "rlaif/core/json.hpp"
#include "rlaif/evaluate/statistics.hpp"
#include "rlaif/study/context.hpp"

namespace rlaif::stages {

// What there is to say something about when all arms are there.
struct Evaluated {
  const Context& context;
  const std::map<std::string, PolicySamples>& samples;  // by policy, "sft" and "sft-again" included
  const Json& judged;                                   // judged_facts
  const std::vector<Json>& best_of_n;                   // lines of evaluation/best-of-n.jsonl (sampling.hpp)
  int resamples;                                        // of the bootstrap that intervals come from
  // Of one policy over another, under `name`, with its interval.
  Json win_rate(const std::string& of, const std::string& over, const char* name) const;
};
// What there is once all stages are done.
struct Finished {
  const Context& context;
  const std::vector<Json>& markers;
  std::map<std::string, const Json*> by_stage = {};
};
// What is printed: results.json, and the marks that have a column of their own.
struct Printed {
  const Json& results;
  std::vector<std::string> columns;
};

struct Table {
  const char *name, *about;
  Json (*rows)(const Evaluated& evaluated);  // members of results.json; nullptr: none. On the root
  void (*finish)(const Finished& finished,
                 Json& results);                // adds what stages have measured; nullptr: nothing. On the root
  std::string (*text)(const Printed& printed);  // nullptr: nothing is printed
};
// In the order in which they are printed.
const std::vector<Table>& tables();

Json policies_rows(const Evaluated& evaluated);
void policies_finish(const Finished& finished, Json& results);
std::string policies_text(const Printed& printed);
Json head_to_head_rows(const Evaluated& evaluated);
std::string head_to_head_text(const Printed& printed);
void verdict_finish(const Finished& finished, Json& results);
std::string verdict_text(const Printed& printed);
Json best_of_n_rows(const Evaluated& evaluated);
std::string best_of_n_text(const Printed& printed);
Json judges_rows(const Evaluated& evaluated);
void judges_finish(const Finished& finished, Json& results);
std::string judges_text(const Printed& printed);
Json reward_models_rows(const Evaluated& evaluated);
std::string reward_models_text(const Printed& printed);
Json rounds_rows(const Evaluated& evaluated);
void rounds_finish(const Finished& finished, Json& results);
std::string rounds_text(const Printed& printed);
void times_finish(const Finished& finished, Json& results);
std::string times_text(const Printed& printed);
void costs_finish(const Finished& finished, Json& results);

// `name`, `name`_low and `name`_high; nothing where there is no value: nothing of the kind was asked.
void put_interval(Json& row, const std::string& name, const evaluate::Interval& interval);
// A member as a number, 0 where it is none; as "0.123", "-" where it is not there; a rate and the interval of its name
// in %.
double number(const Json& object, const std::string& key);
std::string rate(const Json& object, const std::string& key);
std::string share_text(const Json& object, const std::string& key);
// The same with the interval in ci_low and ci_high.
std::string win_text(const Json& object, const std::string& key);

}  // namespace rlaif::stages
