// What servers say: replies of both protocols, headers that name a wait, words of failures.
#include "../../src/remote/failures.hpp"
#include "../../src/remote/http_limits.hpp"
#include "fuzz.hpp"
#include "rlaif/judge/prompts/parser.hpp"
#include "rlaif/remote/protocol.hpp"
#include "rlaif/text/thoughts.hpp"

#include <cmath>
#include <cstdlib>

namespace {

void read_answers(const rlaif::remote::Reply& reply) {
  using namespace rlaif::judge;
  if (reply.error.has_value() != reply.answers.empty()) std::abort();
  if (reply.error && reply.error->status < 400) std::abort();
  const rlaif::Usage& usage = reply.usage;
  if (usage.input_tokens < 0 || usage.output_tokens < 0 || usage.cached_input_tokens < 0 || reply.reasoning_tokens < 0)
    std::abort();
  for (const rlaif::remote::Answer& answer : reply.answers) {
    const rlaif::text::ThoughtfulAnswer said = rlaif::text::answer_after_thoughts(answer.text);
    read_verdict(said.text, {});
    if (tokens_of_answer(answer.tokens, said.text).size() > answer.tokens.size()) std::abort();
    for (const bool letter : {true, false}) {
      const TokenReading reading = read_tokens(answer.tokens, {}, letter, 0.1);
      if (reading.status == rlaif::VerdictStatus::ok && !(reading.p_first >= 0.0 && reading.p_first <= 1.0))
        std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlaif;
  using namespace rlaif::remote;
  static const auto openai = make_openai_protocol(openai_server());
  static const auto anthropic = make_anthropic_protocol(anthropic_server());
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size), 3);
  const std::string body(parts[0]);
  fuzz::expect_clean([&] { read_answers(openai->read(body)); });
  fuzz::expect_clean([&] { read_answers(anthropic->read(body)); });
  fuzz::expect_clean([&] {
    const auto wait = asked_wait_seconds({std::string(parts[1]), std::string(parts[2])}, 1700000000);
    if (wait && !(*wait >= 0.0 && std::isfinite(*wait))) std::abort();
  });
  fuzz::expect_clean([&] {
    const std::string name = "judge";
    for (const int status : {200, 302, 400, 401, 404, 429, 500}) {
      Failures failures;
      HttpReply reply;
      reply.failure = HttpFailure::status;
      reply.status = status;
      reply.body = body;
      failures.add(reply, {0, 1}, AskedServer{name, name, name, name, status > 402});
      failures.summary();
    }
  });
  return 0;
}
