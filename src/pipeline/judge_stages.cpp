// Judges held against what is known to be right: before anything learns from them, and as a study of its own.
#include <cmath>
#include <cstdio>
#include <optional>

#include "judge_facts.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/log.hpp"
#include "rlaif/pipeline/judge_tree.hpp"
#include "rlaif/pipeline/stages.hpp"
#include "rlaif/preferences/store.hpp"

namespace rlaif::pipeline {
namespace {

struct KnownAgreement {
  double value = 0.0;
  std::string with;  // "gold on 512 held-out pairs"
};

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100.0 * share);
  return text;
}

// nullopt: nobody knows.
std::optional<KnownAgreement> known_agreement(const Context& context, const PairSet& pairs, const JudgeOptions& judge) {
  const auto heldout = preferences::read_store(context.directory.preferences(heldout_store(pairs.store(judge.name))));
  const evaluate::JudgeQuality quality = heldout_quality(context, heldout);
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
  std::string text = "judge '";
  text += judge;
  text += "' agrees with ";
  text += known.with;
  text += " in " + percent(known.value) + " of them: ";
  char points[32];
  std::snprintf(points, sizeof points, "%.1f", 100.0 * (least - known.value));
  text += points;
  return text + " points less than judge.min_agreement = " + percent(least);
}

}  // namespace

Json run_agreement_stage(const Context& context, const PairSet& pairs) {
  const AgreementOptions& options = context.options.agreement;
  Json facts;
  context.comm.on_root([&] {
    facts["least"] = options.least;
    std::string short_of;
    for (const JudgeOptions* judge : judges_in_use(context.options, pairs)) {
      if (judge->kind == JudgeKind::annotators) continue;  // people are what others are held against
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

Json run_judges_stage(const Context& context) {
  Json facts;
  context.comm.on_root([&] {
    const PairSet set = first_pairs(context.options);
    const JudgedPairs pairs = read_judged_pairs(context, set);
    facts["results"]["yardstick"] = context.task.yardstick();
    facts["results"]["judges"] = judges_facts(context, set, pairs);
    facts["results"]["agreement_differences"] = agreement_differences(context, pairs);
  });
  return facts;
}

}  // namespace rlaif::pipeline
