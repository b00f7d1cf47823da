#include "chains.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/core/ids.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/text/blanks.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::stages {
namespace {

ChainStep step_of(const text::JsonRecord& record, const Json& entry) {
  text::JsonRecord step{record.file, record.line, entry};
  return {step.string("principle"), step.string("critique"), step.string("revision"), step.string("outcome"),
          step.string("stock")};
}

Chain chain_of(const text::JsonRecord& record) {
  Chain chain;
  record.read_prompt("prompt", chain.prompt);
  chain.prompt.id = record.number_from_zero("id");
  chain.prompt.family = record.string("family");
  chain.answer.text = record.string("answer");
  chain.answer.ended = record.boolean("ended");
  chain.is_revised = record.boolean("revised");
  const auto steps = record.object.find("steps");
  if (steps == record.object.end() || !steps->is_array())
    throw input_error(record.file, record.line, "key 'steps': a list was expected");
  for (const Json& entry : *steps) chain.steps.push_back(step_of(record, entry));
  chain.usage.input_tokens = static_cast<std::int64_t>(record.number("input_tokens"));
  chain.usage.output_tokens = static_cast<std::int64_t>(record.number("output_tokens"));
  chain.usage.cost_usd = record.number("cost_usd");
  chain.texts = static_cast<std::int64_t>(record.number("texts"));
  return chain;
}

Demonstration demonstration_after(const Chain& chain, std::size_t step) {
  Demonstration one{chain.prompt, chain.response_after(step), {{"step", step}}};
  if (step > 0) one.facts["principle"] = chain.steps[step - 1].principle;
  return one;
}

std::optional<int> whole_number(const std::string& text) {
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

const std::string& Chain::response_after(std::size_t steps_taken) const {
  for (std::size_t step = steps_taken; step > 0; --step)
    if (steps[step - 1].is_revision()) return steps[step - 1].revision;
  return answer.text;
}

std::size_t Chain::last_revision() const {
  std::size_t step = steps.size();
  while (step > 0 && !steps[step - 1].is_revision()) --step;
  return step;
}

Json to_json(const Chain& chain) {
  Json steps = Json::array();
  for (const ChainStep& step : chain.steps) {
    steps.push_back({{"principle", step.principle},
                     {"critique", step.critique},
                     {"revision", step.revision},
                     {"outcome", step.outcome},
                     {"stock", step.stock}});
  }
  return {{"prompt", text::prompt_json(chain.prompt)},
          {"id", chain.prompt.id},
          {"family", chain.prompt.family},
          {"answer", chain.answer.text},
          {"ended", chain.answer.ended},
          {"revised", chain.is_revised},
          {"steps", std::move(steps)},
          {"texts", chain.texts},
          {"input_tokens", chain.usage.input_tokens},
          {"output_tokens", chain.usage.output_tokens},
          {"cost_usd", chain.usage.cost_usd}};
}

std::vector<Chain> read_chains(const std::filesystem::path& file) {
  std::vector<Chain> chains;
  text::for_each_json_line(file, [&](const text::JsonRecord& record) { chains.push_back(chain_of(record)); });
  return chains;
}

std::string chain_file(Split split, std::int64_t block) {
  return fmt::format("{}chains-{:06}.jsonl", split == Split::train ? "" : "heldout-", block);
}

StepRange StepRange::read(const std::string& key, const std::string& text, int turns) {
  if (text == "all") return {1, static_cast<std::size_t>(turns)};
  if (text == "last") return {1, static_cast<std::size_t>(turns), true};
  const std::size_t dots = text.find("..");
  const auto first = whole_number(text.substr(0, dots));
  const auto last = dots == std::string::npos ? first : whole_number(text.substr(dots + 2));
  if (first && last && *first >= 0 && *first <= *last && *last <= turns)
    return {static_cast<std::size_t>(*first), static_cast<std::size_t>(*last)};
  throw usage_error(key + " = '" + text +
                    "': expected all, last, a step such as 1, or steps such as 1..2, from 0 (the answer) to " +
                    std::to_string(turns) + " (the turns of the chains)");
}

std::vector<Demonstration> demonstrations_of(const Chain& chain, const StepRange& range, ChainCounts& left_out) {
  std::vector<Demonstration> made;
  const auto add_answer = [&] {
    if (!chain.answer.ended)
      ++left_out["answers_unended"];
    else if (text::trimmed(chain.answer.text).empty())
      ++left_out["answers_empty"];
    else
      made.push_back(demonstration_after(chain, 0));
  };
  if (!chain.is_revised) {
    add_answer();
    return made;
  }
  const std::size_t last = chain.last_revision();
  if (range.only_last) {
    if (last > 0)
      made.push_back(demonstration_after(chain, last));
    else
      ++left_out["chains_without_revision"];
    return made;
  }
  if (range.first == 0) add_answer();
  for (std::size_t step = std::max<std::size_t>(1, range.first); step <= std::min(range.last, chain.steps.size());
       ++step) {
    if (chain.steps[step - 1].is_revision())
      made.push_back(demonstration_after(chain, step));
    else
      ++left_out["steps_without_revision"];
  }
  return made;
}

std::optional<Comparison> pair_of(const Chain& chain, ChainCounts& left_out) {
  if (!chain.is_revised) return std::nullopt;
  const std::size_t last = chain.last_revision();
  const std::string& revision = chain.response_after(last);
  if (last == 0 || revision == chain.answer.text) {
    ++left_out[last == 0 ? "chains_without_revision" : "chains_unchanged"];
    return std::nullopt;
  }
  Completion better;
  better.sample = 1;
  better.text = revision;
  better.ended = true;
  const bool better_first = (hash_words({chain.prompt.id}) & 1) == 0;
  Comparison pair{pair_id(chain.prompt.id, 0), chain.prompt, better_first ? better : chain.answer,
                  better_first ? chain.answer : better};
  pair.label = better_first ? 1.0 : 0.0;
  return pair;
}

Json chain_facts(const std::vector<Chain>& chains) {
  Json facts{{"chains", 0}, {"answers_only", 0}, {"steps", Json::array()}, {"principles", Json::object()}};
  std::int64_t revised = 0, texts = 0, unended = 0;
  Usage usage;
  for (const Chain& chain : chains) {
    revised += chain.is_revised;
    unended += !chain.answer.ended;
    texts += chain.texts;
    usage += chain.usage;
    for (std::size_t step = 0; step < chain.steps.size(); ++step) {
      while (facts["steps"].size() <= step) facts["steps"].push_back(Json::object());
      const ChainStep& one = chain.steps[step];
      Json& outcomes = facts["steps"][step];
      outcomes[one.outcome] = outcomes.value(one.outcome, 0) + 1;
      if (!one.stock.empty()) outcomes["with_" + one.stock] = outcomes.value("with_" + one.stock, 0) + 1;
      Json& principle = facts["principles"][one.principle];
      if (principle.is_null()) principle = {{"drawn", 0}, {"changed", 0}};
      principle["drawn"] = principle["drawn"].get<std::int64_t>() + 1;
      principle["changed"] = principle["changed"].get<std::int64_t>() + (one.outcome == "changed" ? 1 : 0);
    }
  }
  facts["chains"] = revised;
  facts["answers_only"] = static_cast<std::int64_t>(chains.size()) - revised;
  facts["answers_unended"] = unended;
  facts["texts"] = texts;
  facts["input_tokens"] = usage.input_tokens;
  facts["output_tokens"] = usage.output_tokens;
  facts["cost_usd"] = std::round(usage.cost_usd * 1e6) / 1e6;
  return facts;
}

}  // namespace rlaif::stages
