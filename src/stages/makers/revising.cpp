#include "revising.hpp"

#include <algorithm>
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/text/blanks.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::stages {
namespace {

const text::PlaceRules critique_places{{"prompt", "response", "critique_request", "principle"},
                                       {"prompt", "response", "critique_request"}};
const text::PlaceRules revision_places{
    {"prompt", "response", "critique_request", "critique", "revision_request", "principle"},
    {"prompt", "response", "critique", "revision_request"}};
const text::PlaceRules direct_places{{"prompt", "response", "revision_request", "principle"},
                                     {"prompt", "response", "revision_request"}};

judge::Constitution read_principles(const RevisingOptions& options) {
  judge::Constitution principles = judge::load_constitution(options.principles, options.level);
  judge::require_requests(options.principles, principles,
                          options.critiques ? judge::Requests::critique_and_revision : judge::Requests::revision);
  return principles;
}

std::vector<RevisionExample> read_examples(const RevisingOptions& options, const judge::Constitution& principles) {
  std::vector<RevisionExample> examples;
  if (options.examples.empty()) return examples;
  text::for_each_json_line(options.examples, [&](const text::JsonRecord& record) {
    RevisionExample one{record.string("prompt"), record.string("response"), record.string_or("critique", ""),
                        record.string("revision")};
    const std::string& id = record.string("principle");
    const auto& all = principles.principles();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const judge::Principle& principle) { return principle.id == id; });
    if (found == all.end())
      throw input_error(
          record.file, record.line,
          "'principle' holds \"" + id + "\"; expected the id of a principle of " + options.principles.string());
    if (options.critiques && one.critique.empty())
      throw input_error(record.file, record.line, "key 'critique' is missing; a text was expected");
    one.principle = static_cast<std::size_t>(found - all.begin());
    examples.push_back(std::move(one));
  });
  if (examples.empty()) throw input_error(options.examples, "holds no example; expected at least one");
  return examples;
}

}  // namespace

void bind_revising(OptionTable& table, const std::string& section, RevisingOptions& o) {
  table.add_input(section + ".principles", &o.principles, "constitution.json",
                  "a constitution whose principles have critique and revision requests");
  table.add(section + ".level", &o.level, "", "principles of this level alone (1 to 3); 0: all")
      .at_least(0)
      .at_most(judge::Constitution::levels);
  table.add_choice<PrincipleDraw>(
      section + ".draw", &o.draw,
      {{"independent", PrincipleDraw::independent}, {"without_repeats", PrincipleDraw::without_repeats}},
      "how the principle of a step is drawn, by weight: whatever the steps before drew, or each once in a chain");
  table.add(section + ".critique", &o.critiques, "", "ask for a critique before the revision");
  table.add_input(section + ".critique_template", &o.critique_template, "writer_templates/critique.txt",
                  "the conversation that asks for a critique");
  table.add_input(section + ".revision_template", &o.revision_template, "writer_templates/revise.txt",
                  "the conversation that asks for a revision behind a critique");
  table.add_input(section + ".direct_template", &o.direct_template, "writer_templates/revise_directly.txt",
                  "the conversation that asks for a revision without a critique");
  table.add_input(section + ".examples", &o.examples, "",
                  "few-shots, shown as earlier turns: JSON Lines of prompt, response, principle (an id), critique, "
                  "revision; empty: none");
  table.add_input(section + ".stock", &o.stock, "stock_phrases.jsonl",
                  "stock openings and closings of assistants, and names of speakers in transcripts");
  table.add(
      section + ".drop_stock", &o.drops_stock, "",
      "do not take a revision that begins or ends with a stock phrase; false: take it, and count it all the same");
}

Revising::Revising(const std::string& section, RevisingOptions options, int turns, std::uint64_t seed)
    : options_(std::move(options)),
      turns_(turns),
      seed_(seed),
      principles_(read_principles(options_)),
      revision_(options_.critiques ? text::Conversation::load(options_.revision_template, revision_places)
                                   : text::Conversation::load(options_.direct_template, direct_places)),
      examples_(read_examples(options_, principles_)),
      stock_(write::StockPhrases::load(options_.stock)) {
  if (options_.critiques) critique_ = text::Conversation::load(options_.critique_template, critique_places);
  if (options_.draw == PrincipleDraw::without_repeats && static_cast<std::size_t>(turns_) > principles_.size())
    throw usage_error(section + ".turns = " + std::to_string(turns_) + ": at most " +
                      std::to_string(principles_.size()) + ", as many as " + options_.principles.string() +
                      " has principles, was expected where each is drawn once (" + section + ".draw)");
}

std::vector<std::size_t> Revising::drawn_principles(std::uint64_t prompt) const {
  std::vector<double> weights;
  for (const judge::Principle& principle : principles_.principles()) weights.push_back(principle.weight);
  std::vector<std::size_t> drawn;
  for (int step = 1; step <= turns_; ++step) {
    Rng rng(seed_, Stream::principle, {prompt, static_cast<std::uint64_t>(step)});
    drawn.push_back(rng.weighted(weights));
    if (options_.draw == PrincipleDraw::without_repeats) weights[drawn.back()] = 0.0;
  }
  return drawn;
}

text::ShownTexts Revising::texts_of(std::size_t principle) const {
  const judge::Principle& by = principles_.principles()[principle];
  text::ShownTexts texts;
  texts.principles = by.text;
  texts.critique_request = by.critique_request;
  texts.revision_request = by.revision_request;
  return texts;
}

