#include "rlaif/tools/chat.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <optional>

#include "rlaif/core/dialogue.hpp"
#include "rlaif/core/error.hpp"
#include "rlaif/core/files.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/core/utf8.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/model/transformer.hpp"
#include "rlaif/run/layers.hpp"
#include "rlaif/study/context.hpp"
#include "rlaif/text/jsonl.hpp"

namespace rlaif::tools {
namespace {

namespace fs = std::filesystem;

// Where a text of tokens that are still coming is not certain: a character of several bytes may be half there.
std::size_t certain_bytes(const std::string& text) {
  const std::string half = "\xEF\xBF\xBD";  // U+FFFD
  std::size_t end = text.size();
  while (end >= half.size() && text.compare(end - half.size(), half.size(), half) == 0) end -= half.size();
  return end;
}

class Speaker {
 public:
  Speaker(const fs::path& folder, const ChatOptions& options)
      : read_(read_model_folder(folder, options.system, {})), engine_(*read_.model, {1, 1024}) {}

  // The answer to a conversation, written as it is drawn. Nothing where the conversation leaves no room for one.
  std::optional<std::string> answer(const std::vector<Message>& turns, const ChatOptions& options, std::uint64_t turn,
                                    std::ostream& out) {
    generate::GenerationRequest request{read_.language->chat.prompt(turns), turn, {0}};
    const std::int64_t room =
        read_.model->config().max_positions - static_cast<std::int64_t>(request.prompt_tokens.size());
    if (room < 1) return std::nullopt;
    const text::Tokenizer& tokenizer = read_.language->tokenizer;
    std::vector<TokenId> tokens;
    std::size_t written = 0;
    generate::SamplingOptions sampling{options.temperature,
                                       0,
                                       1.0,
                                       static_cast<int>(std::min<std::int64_t>(options.max_new_tokens, room)),
                                       read_.model->config().end_tokens.ids(),
                                       options.seed};
    sampling.drawn = [&](std::uint64_t, std::uint32_t, TokenId token) {
      tokens.push_back(token);
      const std::string text = tokenizer.decode_text(tokens);
      const std::size_t certain = certain_bytes(text);
      if (certain <= written) return;
      out << text.substr(written, certain - written) << std::flush;
      written = certain;
    };
    const generate::Generated generated = engine_.generate(std::span(&request, 1), sampling)[0][0];
    const std::string text = tokenizer.decode_text(generated.tokens);
    out << text.substr(std::min(written, text.size())) << (generated.ended ? "\n" : " [...]\n") << std::flush;
    return text;
  }

 private:
  FolderModel read_;
  generate::Engine engine_;
};

enum class Vote { a, b, tie, none };
std::optional<Vote> vote_of(const std::string& line) {
  if (line == "a" || line == "A") return Vote::a;
  if (line == "b" || line == "B") return Vote::b;
  if (line == "t" || line == "tie") return Vote::tie;
  if (line == "s" || line == "skip") return Vote::none;
  return std::nullopt;
}

class Conversation {
 public:
  Conversation(const ChatOptions& options, std::istream& in, std::ostream& out, bool is_spoken)
      : options_(options), in_(in), out_(out), is_spoken_(is_spoken) {
    for (const fs::path& model : options.models) speakers_.push_back(std::make_unique<Speaker>(model, options));
    if (!options.votes.empty()) {
      if (!options.votes.parent_path().empty()) make_folders(options.votes.parent_path());
      votes_ = AppendFile(options.votes, fs::exists(options.votes) ? fs::file_size(options.votes) : 0);
    }
  }

  void run() {
    for (std::string line; ask("you> ", line);) {
      if (line.empty()) {
        if (!turns_.empty()) out_ << "(a new conversation)\n";
        turns_.clear();
        continue;
      }
      turns_.push_back({"user", line});
      if (speakers_.size() == 1 ? !answer_one() : !answer_both()) {
        out_ << "(the conversation leaves no room for an answer in the model's context: a new one begins)\n";
        turns_.clear();
      }
      ++turn_;
    }
    if (speakers_.size() == 2) tell();
  }

