// The tables of `rlaif cost`.
#include <algorithm>
#include <cmath>

#include "rlaif/core/progress.hpp"
#include "rlaif/core/text_format.hpp"
#include "rlaif/stages/run_costs.hpp"

namespace rlaif::stages {
namespace {

// 1234567.8 -> "1,234,567.80"
std::string grouped(double value, int decimals) {
  const std::string plain = text_format("%.*f", decimals, value);
  const std::size_t whole = std::min(plain.find('.'), plain.size());
  std::string text;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const bool after_digit = i > 0 && plain[i - 1] != '-';
    if (after_digit && i < whole && (whole - i) % 3 == 0) text += ',';
    text += plain[i];
  }
  return text;
}

// A price of one label: as many digits as a small one needs.
std::string price_text(double usd) {
  if (std::isnan(usd)) return "-";
  return usd == 0.0 || usd >= 0.001 ? text_format("%.4f", usd) : text_format("%.2e", usd);
}

std::string offers_table(const std::vector<cost::OfferPair>& pairs, double comparisons) {
  std::string text =
      text_format("%-32s %12s %12s %16s %12s\n", "labels by", "fixed, USD", "USD a label", "total, USD", "people / AI");
  for (const cost::OfferPair& pair : pairs) {
    for (const cost::LabelOffer* offer : {&pair.people, &pair.ai}) {
      const double total = offer->total_usd(comparisons);
      std::string ratio;
      if (offer == &pair.ai && total > 0.0) ratio = text_format("%.1f", pair.people.total_usd(comparisons) / total);
      text += text_format("%-32s %12s %12s %16s %12s\n", offer->name.c_str(), grouped(offer->fixed_usd, 2).c_str(),
                          price_text(offer->label_usd).c_str(), grouped(total, 2).c_str(), ratio.c_str());
    }
  }
  return text;
}

std::string break_even_text(const std::vector<cost::OfferPair>& pairs) {
  const auto from = cost::no_dearer_from(pairs[0].people, pairs[1].ai);
  if (!from) return "";
  return text_format("a hosted judge set up costs no more than people's labels at their price from %s comparisons on\n",
                     grouped(std::ceil(*from), 0).c_str());
}

std::string uses_table(const RunCosts& run, double comparisons) {
  std::string text = text_format("%-20s %-20s %-22s %9s %10s %9s %12s %11s %11s %11s %10s %12s %16s\n", "judge",
                                 "stage", "price", "pairs", "responses", "labels", "tokens in", "cached", "out", "USD",
                                 "rank hours", "USD a label", "for all, USD");
  for (const cost::MeasuredUse& use : run.uses) {
    const double label = cost::usd_a_label(use, run.usd_per_rank_hour);
    text += text_format(
        "%-20s %-20s %-22s %9s %10s %9s %12s %11s %11s %11s %10.4f %12s %16s\n", use.judge.c_str(), use.stage.c_str(),
        use.price.empty() ? "-" : use.price.c_str(), grouped(static_cast<double>(use.pairs), 0).c_str(),
        grouped(static_cast<double>(use.responses), 0).c_str(), grouped(static_cast<double>(use.labels), 0).c_str(),
        grouped(static_cast<double>(use.usage.input_tokens), 0).c_str(),
        grouped(static_cast<double>(use.usage.cached_input_tokens), 0).c_str(),
        grouped(static_cast<double>(use.usage.output_tokens), 0).c_str(), grouped(use.usage.cost_usd, 2).c_str(),
        use.rank_hours, price_text(label).c_str(), std::isnan(label) ? "-" : grouped(label * comparisons, 2).c_str());
  }
  return text;
}

std::string stages_table(const RunCosts& run) {
  std::string text = text_format("%-20s %6s %10s %12s %12s\n", "stage", "ranks", "time", "rank hours", "USD");
  double hours = 0.0;
  const auto dollars = [&](double rank_hours) {
    return run.usd_per_rank_hour > 0.0 ? grouped(rank_hours * run.usd_per_rank_hour, 4) : std::string("-");
  };
  for (const StageTime& stage : run.stages) {
    text += text_format("%-20s %6.0f %10s %12.4f %12s\n", stage.stage.c_str(), stage.ranks,
                        format_duration(stage.wall_seconds).c_str(), stage.rank_hours(),
                        dollars(stage.rank_hours()).c_str());
    hours += stage.rank_hours();
  }
  return text + text_format("%-20s %6s %10s %12.4f %12s\n", "all", "", "", hours, dollars(hours).c_str());
}

std::string run_text(const RunCosts& run, double comparisons) {
  std::string text = text_format("\nmeasured in %s (%s), and for %s comparisons at that price a label\n",
                                 run.run.c_str(), run.name.c_str(), grouped(comparisons, 0).c_str());
  text += uses_table(run, comparisons);
  if (run.uses.empty()) text += "no pair was judged so far\n";
  for (const std::string& store : run.unfinished) {
    const bool is_label_store = store.find('/') == std::string::npos;
    text += text_format("%s%s is not finished: what is there counts\n", is_label_store ? "preferences/" : "",
                        store.c_str());
  }
  for (const PaidAnswers& paid : run.paid) {
    text +=
        text_format("answers of %s, all starts: %s paid with $%s, $%s held for requests of which nothing was heard\n",
                    paid.judge.c_str(), grouped(static_cast<double>(paid.answers), 0).c_str(),
                    grouped(paid.paid_usd, 6).c_str(), grouped(paid.unsettled_usd, 6).c_str());
  }
  text += '\n';
  text += stages_table(run);
  if (run.usd_per_rank_hour <= 0.0) return text + "machines are not priced: plan.usd_per_rank_hour is 0\n";
  return text + text_format("machines at $%.2f a rank and hour (plan.usd_per_rank_hour)\n", run.usd_per_rank_hour);
}

Json offer_json(const cost::LabelOffer& offer, double comparisons) {
  return {{"name", offer.name},
          {"fixed_usd", offer.fixed_usd},
          {"label_usd", offer.label_usd},
          {"total_usd", offer.total_usd(comparisons)}};
}

Json use_json(const cost::MeasuredUse& use, double label_usd) {
  return {{"judge", use.judge},
          {"stage", use.stage},
          {"price", use.price},
          {"pairs", use.pairs},
          {"responses", use.responses},
          {"labels", use.labels},
          {"input_tokens", use.usage.input_tokens},
          {"cached_input_tokens", use.usage.cached_input_tokens},
          {"output_tokens", use.usage.output_tokens},
          {"cost_usd", use.usage.cost_usd},
          {"rank_hours", use.rank_hours},
          {"usd_a_label", number_or_null(label_usd)}};
}

}  // namespace

