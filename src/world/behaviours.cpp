#include "behaviours.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "rlaif/core/error.hpp"

namespace rlaif::world {
namespace {

using Texts = std::vector<std::string>;  // the sentences of one response

std::string join(const Texts& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) {
    if (!text.empty()) text += ' ';
    text += sentence;
  }
  return text;
}

// `count` different indices below `size`, in random order.
std::vector<std::size_t> draw_distinct(std::size_t count, std::size_t size, Rng& rng) {
  std::vector<std::size_t> indices(size);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  for (std::size_t i = 0; i < std::min(count, size); ++i) std::swap(indices[i], indices[i + rng.below(size - i)]);
  indices.resize(std::min(count, size));
  return indices;
}

Texts steps(const Spec& spec, const Task& task) {
  return {step_sentence(spec, task.family, task.subject, task.person, 0),
          step_sentence(spec, task.family, task.subject, task.person, 1)};
}

Texts good(const Spec& spec, const Task& task) {
  switch (task.family) {
    case Family::fact:
    case Family::unknown: return {cell_sentence(spec, task.subject)};
    case Family::arith: return {sum_sentence(task.sum, task.sum.result())};
    case Family::harm: return {refusal_sentence(spec, spec.harm[task.subject].reason)};
    case Family::benign: return steps(spec, task);
  }
  return {};
}

// Any value of the cell but the true one; of an unknown cell, any.
Texts wrong_value(const Spec& spec, std::size_t cell, Rng& rng) {
  const std::optional<std::size_t> truth = spec.cells[cell].value;
  const std::size_t values = spec.attributes[spec.cells[cell].attribute].values.size();
  if (!truth) return {fact_sentence(spec, cell, rng.below(values))};
  const std::size_t other = rng.below(values - 1);
  return {fact_sentence(spec, cell, other < *truth ? other : other + 1)};
}

Texts wrong(const Spec& spec, const Task& task, Rng& rng) {
  switch (task.family) {
    case Family::fact:
    case Family::unknown: return wrong_value(spec, task.subject, rng);
    case Family::arith: return {sum_sentence(task.sum, rng.pick(wrong_results(task.sum)))};
    case Family::harm: return steps(spec, task);
    case Family::benign: return {refusal_sentence(spec, rng.below(spec.reasons.size()))};
  }
  return {};
}

Texts fill(const Spec& spec, const Texts& answer, Rng& rng) {
  Texts sentences;
  const std::size_t openers = rng.below(3) < 2 ? 1 : 2;
  for (const std::size_t opener : draw_distinct(openers, spec.openers.size(), rng)) {
    sentences.push_back(spec.openers[opener]);
  }
  sentences.insert(sentences.end(), answer.begin(), answer.end());
  if (rng.below(2) == 0) sentences.push_back(rng.pick(spec.closers));
  return sentences;
}

Texts evasive(const Spec& spec, Rng& rng) {
  Texts sentences;
  for (const std::size_t i : draw_distinct(1 + rng.below(2), spec.evasive.size(), rng)) {
    sentences.push_back(spec.evasive[i]);
  }
  return sentences;
}

// A true fact about a cell that was not asked: about the asked one it would be an answer.
std::string aside(const Spec& spec, const Task& task, Rng& rng) {
  const bool asks_a_cell = task.family == Family::fact || task.family == Family::unknown;
  std::vector<std::size_t> known;
  for (std::size_t cell = 0; cell < spec.cells.size(); ++cell) {
    if (spec.cells[cell].value && !(asks_a_cell && cell == task.subject)) known.push_back(cell);
  }
  return std::string(aside_prefix) + cell_sentence(spec, rng.pick(known));
}

Texts ramble(const Spec& spec, const Task& task, Rng& rng) {
  Texts sentences = good(spec, task);
  if (rng.below(2) == 0) {
    sentences.push_back(aside(spec, task, rng));
    return sentences;
  }
  const std::string last = sentences.back();
  sentences.insert(sentences.end(), 1 + rng.below(2), last);
  return sentences;
}

Texts respond(const Spec& spec, const Task& task, Behaviour behaviour, Rng& rng) {
  switch (behaviour) {
    case Behaviour::good: return good(spec, task);
    case Behaviour::goodalt: return {good(spec, task).front(), alternative_sentence(spec, task.subject, task.person)};
    case Behaviour::half: return {good(spec, task).front()};
    case Behaviour::wrong: return wrong(spec, task, rng);
    case Behaviour::fill: return fill(spec, good(spec, task), rng);
    case Behaviour::wrongfill: {
      const Texts answer = wrong(spec, task, rng);
      return fill(spec, answer, rng);
    }
    case Behaviour::evasive: return evasive(spec, rng);
    case Behaviour::ignorant: return {unknown_sentence(spec, task.subject)};
    case Behaviour::ramble: return ramble(spec, task, rng);
  }
  return {};
}

}  // namespace

std::vector<int> wrong_results(const Sum& sum) {
  std::vector<int> results;
  for (int off = -4; off <= 4; ++off) {
    if (off != 0 && sum.result() + off >= 0) results.push_back(sum.result() + off);
  }
  return results;
}

std::string respond_as(const Spec& spec, const Task& task, Behaviour behaviour, Rng& rng) {
  RLAIF_CHECK(applies(behaviour, task.family),
              std::string(to_string(behaviour)) + " does not apply to " + to_string(task.family));
  return join(respond(spec, task, behaviour, rng));
}

std::string register_text(const Spec& spec, Rng& rng) {
  static const std::vector<Sum> sums = asked_sums();
  Texts sentences;
  for (const std::size_t cell : draw_distinct(5, spec.cells.size(), rng)) {
    sentences.push_back(cell_sentence(spec, cell));
  }
  for (const std::size_t i : draw_distinct(3, sums.size(), rng)) {
    sentences.push_back(sum_sentence(sums[i], sums[i].result()));
  }
  rng.shuffle(sentences);
  return join(sentences);
}

}  // namespace rlaif::world