 private:
  bool ask(const char* prompt, std::string& line) {
    if (is_spoken_) out_ << prompt << std::flush;
    if (!std::getline(in_, line)) return false;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return true;
  }

  bool answer_one() {
    const auto text = speakers_[0]->answer(turns_, options_, turn_, out_);
    if (text) turns_.push_back({"assistant", *text});
    return text.has_value();
  }

  // Which model is A, by seed, turn and what was said: who looks at the order learns nothing.
  bool swapped() const {
    return Rng(options_.seed, Stream::chat_order, {turn_, checksum(transcript(turns_))}).uniform() < 0.5;
  }

  bool answer_both() {
    const bool swap = swapped();
    std::array<std::string, 2> answers;
    for (std::size_t place = 0; place < 2; ++place) {
      out_ << (place == 0 ? "A: " : "B: ");
      const auto text = speakers_[place ^ static_cast<std::size_t>(swap)]->answer(turns_, options_, turn_, out_);
      if (!text) return false;
      answers[place] = *text;
    }
    const Vote vote = ask_vote();
    keep(vote, swap, answers);
    turns_.push_back({"assistant", answers[vote == Vote::b ? 1 : 0]});
    return true;
  }

  Vote ask_vote() {
    for (std::string line; ask("a, b, t(ie) or s(kip)? ", line);) {
      if (const auto vote = vote_of(line)) return *vote;
      if (!is_spoken_)
        throw usage_error("rlaif chat: '" + one_line(line) + "' stands where a vote was expected: a, b, t or s");
    }
    return Vote::none;
  }

  void keep(Vote vote, bool swap, const std::array<std::string, 2>& answers) {
    if (vote == Vote::none) {
      ++skipped_;
      return;
    }
    if (vote == Vote::tie)
      ++ties_;
    else
      ++wins_[static_cast<std::size_t>((vote == Vote::b) != swap)];
    if (options_.votes.empty()) return;
    Prompt prompt;
    std::vector<Message> turns = turns_;
    if (!options_.system.empty()) turns.insert(turns.begin(), {"system", options_.system});
    set_turns(prompt, std::move(turns));
    Json line{{"prompt", text::prompt_json(prompt)}, {"response_a", answers[0]}, {"response_b", answers[1]}};
    line["label"] = vote == Vote::a ? "a" : vote == Vote::b ? "b" : "tie";
    line["model_a"] = options_.models[swap ? 1 : 0].string();
    line["model_b"] = options_.models[swap ? 0 : 1].string();
    votes_.append(text::to_json_line(line) + "\n");
    votes_.sync();
  }

  void tell() {
    const std::size_t votes = wins_[0] + wins_[1] + ties_;
    out_ << votes << " votes, " << skipped_ << " skipped\n";
    for (std::size_t m = 0; m < 2; ++m)
      out_ << "  " << options_.models[m].string() << ": preferred " << wins_[m] << " times\n";
    out_ << "  ties: " << ties_ << "\n";
    if (!options_.votes.empty() && votes > 0)
      out_ << options_.votes.string() << ": labelled pairs, for maker = recorded\n";
  }

  const ChatOptions& options_;
  std::istream& in_;
  std::ostream& out_;
  bool is_spoken_;
  std::vector<std::unique_ptr<Speaker>> speakers_;
  AppendFile votes_;
  std::vector<Message> turns_;
  std::uint64_t turn_ = 0;
  std::array<std::size_t, 2> wins_{};
  std::size_t ties_ = 0, skipped_ = 0;
};

}  // namespace

void chat(const ChatOptions& options, std::istream& in, std::ostream& out, bool is_spoken) {
  RLAIF_CHECK(options.models.size() == 1 || options.models.size() == 2, "one model or two talk");
  Conversation(options, in, out, is_spoken).run();
}

}  // namespace rlaif::tools
