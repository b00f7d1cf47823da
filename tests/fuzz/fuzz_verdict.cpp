// A judge's words, as verdicts and scores, under the labels that follow 0xff; and any text as judges are shown it.
#include <cstdlib>

#include "fuzz.hpp"
#include "rlaif/core/utf8.hpp"
#include "rlaif/judge/prompts/parser.hpp"
#include "rlaif/judge/prompts/scores.hpp"
#include "rlaif/judge/prompts/shown_text.hpp"
#include "rlaif/text/thoughts.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rlaif;
  const auto parts = fuzz::parts_of(fuzz::text_of(data, size), 2);
  fuzz::expect_clean([&] {
    const judge::TextReading reading = judge::read_verdict(parts[0], {});
    if (reading.status == VerdictStatus::ok && reading.at >= parts[0].size()) std::abort();
    judge::read_verdict(parts[0], {"1", "2"});
    const judge::ScoreReading score = judge::read_score(parts[0], {1, 10});
    if (score.status == VerdictStatus::ok && !(score.score >= 1.0 && score.score <= 10.0)) std::abort();
    judge::read_verdict(parts[0], {"m", "M"});
    const text::ThoughtfulAnswer said = text::answer_after_thoughts(parts[0]);
    if (!parts[0].ends_with(said.text) || (said.is_thinking && !said.text.empty())) std::abort();
    const std::string shown = judge::shown_text(parts[0]);
    if (!is_valid_utf8(shown) || shown.size() < parts[0].size()) std::abort();
    std::vector<judge::TokenPosition> tokens;
    for (std::size_t at = 0; at < parts[1].size(); at += 3) {
      const std::string token(parts[1].substr(at, 3));
      tokens.push_back({token, {{token, -0.1 * static_cast<double>(at)}, {"A", -1.0}}});
    }
    judge::read_tokens(tokens, {}, false, 0.1);
    judge::read_score_tokens(tokens, {1, 10}, false, 0.1);
    judge::read_score_tokens(tokens, {1, 10}, true, 0.1);
  });
  return 0;
}
