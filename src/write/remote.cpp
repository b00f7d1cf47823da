// Writers behind HTTP.
#include <utility>

#include "rlaif/core/rng.hpp"
#include "rlaif/remote/client.hpp"
#include "rlaif/text/blanks.hpp"
#include "rlaif/text/thoughts.hpp"
#include "rlaif/write/writer.hpp"

namespace rlaif::write {
namespace {

// Makes the questions of requests.
class Questions {
 public:
  Questions(const std::string& asker, const RemoteOptions& options, const RemoteParts& parts,
            const remote::Protocol& protocol)
      : options_(&options), pricer_(asker, options, protocol, parts.price, parts.count_tokens, {}, 1) {}

  const remote::Pricer& pricer() const { return pricer_; }

  // The id is part of the question: two requests of the same turns are two draws, each paid once wherever it is made.
  remote::Question question(const Request& request) const {
    const int draw = static_cast<int>(hash_words({request.id}) & 0x7fffffffu);
    remote::Question question = pricer_.question(request.turns, hash_words({options_->seed, request.id}), draw);
    question.topic = request.id;
    return question;
  }
  bool fits(const remote::Question& question) const {
    return options_->context_tokens == 0 ||
           question.likely_input_tokens + options_->max_output_tokens <= options_->context_tokens;
  }

 private:
  const RemoteOptions* options_;
  remote::Pricer pricer_;
};

class RemoteWriter final : public Writer {
 public:
  RemoteWriter(std::string name, RemoteOptions options, RemoteParts parts, std::unique_ptr<remote::Protocol> protocol)
      : name_(std::move(name)),
        options_(std::move(options)),
        protocol_(std::move(protocol)),
        questions_("writer " + name_, options_, parts, *protocol_),
        client_({"writer", name_}, options_, *protocol_, questions_.pricer(), parts.answers, parts.meter) {}

  const std::string& name() const override { return name_; }

  std::vector<Written> write(std::span<const Request> requests) override {
    std::vector<remote::Question> questions;
    for (const Request& request : requests) questions.push_back(questions_.question(request));
    std::vector<remote::Question*> asked;
    for (remote::Question& question : questions) {
      if (questions_.fits(question))
        asked.push_back(&question);
      else
        question.status = VerdictStatus::truncated;
    }
    client_.ask(asked);
    std::vector<Written> written;
    for (const remote::Question& question : questions) written.push_back(read(question));
    return written;
  }

 private:
  Written read(const remote::Question& question) const {
    Written written;
    written.status = question.status;
    if (!question.reply) return written;
    const remote::Reply reply = protocol_->read(*question.reply);
    written.usage = client_.usage_of(question, reply);
    if (reply.answers.empty()) return written;
    const remote::Answer& answer = reply.answers.front();
    written.status = answer.status;
    if (answer.status != VerdictStatus::ok) return written;
    const text::ThoughtfulAnswer said = text::answer_after_thoughts(answer.text);
    written.text = text::trimmed(said.text);
    if (said.is_thinking)
      written.status = VerdictStatus::truncated;
    else if (written.text.empty())
      written.status = VerdictStatus::unparseable;
    return written;
  }

  std::string name_;
  RemoteOptions options_;
  std::unique_ptr<remote::Protocol> protocol_;
  Questions questions_;
  remote::Client client_;
};

remote::Estimate estimate_of(const RemoteOptions& options, const RemoteParts& parts, std::span<const Request> requests,
                             std::int64_t answer_tokens, const remote::Protocol& protocol) {
  const Questions made("estimate", options, parts, protocol);
  std::vector<remote::Question> questions;
  std::int64_t too_long = 0;
  for (const Request& request : requests) {
    remote::Question question = made.question(request);
    if (made.fits(question))
      questions.push_back(std::move(question));
    else
      ++too_long;
  }
  std::vector<const remote::Question*> asked;
  for (const remote::Question& question : questions) asked.push_back(&question);
  remote::Estimate estimate = remote::estimate(asked, made.pricer(), protocol, parts.answers.get(), answer_tokens);
  estimate.too_long = too_long;
  return estimate;
}

}  // namespace

RemoteOptions openai_options() { return {remote::openai_server()}; }
RemoteOptions anthropic_options() { return {remote::anthropic_server()}; }

std::unique_ptr<Writer> make_openai_writer(std::string name, RemoteOptions options, RemoteParts parts) {
  auto protocol = remote::make_openai_protocol(options);
  return std::make_unique<RemoteWriter>(std::move(name), std::move(options), std::move(parts), std::move(protocol));
}

std::unique_ptr<Writer> make_anthropic_writer(std::string name, RemoteOptions options, RemoteParts parts) {
  auto protocol = remote::make_anthropic_protocol(options);
  return std::make_unique<RemoteWriter>(std::move(name), std::move(options), std::move(parts), std::move(protocol));
}

remote::Estimate estimate_openai(const RemoteOptions& options, const RemoteParts& parts,
                                 std::span<const Request> requests, std::int64_t answer_tokens) {
  return estimate_of(options, parts, requests, answer_tokens, *remote::make_openai_protocol(options));
}

remote::Estimate estimate_anthropic(const RemoteOptions& options, const RemoteParts& parts,
                                    std::span<const Request> requests, std::int64_t answer_tokens) {
  return estimate_of(options, parts, requests, answer_tokens, *remote::make_anthropic_protocol(options));
}

}  // namespace rlaif::write
