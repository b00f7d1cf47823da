// Judges held against what is known to be right before anything learns from them.
#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "planning.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/core/option_table.hpp"
#include "rlaif/preferences/store.hpp"
#include "rlaif/stages/judge_facts.hpp"
#include "rlaif/stages/stages.hpp"
#include "rlaif/study/judge_tree.hpp"

namespace rlaif::stages {
namespace {

constexpr int resamples = 1;  // the value alone is asked for

struct KnownAgreement {
  double value = 0.0;
  std::string with;  // "gold on 512 held-out pairs"
};

std::string percent(double share) { return fmt::format("{:.1f} %", 100.0 * share); }

// nullopt: nobody knows.
std::optional<KnownAgreement> known_agreement(const Context& context, const DataSet& pairs, const JudgeOptions& judge) {
  const auto heldout = preferences::read_store(context.directory.preferences(heldout_store(pairs.store(judge.name))));
  const evaluate::JudgeQuality quality = heldout_quality(context, heldout, resamples);
  if (quality.decided > 0) {
    return KnownAgreement{quality.accuracy.value,
                          context.task.yardstick() + " on " + std::to_string(quality.decided) + " held-out pairs"};
  }
  const judge::FittedJudges calibration = calibration_of(judge);
  const auto found = calibration.judges.find(judge.name);
  if (found == calibration.judges.end() || std::isnan(found->second.agreement)) return std::nullopt;
  return KnownAgreement{found->second.agreement, "people on " + std::to_string(found->second.pairs) + " pairs of " +
                                                     calibration.file.filename().string()};
}

std::string shortfall(const std::string& judge, const KnownAgreement& known, double least) {
  return fmt::format("judge '{}' agrees with {} in {} of them: {:.1f} points less than judge.min_agreement = {}", judge,
                     known.with, percent(known.value), 100.0 * (least - known.value), percent(least));
}

Json run(const Context& context, const DataSet& pairs, const AgreementOptions& options) {
  Json facts;
  context.comm.on_root([&] {
    facts["least"] = options.least;
    std::string short_of;
    for (const JudgeOptions* judge : judges_in_use(context.study, pairs)) {
      if (is_people(judge->kind)) continue;  // people are what others are held against
      const auto known = known_agreement(context, pairs, *judge);
      if (!known) {
        log::info("judge " + judge->name + ": nobody knows how well it agrees with people; " +
                  "`rlaif calibrate` measures it on labels, judge." + judge->name + ".calibration names the result");
        facts["unknown"].push_back(judge->name);
        continue;
      }
      facts["judges"][judge->name] = {{"agreement", known->value}, {"with", known->with}};
      if (known->value >= options.least) {
        log::info("judge " + judge->name + " agrees with " + known->with + " in " + percent(known->value));
        continue;
      }
      facts["below"][judge->name] = known->value;
      short_of += (short_of.empty() ? "" : "; ") + shortfall(judge->name, *known, options.least);
    }
    if (short_of.empty()) return;
    if (options.proceed) {
      log::warning(short_of + "; the study goes on, as judge.proceed_below_min_agreement says");
      return;
    }
    throw input_error(
        short_of +
        ". Nothing was trained on its labels. To try, in this order: another style (reasons before the "
        "verdict, both orders), a constitution that says what is wanted, an ensemble of judges, escalation to a dearer "
        "judge (a cascade); judge.proceed_below_min_agreement = true goes on all the same");
  });
  return facts;
}

// The judges that learning starts from are held against judge.min_agreement.
std::string agreement_text(const Study& study, const DataSet& pairs, const AgreementOptions& options) {
  std::string names;
  for (const JudgeOptions* judge : judges_in_use(study, pairs)) {
    if (!is_people(judge->kind)) names += (names.empty() ? "" : ", ") + judge->name;
  }
  if (names.empty()) return names;
  return fmt::format("{}: {} or more (judge.min_agreement){}", names, percent(options.least),
                     options.proceed ? ", or the report says so" : ", or nothing is trained");
}

}  // namespace

void plan_agreement(StudyPlan& plan, const Study& study, const DataSet& pairs) {
  const AgreementOptions& options = plan.options().agreement;
  const std::string text = agreement_text(study, pairs, options);
  if (options.least <= 0.0 || text.empty()) return;
  run::Stage stage{
      .name = pairs.stage("agreement"),
      .kind = "agreement",
      .of = pairs.name,
      .command = "reward",
      .size = text,
      .run = in_study(study, [pairs, options](const Context& context) { return run(context, pairs, options); })};
  for (const JudgeOptions* judge : judges_in_use(study, pairs))
    stage.reads.push_back("preferences/" + heldout_store(pairs.store(judge->name)));
  plan.add(std::move(stage));
}

void bind_agreement(OptionTable& table, AgreementOptions& o) {
  table
      .add("judge.min_agreement", &o.least, "",
           "share of pairs on which a judge must name the better side before a reward model learns from it; 0: "
           "whatever it is")
      .at_least(0)
      .at_most(1)
      .no_result();
  table.add("judge.proceed_below_min_agreement", &o.proceed, "", "go on below it; the report says so first")
      .no_result();
}

}  // namespace rlaif::stages
