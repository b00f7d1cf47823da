// The best of n responses of sft by every reward model: what the yardstick and the reward model say of it, beside the bound of its
// KL. Policies that are trained against the same reward model are held against this curve.
#include <fmt/format.h>

#include <algorithm>

#include "rlaif/evaluate/best_of_n.hpp"
#include "rlaif/evaluate/statistics.hpp"
#include "tables.hpp"

namespace rlaif::stages {
namespace {

// One point of the curve.
Json point(const Evaluated& evaluated, const std::string& labels, std::size_t n) {
  const PolicySamples& sft = evaluated.samples.at("sft");
  std::map<std::string, std::vector<double>> opponents;  // by prompt
  for (std::size_t i = 0; i < sft.prompts.size(); ++i) opponents.emplace(sft.prompts[i], sft.utilities[i]);
  std::map<std::string, ByPrompt> numbers;
  for (const Json& line : evaluated.best_of_n) {
    const std::string prompt = prompt_key(line);
    const auto known = opponents.find(prompt);
    std::vector<double> scores, utilities, lengths, wins, ended;
    for (const Json& sample : line["samples"]) {
      scores.push_back(sample["scores"][labels].get<double>());
      utilities.push_back(sample["utility"].get<double>());
      lengths.push_back(sample["tokens"].get<double>());
      ended.push_back(sample["ended"].get<bool>() ? 1.0 : 0.0);
      if (known != opponents.end())
        wins.push_back(evaluate::win_share(std::vector<double>{utilities.back()}, known->second));
    }
    const auto add = [&](const char* name, const std::vector<double>& values) {
      if (!values.empty()) numbers[name].add(prompt, evaluate::best_of_n_mean(scores, values, n));
    };
    add("score", scores);
    add("utility", utilities);
    add("length", lengths);
    add("ended", ended);
    add("win_rate_vs_sft", wins);
  }
  const std::uint64_t seed = evaluated.context.study.run.seed;
  Json row{{"kl_bound", evaluate::best_of_n_kl_bound(n)}};
  for (const auto& [name, of] : numbers) put_interval(row, name, of.mean(seed, evaluated.resamples));
  return row;
}

}  // namespace

Json best_of_n_rows(const Evaluated& evaluated) {
  Json rows = Json::object();
  if (evaluated.best_of_n.empty()) return rows;
  const Json& samples = evaluated.best_of_n.front()["samples"];
  for (const auto& [labels, score] : samples.front()["scores"].items()) {
    for (std::size_t n = 1; n <= samples.size(); n *= 2)
      rows["best_of_n"][labels][std::to_string(n)] = point(evaluated, labels, n);
  }
  return rows;
}

std::string best_of_n_text(const Printed& printed) {
  if (!printed.results.contains("best_of_n")) return "";
  std::string text;
  for (const auto& [labels, curve] : printed.results["best_of_n"].items()) {
    text += fmt::format("\nbest of n of sft by reward-{}\n{:>6} {:>9} {:<20} {:>9} {:>9} {:>7}\n", labels, "n",
                        "KL, most", "wins vs sft, %", "utility", "score", "length");
    for (const auto& [n, row] : curve.items()) {
      text += fmt::format("{:>6} {:>9.3f} {:<20} {:>9.3f} {:>9.3f} {:>7.1f}\n", n, number(row, "kl_bound"),
                          share_text(row, "win_rate_vs_sft"), number(row, "utility"), number(row, "score"),
                          number(row, "length"));
    }
  }
  return text + "\n";
}

}  // namespace rlaif::stages
