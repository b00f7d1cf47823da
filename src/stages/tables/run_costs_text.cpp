// The tables of `rlaif cost`.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rlaif/core/progress.hpp"
#include "rlaif/stages/run_costs.hpp"

namespace rlaif::stages {
namespace {

// 1234567.8 -> "1,234,567.80"
std::string grouped(double value, int decimals) {
  const std::string plain = fmt::format("{:.{}f}", value, decimals);
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
  return usd == 0.0 || usd >= 0.001 ? fmt::format("{:.4f}", usd) : fmt::format("{:.2e}", usd);
}

std::string hours_text(double rank_hours) { return fmt::format("{:.4f}", rank_hours); }

std::string offers_table(const std::vector<cost::OfferPair>& pairs, double comparisons) {
  constexpr auto line = "{:<32} {:>12} {:>12} {:>16} {:>12}\n";
  std::string text = fmt::format(line, "labels by", "fixed, USD", "USD a label", "total, USD", "people / AI");
  for (const cost::OfferPair& pair : pairs) {
    for (const cost::LabelOffer* offer : {&pair.people, &pair.ai}) {
      const double total = offer->total_usd(comparisons);
      std::string ratio;
      if (offer == &pair.ai && total > 0.0) ratio = fmt::format("{:.1f}", pair.people.total_usd(comparisons) / total);
      text += fmt::format(line, offer->name, grouped(offer->fixed_usd, 2), price_text(offer->label_usd),
                          grouped(total, 2), ratio);
    }
  }
  return text;
}

std::string break_even_text(const std::vector<cost::OfferPair>& pairs) {
  const auto from = cost::no_dearer_from(pairs[0].people, pairs[1].ai);
  if (!from) return "";
  return fmt::format("a hosted judge set up costs no more than people's labels at their price from {} comparisons on\n",
                     grouped(std::ceil(*from), 0));
}

std::string uses_table(const RunCosts& run, double comparisons) {
  constexpr auto line = "{:<20} {:<20} {:<22} {:>9} {:>10} {:>9} {:>12} {:>11} {:>11} {:>11} {:>10} {:>12} {:>16}\n";
  std::string text = fmt::format(line, "judge", "stage", "price", "pairs", "responses", "labels", "tokens in", "cached",
                                 "out", "USD", "rank hours", "USD a label", "for all, USD");
  for (const cost::MeasuredUse& use : run.uses) {
    const double label = cost::usd_a_label(use, run.usd_per_rank_hour);
    text += fmt::format(
        line, use.judge, use.stage, use.price.empty() ? "-" : use.price, grouped(static_cast<double>(use.pairs), 0),
        grouped(static_cast<double>(use.responses), 0), grouped(static_cast<double>(use.labels), 0),
        grouped(static_cast<double>(use.usage.input_tokens), 0),
        grouped(static_cast<double>(use.usage.cached_input_tokens), 0),
        grouped(static_cast<double>(use.usage.output_tokens), 0), grouped(use.usage.cost_usd, 2),
        hours_text(use.rank_hours), price_text(label), std::isnan(label) ? "-" : grouped(label * comparisons, 2));
  }
  return text;
}

std::string stages_table(const RunCosts& run) {
  constexpr auto line = "{:<20} {:>6} {:>10} {:>12} {:>12}\n";
  std::string text = fmt::format(line, "stage", "ranks", "time", "rank hours", "USD");
  double hours = 0.0;
  const auto dollars = [&](double rank_hours) {
    return run.usd_per_rank_hour > 0.0 ? grouped(rank_hours * run.usd_per_rank_hour, 4) : std::string("-");
  };
  for (const StageTime& stage : run.stages) {
    text += fmt::format(line, stage.stage, fmt::format("{:.0f}", stage.ranks), format_duration(stage.wall_seconds),
                        hours_text(stage.rank_hours()), dollars(stage.rank_hours()));
    hours += stage.rank_hours();
  }
  return text + fmt::format(line, "all", "", "", hours_text(hours), dollars(hours));
}

std::string run_text(const RunCosts& run, double comparisons) {
  std::string text = fmt::format("\nmeasured in {} ({}), and for {} comparisons at that price a label\n",
                                 run.run.string(), run.name, grouped(comparisons, 0));
  text += uses_table(run, comparisons);
  if (run.uses.empty()) text += "no pair was judged so far\n";
  for (const std::string& store : run.unfinished) {
    const bool is_label_store = store.find('/') == std::string::npos;
    text += fmt::format("{}{} is not finished: what is there counts\n", is_label_store ? "preferences/" : "", store);
  }
  for (const PaidAnswers& paid : run.paid) {
    text +=
        fmt::format("answers of {}, all starts: {} paid with ${}, ${} held for requests of which nothing was heard\n",
                    paid.asker.text(), grouped(static_cast<double>(paid.answers), 0), grouped(paid.paid_usd, 6),
                    grouped(paid.unsettled_usd, 6));
  }
  text += '\n';
  text += stages_table(run);
  if (run.usd_per_rank_hour <= 0.0) return text + "machines are not priced: plan.usd_per_rank_hour is 0\n";
  return text + fmt::format("machines at ${:.2f} a rank and hour (plan.usd_per_rank_hour)\n", run.usd_per_rank_hour);
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
    json["answers"].push_back({{paid.asker.role, paid.asker.name},
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
  text += fmt::format(
      "team: {:g} people x ${:g} x {:g} h x {:g} weeks = ${} for {} comparisons, in proportion for others; platform "
      "${}\n",
      a.at("team_people"), a.at("team_hourly_usd"), a.at("team_hours_per_week"), a.at("team_weeks"),
      grouped(cost::team_wages_usd(a), 2), grouped(a.at("team_comparisons"), 0), grouped(a.at("team_platform_usd"), 2));
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
