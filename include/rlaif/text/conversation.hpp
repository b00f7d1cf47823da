// What a model is shown when it is asked about texts: turns with places for them, read from a file.
//   const Conversation conversation = Conversation::load("zero_shot.txt");
//   conversation.render({.principles = "Be brief.", .prompt = "How?", .first = "So.", .second = "Thus."});
//
// A file is UTF-8 text. Lines at its head set
//   %% style: verdict_first | rationale_first   whether the verdict comes at once or after reasons; also written
//                  %% answer: letter | reasoned
//   %% verdicts: A B        the two verdict texts; after text they are preceded by a space
//   %% scores: 1 10         in place of verdicts: one response is shown and given a whole number from 1 to 10
//   %% principles: given | none   none: {principle} and {cases} have no place in it
// and, for a model in this process,
//   %% wrap: raw | chat     raw: the rendered text is what the model continues; chat: it is a user's turn, answered
//   %% verdict_cue: TEXT    what is appended after a rationale, before the verdict; \n is a line break
//   %% rationale_cue: TEXT  what follows a verdict, before its rationale (verdict_first; used in training only)
// Then come turns, each begun by `%% system`, `%% user` or `%% assistant`; system may be the first only, then user and
// assistant by turns, and the last is the user's. White space around a turn is not part of it. A file without such lines is
// one turn of the user's: all of its text, less one line break at its end.
//
// Places for texts are {prompt}, {first}, {second}, or with scores {prompt}, {response}; {principles}, also written {principle}, and,
// of comparisons, {cases}, those of the principles; {fence}: a random word that no text contains, for marks around the texts that are judged, which
// then are shown with what could pass for marks broken. The last turn holds all of those that are judged, and where turns are marked {fence}.
// A text without marks of turns has a place for principles unless it says that it has none. Other names in braces of lower-case
// letters are refused; other braces are text. Replaced texts are never replaced again.
//
// Whoever asks for a text instead of a verdict says which places his files may have and which they must (PlaceRules); settings
// have no meaning there.
//   Conversation::load("writer_templates/critique.txt", {{"prompt", "response", "critique_request"}, {"response"}});
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rlaif/text/chat.hpp"

namespace rlaif::text {

// What stands in the places of a conversation.
struct ShownTexts {
  std::string principles = {}, prompt = {}, first = {}, second = {};
  std::string cases = "(none)", fence = {};
  // Of conversations that ask for a text, or, the response alone, for a score.
  std::string response = {}, critique = {}, critique_request = {}, revision_request = {};
};

// The places of files that ask for a text, by name.
struct PlaceRules {
  std::vector<std::string> known;
  std::vector<std::string> needed;  // in any turn
};

// Whole numbers that a response is given.
struct ScoreScale {
  int low = 1, high = 10;
};

struct Conversation {
  enum class Style { verdict_first, rationale_first };
  enum class Wrap { raw, chat };
  Style style = Style::verdict_first;  // rationale_first where turns are marked and nothing is said
  Wrap wrap = Wrap::raw;               // chat where turns are marked
  std::string verdict_first = "A", verdict_second = "B";
  std::optional<ScoreScale> scores;  // one response is shown and scored; none: two are compared
  std::string verdict_cue = "\nVerdict:";
  std::string rationale_cue = "\nReason:";
  std::vector<Message> turns;

  // Throws Error(input) naming file and line: a missing or unknown place, an unknown key or value, turns in another order.
  static Conversation load(const std::filesystem::path& file);
  // One that asks for a text. Throws Error(input) naming file and line: a place that is not known there, one that is needed and
  // missing, a setting, turns in another order.
  static Conversation load(const std::filesystem::path& file, const PlaceRules& places);
  // One turn of the user's; its places are not checked.
  static Conversation of_text(std::string text);

  // What may be answered: both verdicts, or every score from the least.
  std::vector<std::string> answers() const;
  bool has_principles() const;  // a place for them or their cases
  bool has_fence() const;
  // How many turns at the beginning are the same for every comparison: without places, those of principles aside where these
  // are always the same.
  std::size_t constant_turns(bool same_principles) const;
  std::vector<Message> render(const ShownTexts& texts) const;
  // The same as one text: contents of the turns, parted by an empty line.
  std::string render_text(const ShownTexts& texts) const;
};

}  // namespace rlaif::text
