// Judges made of judges, as the deck names them.
#pragma once

#include <string>
#include <vector>

#include "rlaif/judge/fitted.hpp"
#include "rlaif/study/data_sets.hpp"

namespace rlaif::study {

// Throws Error(usage) naming the key: a member that is unknown, stands twice or comes back to its own judge, fewer than
// two, numbers that are none or not as many as members, a calibration that a vote, a cascade or a correction cannot do
// without. Throws Error(input) naming a calibration file that does not hold what is needed of it (one that is not there
// is left to the deck; `ignore`: none is read, they are about to be written).
enum class CalibrationFiles { read, ignore };
void check_judges(const Judges& judges, CalibrationFiles files = CalibrationFiles::read);

// All that have a section: study.judges, then study.members.
std::vector<const JudgeOptions*> judges_and_members(const Judges& judges);
// Those of a set of pairs that arms learn from, each once. Throws Error(usage) for an arm whose judge does not label
// them.
std::vector<const JudgeOptions*> judges_in_use(const Study& study, const DataSet& pairs);
// Judges without members that `judge` asks, itself where it has none: each once, in the order of the members.
std::vector<const JudgeOptions*> leaves_of(const Judges& judges, const JudgeOptions& judge);
std::vector<std::string> local_models(const Judges& judges,
                                      const JudgeOptions& judge);  // in this process, that it asks
bool needs_language(const Judges& judges,
                    const JudgeOptions& judge);  // a model that reads by the run's language is asked
bool asks_a_server(const Judges& judges, const JudgeOptions& judge);  // itself, or a member of it

// What the scores of single responses are that a judge gives: rewards on [-1, 1]; log-odds, as a reward model's; none: it only
// compares. Reads the conversation of a judge that asks; one whose file is not there yet is taken to ask for scores. Throws
// Error(input) as text::Conversation::load.
enum class ScoreUnits { none, rewards, log_odds };
ScoreUnits score_units(const Judges& judges, const JudgeOptions& judge);

// What the judge's calibration file says; nothing where it names none.
judge::FittedJudges calibration_of(const JudgeOptions& judge);
// What a judge that tempers its own verdicts by its calibration divides their log-odds by; 1 for all others.
double own_temperature(const JudgeOptions& judge);
// What a reward model's scores are divided by: its section's temperature, else the calibration's, else 1.
double score_temperature(const JudgeOptions& judge);
// What calibration found about members, where it is applied to verdicts that they have tempered themselves.
judge::FittedJudges beside_own_temperatures(const Judges& judges, judge::FittedJudges calibration);
// Of the members of a combined judge, in order.
std::vector<judge::FittedJudge> fitted_members(const JudgeOptions& judge, const judge::FittedJudges& calibration);
// Of a cascade: the deck's, else the calibration's.
std::vector<double> cascade_thresholds(const JudgeOptions& judge, const judge::FittedJudges& calibration);

}  // namespace rlaif::study