// The template's system turn, then each example with its answer, then what is asked.
std::vector<Message> Revising::turns(const text::Conversation& template_of, const text::ShownTexts& texts,
                                     bool is_critique) const {
  std::vector<Message> asked = template_of.render(texts), all;
  const std::size_t system = asked.front().role == "system" ? 1 : 0;
  if (system == 1) all.push_back(asked.front());
  for (const RevisionExample& example : examples_) {
    text::ShownTexts shown = texts_of(example.principle);
    shown.prompt = example.prompt;
    shown.response = example.response;
    shown.critique = example.critique;
    std::vector<Message> shot = template_of.render(shown);
    all.insert(all.end(), shot.begin() + static_cast<std::ptrdiff_t>(system), shot.end());
    all.push_back({"assistant", is_critique ? example.critique : example.revision});
  }
  all.insert(all.end(), asked.begin() + static_cast<std::ptrdiff_t>(system), asked.end());
  return all;
}

std::vector<Message> Revising::critique_turns(const Prompt& prompt, const std::string& response,
                                              std::size_t principle) const {
  text::ShownTexts texts = texts_of(principle);
  texts.prompt = prompt.text;
  texts.response = response;
  return turns(critique_, texts, true);
}

std::vector<Message> Revising::revision_turns(const Prompt& prompt, const std::string& response, std::size_t principle,
                                              const std::string& critique) const {
  text::ShownTexts texts = texts_of(principle);
  texts.prompt = prompt.text;
  texts.response = response;
  texts.critique = critique;
  return turns(revision_, texts, false);
}

std::vector<std::vector<Message>> Revising::conversations(const Prompt& prompt, const std::string& response,
                                                          const std::string& critique) const {
  std::vector<std::vector<Message>> all;
  for (const std::size_t principle : drawn_principles(prompt.id)) {
    if (options_.critiques) all.push_back(critique_turns(prompt, response, principle));
    all.push_back(revision_turns(prompt, response, principle, critique));
  }
  return all;
}

// A chain at one of its steps.
struct Revising::Step {
  Chain* chain;
  std::size_t principle;
  ChainStep made = {};
  const std::string& draft() const { return chain->response_after(chain->steps.size()); }
};

std::uint64_t Revising::request_id(const Chain& chain, int step, int kind) const {
  return hash_words({seed_, chain.prompt.id, static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(kind)});
}

namespace {

// "empty" is a blank answer; other statuses have names of their own.
std::string name_of(VerdictStatus status) { return status == VerdictStatus::unparseable ? "empty" : to_string(status); }

void add_use(Chain& chain, const write::Written& written) {
  chain.usage += written.usage;
  chain.texts += 1;
}

}  // namespace

void Revising::ask_critiques(std::span<Step> steps, int number, write::Writer& writer) const {
  std::vector<write::Request> requests;
  for (const Step& step : steps)
    requests.push_back(
        {request_id(*step.chain, number, 0), critique_turns(step.chain->prompt, step.draft(), step.principle)});
  std::vector<write::Written> written = writer.write(requests);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    add_use(*steps[i].chain, written[i]);
    if (written[i].status == VerdictStatus::ok)
      steps[i].made.critique = std::move(written[i].text);
    else
      steps[i].made.outcome = "no_critique";
  }
}

void Revising::ask_revisions(std::span<Step> steps, int number, write::Writer& writer) const {
  std::vector<write::Request> requests;
  std::vector<Step*> asked;
  for (Step& step : steps) {
    if (!step.made.outcome.empty()) continue;
    asked.push_back(&step);
    requests.push_back({request_id(*step.chain, number, 1),
                        revision_turns(step.chain->prompt, step.draft(), step.principle, step.made.critique)});
  }
  std::vector<write::Written> written = writer.write(requests);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    add_use(*asked[i]->chain, written[i]);
    settle(*asked[i], requests[i].turns, std::move(written[i]));
  }
}

void Revising::settle(Step& step, std::span<const Message> request, write::Written&& written) const {
  ChainStep& made = step.made;
  made.revision = std::move(written.text);
  made.outcome = name_of(written.status);
  if (written.status != VerdictStatus::ok) return;
  if (const auto fault = write::find_fault(made.revision, request, step.draft(), stock_)) {
    const bool is_stock = fault == write::Fault::stock_opening || fault == write::Fault::stock_closing;
    (is_stock && !options_.drops_stock ? made.stock : made.outcome) = write::to_string(*fault);
    if (made.stock.empty()) return;
  }
  made.outcome = made.revision == text::trimmed(step.draft()) ? "unchanged" : "changed";
}

void Revising::revise(std::span<Chain> chains, write::Writer& writer) const {
  for (int number = 1; number <= turns_; ++number) {
    std::vector<Step> steps;
    for (Chain& chain : chains) {
      if (!chain.is_revised) continue;
      const std::size_t principle = drawn_principles(chain.prompt.id)[static_cast<std::size_t>(number - 1)];
      steps.push_back({&chain, principle});
      steps.back().made.principle = principles_.principles()[principle].id;
    }
    if (steps.empty()) return;
    if (options_.critiques) ask_critiques(steps, number, writer);
    ask_revisions(steps, number, writer);
    for (Step& step : steps) step.chain->steps.push_back(std::move(step.made));
  }
}

}  // namespace rlaif::stages
