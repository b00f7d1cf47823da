#include <gtest/gtest.h>

#include "family_fixture.hpp"
#include "rlaif/generate/engine.hpp"
#include "rlaif/model/hf.hpp"

namespace rlaif::generate {
namespace {

using model::FamilyFixture;

class EngineOf : public ::testing::TestWithParam<std::string> {};

TEST_P(EngineOf, ContinuesGreedilyAsTransformersDoes) {
  const FamilyFixture fixture(GetParam());
  const auto folder =
      std::filesystem::temp_directory_path() / ("rlaif_engine_" + GetParam() + std::to_string(::getpid()));
  fixture.write(folder);
  const model::Transformer transformer = model::load_model(folder);
  std::filesystem::remove_all(folder);
  Engine engine(transformer, {.slots = 7, .max_prefill_tokens = 16});
  std::vector<GenerationRequest> requests;
  for (const auto& prompt : fixture.expected.prompts) requests.push_back({prompt, requests.size(), {0, 1}});
  SamplingOptions options;
  options.temperature = 0.0;
  options.max_new_tokens = 64;
  const auto made = engine.generate(requests, options);
  for (std::size_t r = 0; r < made.size(); ++r)
    for (const Generated& sample : made[r])
      EXPECT_EQ(sample.tokens, fixture.expected.continuations[r]) << "prompt " << r;
}

INSTANTIATE_TEST_SUITE_P(All, EngineOf, ::testing::ValuesIn(FamilyFixture::names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace rlaif::generate
