// A model in this process as a writer.
#include <utility>

#include "rlaif/core/error.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/text/blanks.hpp"
#include "rlaif/write/writer.hpp"

namespace rlaif::write {
namespace {

class LocalWriter final : public Writer {
 public:
  LocalWriter(std::string name, const model::Transformer& model, const text::ChatEncoder& chat, LocalOptions options)
      : name_(std::move(name)), chat_(&chat), options_(options), engine_(model, {.slots = options.slots}) {
    if (chat.tokenizer().vocab_size() > engine_.vocab_size())
      throw input_error("writer '" + name_ + "': the tokenizer has " + std::to_string(chat.tokenizer().vocab_size()) +
                        " tokens, the model only " + std::to_string(engine_.vocab_size()));
  }

  const std::string& name() const override { return name_; }

  std::vector<Written> write(std::span<const Request> requests) override {
    std::vector<Written> written(requests.size());
    std::vector<generate::GenerationRequest> asked;
    std::vector<std::size_t> places;  // of what is asked, among the requests
    const std::int64_t room = engine_.max_positions() - options_.max_new_tokens;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      std::vector<TokenId> tokens = chat_->prompt(requests[i].turns);
      written[i].status = VerdictStatus::truncated;
      if (static_cast<std::int64_t>(tokens.size()) > room) continue;
      written[i].usage.input_tokens = static_cast<std::int64_t>(tokens.size());
      asked.push_back({std::move(tokens), requests[i].id, {0}});
      places.push_back(i);
    }
    if (asked.empty()) return written;
    const auto drawn = engine_.generate(asked, {options_.temperature, options_.top_k, options_.top_p,
                                                options_.max_new_tokens, engine_.end_tokens().ids(), options_.seed});
    for (std::size_t r = 0; r < asked.size(); ++r) fill(written[places[r]], drawn[r].front());
    return written;
  }

 private:
  void fill(Written& written, const generate::Generated& drawn) const {
    written.usage.output_tokens = static_cast<std::int64_t>(drawn.tokens.size()) + (drawn.ended ? 1 : 0);
    if (!drawn.ended) return;
    written.text = text::trimmed(chat_->tokenizer().decode(drawn.tokens));
    written.status = written.text.empty() ? VerdictStatus::unparseable : VerdictStatus::ok;
  }

  std::string name_;
  const text::ChatEncoder* chat_;
  LocalOptions options_;
  generate::Engine engine_;
};

}  // namespace

std::unique_ptr<Writer> make_local_writer(std::string name, const model::Transformer& model,
                                          const text::ChatEncoder& chat, LocalOptions options) {
  return std::make_unique<LocalWriter>(std::move(name), model, chat, options);
}

}  // namespace rlaif::write