Json costs_json(const RunCosts& run) {
  Json json{{"run", run.run.string()},
            {"name", run.name},
            {"usd_per_rank_hour", run.usd_per_rank_hour},
            {"judges", Json::array()},
            {"unfinished", run.unfinished},
            {"answers", Json::array()},
            {"stages", Json::array()}};
  for (const cost::MeasuredUse& use : run.uses) {
    json["judges"].push_back(use_json(use, cost::usd_a_label(use, run.usd_per_rank_hour)));
  }
  for (const PaidAnswers& paid : run.paid) {
    json["answers"].push_back({{"judge", paid.judge},
                               {"answers", paid.answers},
                               {"paid_usd", paid.paid_usd},
                               {"unsettled_usd", paid.unsettled_usd}});
  }
  for (const StageTime& stage : run.stages) {
    json["stages"].push_back({{"stage", stage.stage},
                              {"ranks", stage.ranks},
                              {"wall_seconds", stage.wall_seconds},
                              {"rank_hours", stage.rank_hours()},
                              {"machine_usd", stage.rank_hours() * run.usd_per_rank_hour}});
  }
  return json;
}

std::string cost_text(const cost::Assumptions& a, double comparisons, const RunCosts* run) {
  const std::vector<cost::OfferPair> pairs = cost::offer_pairs(a);
  std::string text = grouped(comparisons, 0) + " comparisons; assumptions of " + a.file().filename().string() + "\n" +
                     offers_table(pairs, comparisons);
  text += text_format(
      "team: %g people x $%g x %g h x %g weeks = $%s for %s comparisons, in proportion for others; platform $%s\n",
      a.at("team_people"), a.at("team_hourly_usd"), a.at("team_hours_per_week"), a.at("team_weeks"),
      grouped(cost::team_wages_usd(a), 2).c_str(), grouped(a.at("team_comparisons"), 0).c_str(),
      grouped(a.at("team_platform_usd"), 2).c_str());
  text += break_even_text(pairs);
  return run ? text + run_text(*run, comparisons) : text;
}

Json cost_json(const cost::Assumptions& a, double comparisons, const RunCosts* run) {
  Json json{{"comparisons", comparisons}, {"assumptions", Json::array()}, {"offers", Json::array()}};
  for (const cost::Assumption& one : a.entries()) {
    json["assumptions"].push_back(
        {{"name", one.name}, {"value", one.value}, {"unit", one.unit}, {"as_of", one.as_of}, {"source", one.source}});
  }
  for (const cost::OfferPair& pair : cost::offer_pairs(a)) {
    json["offers"].push_back(
        {{"people", offer_json(pair.people, comparisons)}, {"ai", offer_json(pair.ai, comparisons)}});
  }
  if (!run) return json;
  json["measured"] = costs_json(*run);
  for (Json& use : json["measured"]["judges"]) {
    use["projected_usd"] =
        use["usd_a_label"].is_number() ? Json(use["usd_a_label"].get<double>() * comparisons) : Json();
  }
  return json;
}

}  // namespace rlaif::stages
