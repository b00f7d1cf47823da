// The table of kinds, and what they share.
#include <algorithm>
#include <filesystem>
#include <optional>

#include "kinds.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/names.hpp"
#include "rlaif/study/judge_tree.hpp"

namespace rlaif::study {

const std::vector<JudgeKindEntry>& judge_kinds() {
  static const std::vector<JudgeKindEntry> kinds{
      local_kind(), annotators_kind(),   rules_kind(),    openai_kind(),  anthropic_kind(), replay_kind(),
      given_kind(), reward_model_kind(), ensemble_kind(), cascade_kind(), hierarchy_kind()};
  return kinds;
}

const JudgeKindEntry& kind_of(const JudgeOptions& judge) {
  const auto found = std::find_if(judge_kinds().begin(), judge_kinds().end(),
                                  [&](const JudgeKindEntry& entry) { return entry.kind == judge.kind; });
  RLAIF_CHECK(found != judge_kinds().end(), "every kind of judge has an entry");
  return *found;
}

const JudgeKindEntry& judge_kind_named(const std::string& key, const std::string& name) {
  return entry_named(judge_kinds(), "kind of judge", key, name);
}

void bind_judge(OptionTable& table, JudgeOptions& judge) {
  const std::string section = "judge." + judge.name;
  std::vector<std::pair<std::string, JudgeKind>> names;
  std::string about;
  for (const JudgeKindEntry& entry : judge_kinds()) {
    names.emplace_back(entry.name, entry.kind);
    about += (about.empty() ? "" : "; ") + std::string(entry.name) + ": " + entry.about;
  }
  table.add_choice<JudgeKind>(section + ".kind", &judge.kind, names, about);
  const JudgeKindEntry& kind = kind_of(judge);
  kind.bind(table, section, judge);
  table.add_input(section + ".calibration", &judge.calibration, "",
                  kind.combine ? "what `rlaif calibrate` found out about this judge and its members"
                               : "what `rlaif calibrate` found out about this judge");
  table.add(section + ".length_correction", &judge.length_correction, "",
            "take the preference for length that the calibration found off the log-odds");
  table.keys_are_of(section, std::string("kind = ") + kind.name);
}

std::unique_ptr<judge::Judge> make_combined(const JudgeOptions& judge, const judge::FittedJudges& calibration,
                                            const MemberMaker& member) {
  const std::vector<judge::FittedJudge> fitted = fitted_members(judge, calibration);
  std::vector<judge::Member> members;
  for (const std::string& name : judge.members) members.push_back({member(name), fitted[members.size()]});
  return kind_of(judge).combine(judge, std::move(members), calibration);
}

void bind_price(OptionTable& table, const std::string& section, JudgeOptions& judge) {
  table.add(section + ".price", &judge.price, "", "name in the price table");
}

void bind_orders(OptionTable& table, const std::string& section, JudgeOptions& judge) {
  table.add_choice<judge::Orders>(section + ".orders", &judge.orders,
                                  {{"both", judge::Orders::both}, {"first_only", judge::Orders::first_only}},
                                  "orders asked and averaged");
}

void bind_principles(OptionTable& table, const std::string& section, JudgeOptions& judge) {
  table.add_input(section + ".principles", &judge.principles, "principles.txt",
                  "principles, one a line or a constitution such as constitution.json");
  table.add(section + ".level", &judge.level, "", "principles of this level alone (1 to 3); 0: all")
      .at_least(0)
      .at_most(judge::Constitution::levels);
  table.add_choice<judge::PrincipleUse>(
      section + ".principle_use", &judge.principle_use,
      {{"sample", judge::PrincipleUse::sample}, {"all", judge::PrincipleUse::all}, {"each", judge::PrincipleUse::each}},
      "one principle drawn a pair, or a prompt whose responses are scored; all of "
      "them; where responses are scored, each in a question of its own, by weight");
}

void bind_scores(OptionTable& table, const std::string& section, JudgeOptions& judge) {
  judge::ScoreOptions& o = judge.scores;
  table
      .add(section + ".least_score_mass", &o.least_mass, "",
           "where the conversation asks for a score: probability of the scale's numbers below which there is none")
      .listed_where_set()
      .at_least(0)
      .at_most(1);
  table
      .add(section + ".level_gate", &o.level_gate, "",
           "mean score that a level of principles must reach for those behind it to count (principle_use = each)")
      .listed_where_set()
      .at_least(0);
  table
      .add(section + ".score_temperature", &o.temperature, "",
           "P(first) = sigmoid(difference of rewards / this), rewards being scores on -1 to 1")
      .listed_where_set()
      .above(0);
}

void check_scores(const std::string& section, const JudgeOptions& judge, const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return;
  const std::optional<text::ScoreScale> scale = text::Conversation::load(file).scores;
  if (!scale && judge.principle_use == judge::PrincipleUse::each) {
    throw usage_error(section + ".principle_use: sample or all was expected where '" + file.string() +
                      "' compares two responses; each is for one that is scored");
  }
  if (!scale || judge.scores.level_gate <= scale->high) return;
  throw usage_error(section + ".level_gate: at most " + std::to_string(scale->high) + ", the greatest score of '" +
                    file.string() + "', was expected");
}

void bind_members(OptionTable& table, const std::string& section, JudgeOptions& judge, const std::string& order) {
  table.add(section + ".members", &judge.members, "", "names of judges" + order);
}

judge::Constitution principles_of(const JudgeOptions& judge) {
  return judge::load_constitution(judge.principles, judge.level);
}

}  // namespace rlaif::study
