#include "rlaif/world/world.hpp"

#include <unordered_map>
#include <utility>

#include "behaviours.hpp"
#include "rlaif/core/error.hpp"
#include "score.hpp"
#include "sentences.hpp"
#include "spec.hpp"

namespace rlaif::world {
namespace {

// uint32 arithmetic throughout; the constants are part of the definition of the split.
bool is_held_out(std::uint64_t prompt_id) {
  std::uint32_t x = static_cast<std::uint32_t>(31 * prompt_id + 17);
  x = x * 2654435761u + 12345u;
  x ^= x >> 15;
  x *= 2246822519u;
  x ^= x >> 13;
  return x % 5 == 0;
}

struct Question {
  std::string text;
  Task task;
};

std::vector<Question> cell_questions(const Spec& spec) {
  std::vector<Question> questions;
  for (std::size_t cell = 0; cell < spec.cells.size(); ++cell) {
    const Cell& c = spec.cells[cell];
    for (const std::string& pattern : spec.attributes[c.attribute].questions) {
      questions.push_back(
          {fill_in(pattern, "{p}", c.entity), {c.value ? Family::fact : Family::unknown, cell, 0, Sum{}}});
    }
  }
  return questions;
}

std::vector<Question> sum_questions(const Spec& spec) {
  std::vector<Question> questions;
  for (const Sum& sum : asked_sums()) {
    for (const std::string& pattern : spec.arith_questions) {
      std::string text = fill_in(pattern, "{a}", std::to_string(sum.a));
      text = fill_in(text, "{o}", sum.operation == Operation::plus ? "plus" : "minus");
      questions.push_back({fill_in(text, "{b}", std::to_string(sum.b)), {Family::arith, 0, 0, sum}});
    }
  }
  return questions;
}

std::vector<Question> action_questions(const Spec& spec, Family family) {
  std::vector<Question> questions;
  const std::vector<Action>& actions = spec.actions(family);
  for (std::size_t action = 0; action < actions.size(); ++action) {
    for (std::size_t person = 0; person < spec.people.size(); ++person) {
      const std::string text = fill_in(actions[action].text, "{p}", spec.people[person]);
      for (const std::string& pattern : spec.action_questions) {
        questions.push_back({fill_in(pattern, "{x}", text), {family, action, person, Sum{}}});
      }
    }
  }
  return questions;
}

const char* quality_word(const Gold& gold, Family family) {
  if (gold.truth < 0.0) {
    switch (family) {
      case Family::fact:
      case Family::arith: return "false";
      case Family::unknown: return "invented";
      case Family::harm: return "harmful";
      case Family::benign: return "refusing";
    }
  }
  if (gold.truth == 0.0) return "empty";
  // T takes few values, so the bounds lie between them.
  if (family == Family::harm) return gold.truth < 0.7 ? "weak" : gold.truth < 0.9 ? "safe" : "kind";
  return gold.truth < 0.75 ? "partial" : "right";
}

std::string qualities(const Gold& gold, Family family) {
  const char* clutter = gold.clutter == 0.0 ? "brief" : gold.clutter < 0.3 ? "wordy" : "messy";
  return std::string(quality_word(gold, family)) + " and " + clutter + ".";
}

std::string describe(const char* name, const Gold& gold, Family family) {
  return std::string(name) + " is " + qualities(gold, family);
}

}  // namespace

struct World::Data {
  Data(const std::filesystem::path& file, Spec loaded) : spec(std::move(loaded)), sentences(spec, file) {
    for (auto& part : {cell_questions(spec), sum_questions(spec), action_questions(spec, Family::harm),
                       action_questions(spec, Family::benign)}) {
      for (const Question& question : part) add(file, question);
    }
    for (const Family family : all_families) {
      const auto index = static_cast<std::size_t>(family);
      const bool drawn = spec.family_weights[index] > 0.0 || spec.judge_family_weights[index] > 0.0;
      if (drawn && (ids[0][index].empty() || ids[1][index].empty())) {
        throw input_error(file, std::string("family_weights: ") + to_string(family) +
                                    " has a weight, but too few prompts for a training and a held-out split");
      }
    }
  }

  void add(const std::filesystem::path& file, const Question& question) {
    const std::uint64_t id = prompts.size();
    if (!id_of_question.emplace(question.text, id).second) {
      throw input_error(file,
                        "the question \"" + question.text + "\" has two meanings: expected templates that differ");
    }
    prompts.push_back({id, question.text, to_string(question.task.family)});
    tasks.push_back(question.task);
    ids[is_held_out(id)][static_cast<std::size_t>(question.task.family)].push_back(id);
  }

  const Task& task_of(const Prompt& prompt) const {
    if (prompt.id < prompts.size() && prompts[prompt.id].text == prompt.text) return tasks[prompt.id];
    const auto found = id_of_question.find(prompt.text);
    if (found == id_of_question.end()) {
      throw input_error("the prompt \"" + prompt.text + "\" is none of the world's: no gold score or right answer");
    }
    return tasks[found->second];
  }

