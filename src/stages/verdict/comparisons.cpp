#include "comparisons.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/evaluate/statistics.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::stages {
namespace {

constexpr std::uint64_t first_key = 0x66697273;  // of the draw of who stands first

double count_of_characters(const std::string& text) {
  return static_cast<double>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

Verdict tie_of_equals() {
  Verdict verdict;
  verdict.status = VerdictStatus::ok;
  verdict.p_first_by_order.fill(std::numeric_limits<double>::quiet_NaN());
  verdict.rationale = "equal responses: a tie, nobody was asked";
  return verdict;
}

}  // namespace

std::vector<Verdict> verdicts_on(std::span<const Compared> compared,
                                 const std::function<std::vector<Verdict>(std::span<const Comparison>)>& ask) {
  std::vector<Verdict> verdicts(compared.size(), tie_of_equals());
  std::vector<Comparison> asked;
  std::vector<std::size_t> places;  // of what is asked, among all
  for (std::size_t i = 0; i < compared.size(); ++i) {
    if (compared[i].is_equal) continue;
    places.push_back(i);
    asked.push_back(compared[i].comparison);
  }
  std::vector<Verdict> said = ask(asked);
  RLAIF_CHECK(said.size() == asked.size(), "a judge must give one verdict per comparison");
  for (std::size_t i = 0; i < places.size(); ++i) verdicts[places[i]] = std::move(said[i]);
  return verdicts;
}

// By the names, so that a pair of policies is judged alike whoever else is compared.
std::uint64_t comparison_id(std::uint64_t prompt, const std::string& a, const std::string& b, std::uint32_t sample) {
  return hash_words({prompt, checksum(a), checksum(b), sample});
}

ComparedPolicies::ComparedPolicies(const Study& study, ComparedPairs pairs) : names{first_policy} {
  for (const ArmOptions& arm : study.arms) {
    matchups.push_back({names.size(), 0});
    names.push_back(arm.name);
  }
  if (pairs == ComparedPairs::sft) return;
  for (std::size_t a = 1; a < names.size(); ++a)
    for (std::size_t b = a + 1; b < names.size(); ++b) matchups.push_back({a, b});
}

ComparedPolicies::ComparedPolicies(std::string a, std::string b)
    : names{std::move(b), std::move(a)}, matchups{{1, 0}} {}

EvaluationSamples::EvaluationSamples(const Context& context, const ComparedPolicies& policies, int judged_samples,
                                     HeldoutDraws draws)
    : context_(context), policies_(policies), draws_(std::move(draws)) {
  for (const std::string& name : policies.names) {
    std::map<std::int64_t, std::vector<Sample>>& of_policy = samples_.emplace_back();
    text::for_each_json_line(draws_.folder / (name + ".jsonl"), [&](const text::JsonRecord& record) {
      const auto refuse = [&](const std::string& what) { throw input_error(record.file, record.line, what); };
      if (!record.has("samples") || !record.object["samples"].is_array() ||
          record.object["samples"].size() < static_cast<std::size_t>(judged_samples))
        refuse("key 'samples': a list of at least " + std::to_string(judged_samples) + " was expected");
      std::vector<Sample>& kept = of_policy[static_cast<std::int64_t>(record.number("prompt_id"))];
      for (int k = 0; k < judged_samples; ++k) {
        const text::JsonRecord one{record.file, record.line, record.object["samples"][static_cast<std::size_t>(k)]};
        if (!one.object.is_object()) refuse("key 'samples': a list of objects was expected");
        Sample sample;
        sample.completion.sample = static_cast<std::uint32_t>(k);
        sample.completion.text = one.string("response");
        sample.completion.ended = one.boolean("ended");
        sample.utility = one.has("utility") ? one.number("utility") : std::numeric_limits<double>::quiet_NaN();
        sample.characters = count_of_characters(sample.completion.text);
        kept.push_back(std::move(sample));
      }
    });
  }
}

Compared EvaluationSamples::compared(const Prompt& prompt, std::int64_t item, std::size_t matchup,
                                     std::size_t sample) const {
  const Matchup& who = policies_.matchups[matchup];
  const Sample &a = samples_[who.a].at(item)[sample], &b = samples_[who.b].at(item)[sample];
  Compared one;
  one.item = item;
  one.matchup = matchup;
  one.comparison.id = comparison_id(prompt.id, policies_.names[who.a], policies_.names[who.b], a.completion.sample);
  one.swapped = (hash_words({context_.study.run.seed, first_key, one.comparison.id}) & 1) == 1;
  one.comparison.prompt = prompt;
  one.comparison.first = one.swapped ? b.completion : a.completion;
  one.comparison.second = one.swapped ? a.completion : b.completion;
  one.is_equal = a.completion.text == b.completion.text && a.completion.ended == b.completion.ended;
  one.length_difference = a.characters - b.characters;
  one.yardstick = evaluate::win_share(std::array{a.utility}, std::array{b.utility});
  if (std::isnan(a.utility) || std::isnan(b.utility)) one.yardstick = std::numeric_limits<double>::quiet_NaN();
  return one;
}

std::vector<Compared> EvaluationSamples::block(std::int64_t begin, std::int64_t end) const {
  std::vector<Compared> all;
  for (std::int64_t item = begin; item < end; ++item) {
    const bool is_answered =
        std::all_of(samples_.begin(), samples_.end(), [&](const auto& of_policy) { return of_policy.contains(item); });
    if (!is_answered) continue;
    const Prompt prompt = context_.task.draw(Task::Purpose::evaluate, Split::heldout, draws_.prompt_seed, item);
    for (std::size_t matchup = 0; matchup < policies_.matchups.size(); ++matchup)
      for (std::size_t k = 0; k < samples_.front().at(item).size(); ++k)
        all.push_back(compared(prompt, item, matchup, k));
  }
  return all;
}

}  // namespace rlaif::stages
