#include <gtest/gtest.h>

#include "judge_fixture.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/text/blanks.hpp"
#include "rlaif/write/writer.hpp"

namespace rlaif::write {
namespace {

class LocalWriters : public ::testing::Test {
 protected:
  static std::vector<Request> requests() {
    std::vector<Request> all;
    for (std::uint64_t id = 0; id < 24; ++id)
      all.push_back({id, {{"user", id % 2 == 0 ? "Who is Ann?" : "Where is B?"}}});
    return all;
  }

  text::Tokenizer tokenizer_ = judge::judge_tokenizer();
  text::ChatEncoder chat_{tokenizer_, text::ChatFormat::chatml};
  model::Transformer model_ = ending_model();

 private:
  model::Transformer ending_model() const {
    model::ModelConfig config = judge::judge_model(tokenizer_).config();
    // Many of them, so that a model that learned nothing ends some of its texts.
    config.end_tokens.add({chat_.end_token()});
    for (TokenId id = 200; id < 230; ++id) config.end_tokens.add({id});
    model::Transformer model(config);
    model.initialize(3);
    return model;
  }
};

TEST_F(LocalWriters, TextsAreWhatTheEngineDrawsForTheIdAndAloneWhereTheyEnded) {
  const LocalOptions options{.temperature = 2.0, .max_new_tokens = 14, .slots = 7, .seed = 5};
  const std::vector<Request> asked = requests();
  const std::vector<Written> written = make_local_writer("w", model_, chat_, options)->write(asked);
  generate::Engine engine(model_, {});
  int ended = 0;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const std::vector<generate::GenerationRequest> one{{chat_.prompt(asked[i].turns), asked[i].id, {0}}};
    const generate::Generated drawn =
        engine.generate(one, {2.0, 0, 1.0, 14, model_.config().end_tokens.ids(), 5}).front().front();
    const std::string text = text::trimmed(tokenizer_.decode(drawn.tokens));
    ended += drawn.ended;
    EXPECT_EQ(written[i].status, !drawn.ended   ? VerdictStatus::truncated
                                 : text.empty() ? VerdictStatus::unparseable
                                                : VerdictStatus::ok);
    EXPECT_EQ(written[i].text, drawn.ended ? text : "");
    EXPECT_EQ(written[i].usage.output_tokens, std::ssize(drawn.tokens) + (drawn.ended ? 1 : 0));
    EXPECT_EQ(written[i].usage.cost_usd, 0.0);
  }
  EXPECT_GT(ended, 0);
  EXPECT_LT(ended, 24);
}

TEST_F(LocalWriters, ARequestThatDoesNotFitIsNotAsked) {
  const auto writer = make_local_writer("w", model_, chat_, {.max_new_tokens = 20});
  std::vector<Request> asked = requests();
  asked.resize(2);
  asked[0].turns.push_back({"assistant", std::string(600, 'x')});
  asked[0].turns.push_back({"user", "Again."});
  const std::vector<Written> written = writer->write(asked);
  EXPECT_EQ(written[0].status, VerdictStatus::truncated);
  EXPECT_EQ(written[0].usage.input_tokens, 0);
  EXPECT_GT(written[1].usage.input_tokens, 0);
}

}  // namespace
}  // namespace rlaif::write