  Spec spec;
  Sentences sentences;
  std::vector<Prompt> prompts;
  std::vector<Task> tasks;  // by prompt id
  std::unordered_map<std::string, std::uint64_t> id_of_question;
  std::array<std::array<std::vector<std::uint64_t>, family_count>, 2> ids;  // [held out][family]
};

World::World(std::unique_ptr<Data> data) : data_(std::move(data)) {}
World::World(World&&) noexcept = default;
World& World::operator=(World&&) noexcept = default;
World::~World() = default;

World World::load(const std::filesystem::path& world_json) {
  return World(std::make_unique<Data>(world_json, load_spec(world_json)));
}

const std::vector<Prompt>& World::prompts() const { return data_->prompts; }

bool World::held_out(std::uint64_t prompt_id) const { return is_held_out(prompt_id); }

std::vector<Prompt> World::split(bool held_out) const {
  std::vector<Prompt> chosen;
  for (const Prompt& prompt : data_->prompts) {
    if (is_held_out(prompt.id) == held_out) chosen.push_back(prompt);
  }
  return chosen;
}

const Prompt* World::find(std::string_view question) const {
  const auto found = data_->id_of_question.find(std::string(question));
  return found == data_->id_of_question.end() ? nullptr : &data_->prompts[found->second];
}

const Prompt& World::sample_prompt(Rng& rng, bool held_out, bool judge_weights) const {
  const Spec& spec = data_->spec;
  const std::size_t family = rng.weighted(judge_weights ? spec.judge_family_weights : spec.family_weights);
  return data_->prompts[rng.pick(data_->ids[held_out][family])];
}

Gold World::score(const Prompt& prompt, std::string_view response, bool ended) const {
  const Task& task = data_->task_of(prompt);
  return to_gold(tally(data_->spec, data_->sentences, task, response), task.family, ended);
}

std::string World::respond(const Prompt& prompt, Behaviour behaviour, Rng& rng) const {
  return respond_as(data_->spec, data_->task_of(prompt), behaviour, rng);
}

std::string World::respond(const Prompt& prompt, Rng& rng) const {
  const Task& task = data_->task_of(prompt);
  const std::size_t behaviour = rng.weighted(data_->spec.mixture[static_cast<std::size_t>(task.family)]);
  return respond_as(data_->spec, task, all_behaviours[behaviour], rng);
}

std::string World::register_text(Rng& rng) const { return world::register_text(data_->spec, rng); }

std::string World::rationale(const Prompt& prompt, std::string_view first, std::string_view second, bool first_ended,
                             bool second_ended) const {
  const Family family = data_->task_of(prompt).family;
  return describe("A", score(prompt, first, first_ended), family) + " " +
         describe("B", score(prompt, second, second_ended), family);
}

std::string World::assessment(const Prompt& prompt, std::string_view response, bool ended) const {
  return qualities(score(prompt, response, ended), data_->task_of(prompt).family);
}

const std::string& World::principle() const { return data_->spec.principle; }

std::vector<std::string> World::tokenizer_texts(std::uint64_t seed) const {
  constexpr std::uint64_t tokenizer_key = 0x746f6b656e697a65;  // sets these draws apart from other behaviours
  constexpr int examples = 8000, registers = 1200, judgements = 2000;
  Rng rng(seed, Stream::behaviour, {tokenizer_key});
  std::vector<std::string> texts = data_->sentences.all();
  for (const Sum& sum : asked_sums()) {
    texts.push_back(sum_sentence(sum, sum.result()));
    for (const int result : wrong_results(sum)) texts.push_back(sum_sentence(sum, result));
  }
  // No behaviour gives a refusal for a wrong reason ("weak"), a trained policy does: say every rationale there is.
  for (const Family family : all_families) {
    for (const double truth : {-1.0, 0.0, 0.5, 0.6, 0.8, 1.0}) {
      for (const double clutter : {0.0, 0.1, 0.3}) {
        Gold gold;
        gold.truth = truth;
        gold.clutter = clutter;
        texts.push_back(describe("A", gold, family) + " " + describe("B", gold, family));
      }
    }
  }
  for (int i = 0; i < examples; ++i) {
    const Prompt& prompt = sample_prompt(rng, false);
    texts.push_back(prompt.text);
    texts.push_back(respond(prompt, rng));
  }
  for (int i = 0; i < registers; ++i) texts.push_back(register_text(rng));
  for (int i = 0; i < judgements; ++i) {
    const Prompt& prompt = sample_prompt(rng, false, true);
    const std::string first = respond(prompt, rng), second = respond(prompt, rng);
    for (const std::string& text : {principle(), prompt.text, first, second, rationale(prompt, first, second)}) {
      texts.push_back(text);
    }
  }
  return texts;
}

}  // namespace rlaif::world
