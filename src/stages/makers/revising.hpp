// How a writer is led through chains of revisions: principles are drawn, critiques and revisions are asked for, what comes back is
// checked before it takes the place of the response.
//   const Revising revising("data.revised", options, seed);
//   revising.revise(chains, *writer);   // of a block, all chains together step by step
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "chains.hpp"
#include "rlaif/core/option_table.hpp"
#include "rlaif/judge/constitution/constitution.hpp"
#include "rlaif/text/conversation.hpp"
#include "rlaif/write/faults.hpp"
#include "rlaif/write/writer.hpp"

namespace rlaif::stages {

enum class PrincipleDraw { independent, without_repeats };

struct RevisingOptions {
  std::filesystem::path principles;
  int level = 0;  // of the principles; 0: all levels
  PrincipleDraw draw = PrincipleDraw::independent;
  bool critiques = true;
  std::filesystem::path critique_template, revision_template, direct_template;
  std::filesystem::path examples;  // few-shots; empty: none
  std::filesystem::path stock;
  bool drops_stock = true;  // a revision with a stock opening or closing is not taken
};
// data.NAME.principles, .level, .draw, .critique, ...
void bind_revising(OptionTable& table, const std::string& section, RevisingOptions& options);

// An example of a critique and a revision, shown before what is asked: its turns are those of the templates.
struct RevisionExample {
  std::string prompt, response, critique, revision;
  std::size_t principle = 0;  // its place in the constitution
};

class Revising {
 public:
  // Reads the files. Throws Error(input) naming file and principle, line or place: a principle without the requests that are needed,
  // a template with a place that is not known, an example of an unknown principle; Error(usage) naming the key where fewer
  // principles than turns are drawn without repeats.
  Revising(const std::string& section, RevisingOptions options, int turns, std::uint64_t seed);

  // Places in the constitution of the principles of a chain's steps, by its prompt's id.
  std::vector<std::size_t> drawn_principles(std::uint64_t prompt) const;
  std::vector<Message> critique_turns(const Prompt& prompt, const std::string& response, std::size_t principle) const;
  std::vector<Message> revision_turns(const Prompt& prompt, const std::string& response, std::size_t principle,
                                      const std::string& critique) const;
  // All that a chain asks for, where response and critique are taken to be these texts.
  std::vector<std::vector<Message>> conversations(const Prompt& prompt, const std::string& response,
                                                  const std::string& critique) const;

  // Adds the steps to every chain that is to be revised. What is written for a chain depends on it alone.
  void revise(std::span<Chain> chains, write::Writer& writer) const;

 private:
  struct Step;

  std::vector<Message> turns(const text::Conversation& template_of, const text::ShownTexts& texts,
                             bool is_critique) const;
  text::ShownTexts texts_of(std::size_t principle) const;
  std::uint64_t request_id(const Chain& chain, int step, int kind) const;
  void ask_critiques(std::span<Step> steps, int number, write::Writer& writer) const;
  void ask_revisions(std::span<Step> steps, int number, write::Writer& writer) const;
  void settle(Step& step, std::span<const Message> request, write::Written&& written) const;

  RevisingOptions options_;
  int turns_;
  std::uint64_t seed_;
  judge::Constitution principles_;
  text::Conversation critique_, revision_;
  std::vector<RevisionExample> examples_;
  write::StockPhrases stock_;
};

}  // namespace rlaif::stages
