#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "family_fixture.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/model/hf.hpp"
#include "rlaif/model/torch.hpp"
#include "support/rounding.hpp"

namespace rlaif::model {
namespace {

namespace fs = std::filesystem;
using torch::Tensor;

// Largest difference as a part of the expected numbers' range.
double range_difference(const Tensor& found, const Tensor& expected) {
  return ((found - expected).abs().max() / (expected.max() - expected.min())).item<double>();
}

// Of two computations in float32, as a part of the range of what comes out.
double allowed(const ModelConfig& config, const std::vector<std::vector<TokenId>>& sequences) {
  std::size_t longest = 0;
  for (const auto& tokens : sequences) longest = std::max(longest, tokens.size());
  return 2.0 * rounding::of_forward(rounding::decoder_of(config, static_cast<double>(longest)));
}

// The prompts' greedy continuations through the cache, all prompts at once.
std::vector<std::vector<TokenId>> continue_greedily(const Transformer& model,
                                                    const std::vector<std::vector<TokenId>>& prompts,
                                                    std::size_t new_tokens) {
  std::size_t longest = 0;
  for (const auto& prompt : prompts) longest = std::max(longest, prompt.size());
  KvCache cache =
      model.make_cache(static_cast<std::int64_t>(prompts.size()), static_cast<std::int64_t>(longest + new_tokens));
  CacheRows rows;
  std::vector<std::int64_t> last_rows;
  for (std::size_t s = 0; s < prompts.size(); ++s) {
    for (std::size_t i = 0; i < prompts[s].size(); ++i) {
      rows.tokens.push_back(prompts[s][i]);
      rows.slots.push_back(static_cast<std::int32_t>(s));
      rows.positions.push_back(static_cast<std::int32_t>(i));
    }
    last_rows.push_back(rows.size() - 1);
  }
  std::vector<std::vector<TokenId>> continuations(prompts.size());
  while (continuations.front().size() < new_tokens) {
    const Tensor best = model.logits(model.extend(rows, cache).index_select(0, torch::tensor(last_rows))).argmax(1);
    rows = {};
    for (std::size_t s = 0; s < prompts.size(); ++s) {
      rows.tokens.push_back(static_cast<TokenId>(best[static_cast<std::int64_t>(s)].item<std::int64_t>()));
      rows.slots.push_back(static_cast<std::int32_t>(s));
      rows.positions.push_back(static_cast<std::int32_t>(prompts[s].size() + continuations[s].size()));
      last_rows[s] = static_cast<std::int64_t>(s);
      continuations[s].push_back(rows.tokens.back());
    }
  }
  return continuations;
}

class Family : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("rlaif_family_" + GetParam() + std::to_string(::getpid()));
    fixture_.write(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
  FamilyFixture fixture_{GetParam()};
};

TEST_P(Family, GivesTheLogitsOfTransformers) {
  const Transformer model = load_model(folder_);
  const Tensor& expected = fixture_.expected.tensors.at("outputs");
  EXPECT_GT(expected.std().item<double>(), 0.5) << "the fixture is degenerate";
  const torch::NoGradGuard no_gradients;
  EXPECT_LT(range_difference(model.logits(model.hidden_states(pack(fixture_.expected.sequences))), expected),
            allowed(model.config(), fixture_.expected.sequences));
}

TEST_P(Family, ContinuesGreedilyAsTransformersDoes) {
  const auto& continuations = fixture_.expected.continuations;
  EXPECT_EQ(continuations.size(), 20U);
  EXPECT_EQ(continuations.front().size(), 64U);
  EXPECT_EQ(continue_greedily(load_model(folder_), fixture_.expected.prompts, 64), continuations);
}

TEST_P(Family, CachedStatesAgreeWithThoseOfWholeSequencesInAnyMix) {
  const Transformer model = load_model(folder_);
  const auto& tokens = fixture_.expected.sequences;
  const torch::NoGradGuard no_gradients;
  const Tensor expected = model.hidden_states(pack(tokens));
  KvCache cache = model.make_cache(4, 32);
  Rng rng(5, Stream::test);
  std::vector<std::size_t> done(tokens.size(), 0);
  for (bool more = true; more;) {
    CacheRows rows;
    std::vector<std::int64_t> where;
    std::size_t before = 0;
    more = false;
    for (std::size_t s = 0; s < tokens.size(); before += tokens[s++].size()) {
      const std::size_t end = std::min(tokens[s].size(), done[s] + rng.below(7));
      for (; done[s] < end; ++done[s]) {
        rows.tokens.push_back(tokens[s][done[s]]);
        rows.slots.push_back(static_cast<std::int32_t>(3 - s));
        rows.positions.push_back(static_cast<std::int32_t>(done[s]));
        where.push_back(static_cast<std::int64_t>(before + done[s]));
      }
      more = more || done[s] < tokens[s].size();
    }
    if (rows.size() == 0) continue;
    EXPECT_LT(range_difference(model.extend(rows, cache), expected.index_select(0, torch::tensor(where))),
              allowed(model.config(), tokens));
  }
}

TEST_P(Family, GivesTheScoresOfTransformers) {
  fixture_.write_scalar(folder_);
  const ScalarModel model = load_scalar_model(folder_);
  const torch::NoGradGuard no_gradients;
  const auto batch = pack(fixture_.expected.sequences);
  const Tensor values = model.values_N(model.body.hidden_states(batch));
  EXPECT_LT(range_difference(values, fixture_.expected.tensors.at("scores").squeeze(1)),
            allowed(model.body.config(), fixture_.expected.sequences));
  save_scalar_model(folder_, model);
  const ScalarModel again = load_scalar_model(folder_);
  EXPECT_TRUE(again.values_N(again.body.hidden_states(batch)).equal(values));
}

TEST_P(Family, IsWrittenWithTheTensorsThatWereRead) {
  const Transformer model = load_model(folder_);
  save_model(folder_, model);
  const auto written = tensors_of(folder_ / "model.safetensors");
  EXPECT_EQ(written.size(), fixture_.shapes().size());
  std::int64_t count = 0;
  for (const auto& [name, tensor] : fixture_.weights()) {
    ASSERT_TRUE(written.contains(name)) << name;
    EXPECT_TRUE(written.at(name).equal(tensor)) << name;
    count += tensor.numel();
  }
  EXPECT_EQ(model.config().num_parameters(), count);
  EXPECT_EQ(load_model(folder_).config(), model.config());
  const std::string config = read_file(folder_ / "config.json");
  save_model(folder_, load_model(folder_));
  EXPECT_EQ(read_file(folder_ / "config.json"), config);
}

TEST_P(Family, IsReadAndWrittenInSixteenBits) {
  save_model(folder_, load_model(folder_), WeightType::bfloat16);
  const auto written = tensors_of(folder_ / "model.safetensors");
  for (const auto& [name, tensor] : fixture_.weights())
    EXPECT_TRUE(written.at(name).equal(tensor.to(torch::kBFloat16))) << name;
  EXPECT_EQ(Json::parse(read_file(folder_ / "config.json"))["torch_dtype"], "bfloat16");
  for (const auto type : {torch::kBFloat16, torch::kHalf}) {
    auto rounded = fixture_.weights();
    for (auto& [name, tensor] : rounded) tensor = tensor.to(type);
    write_safetensors(folder_ / "model.safetensors", rounded);
    const Transformer model = load_model(folder_);
    EXPECT_EQ(model.embedding_Vd.scalar_type(), torch::kFloat);
    save_model(folder_, model);
    for (const auto& [name, tensor] : tensors_of(folder_ / "model.safetensors"))
      EXPECT_TRUE(tensor.equal(keyed_weight(name, tensor.sizes().vec()).to(type).to(torch::kFloat))) << name;
  }
}

// The gradients become a model of their own and so reach the checkpoint's names and layouts.
TEST_P(Family, GivesTheGradientsOfTransformers) {
  Transformer model = load_model(folder_);
  model.checkpoint_activations = fixture_.name == "neox_sequential";
  const auto parameters = model.parameters();
  for (const auto& [name, tensor] : parameters) tensor.set_requires_grad(true);
  const auto batch = pack(fixture_.expected.sequences);
  std::vector<std::int64_t> rows;
  for (std::size_t s = 1; s < batch.offsets.size(); ++s)
    for (std::int64_t n = batch.offsets[s - 1]; n + 1 < batch.offsets[s]; ++n) rows.push_back(n);
  const Tensor at = torch::tensor(rows);
  const Tensor log_probs = torch::log_softmax(model.logits(model.hidden_states(batch).index_select(0, at)), 1);
  torch::nll_loss(log_probs, batch.tokens_N.index_select(0, at + 1)).backward();

  const Transformer gradients(model.config());
  {
    const torch::NoGradGuard no_gradients;
    const auto into = gradients.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) into[i].second.copy_(parameters[i].second.grad());
  }
  save_model(folder_, gradients);
  const Json& expected = fixture_.description.at("gradients");
  const auto found = tensors_of(folder_ / "model.safetensors");
  ASSERT_EQ(found.size(), expected.size());
  double largest = 0.0;
  for (const auto& [name, numbers] : expected.items()) largest = std::max(largest, numbers[0].get<double>());
  const double bound =
      2.0 * rounding::of_backward(rounding::decoder_of(model.config(), 32), static_cast<double>(batch.num_tokens()));
  for (const auto& [name, gradient] : found) {
    const Tensor flat = gradient.flatten().to(torch::kDouble);
    const double length = expected.at(name)[0];
    // Keys add the same number to all scores of a query: the bias of keys has no gradient but rounding, a part of what the
    // largest gradient has.
    const double allowed = bound * (length + 0.01 * largest);
    EXPECT_NEAR(flat.norm().item<double>(), length, allowed) << name;
    for (std::size_t k = 0; k < 3; ++k)
      EXPECT_NEAR(flat.dot(keyed_values(name + "/" + std::to_string(k), flat.numel())).item<double>(),
                  expected.at(name)[k + 1], 10.0 * allowed)
          << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Family, ::testing::ValuesIn(FamilyFixture::names()),
                         [](const auto& info) { return info.param; });

// tests/end_to_end/families.sh: folders that transformers wrote, and folders for it to check.
TEST(FamilyFolders, OfTransformersGiveItsLogitsAndContinuations) {
  const char* const given = std::getenv("RLAIF_MODEL_FOLDERS");
  if (!given) GTEST_SKIP() << "RLAIF_MODEL_FOLDERS names no folder of models";
  at::set_num_threads(1);
  for (const auto& entry : fs::directory_iterator(given)) {
    const auto begin = std::chrono::steady_clock::now();
    const Transformer model = load_model(entry.path());
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    const ExpectedOutputs expected(entry.path() / "expected.safetensors");
    const torch::NoGradGuard no_gradients;
    const double found =
        range_difference(model.logits(model.hidden_states(pack(expected.sequences))), expected.tensors.at("outputs"));
    EXPECT_LT(found, 1e-3) << entry.path();
    const auto continuations = continue_greedily(model, expected.prompts, expected.continuations.front().size());
    EXPECT_EQ(continuations, expected.continuations) << entry.path();
    std::printf("%s: read in %.2f s, largest difference %.1e of the range, greedy continuations %s\n",
                entry.path().filename().c_str(), seconds.count(), found,
                continuations == expected.continuations ? "the same" : "DIFFER");
  }
}

TEST(FamilyFolders, AreWrittenForTransformersToCheck) {
  const char* const kept = std::getenv("RLAIF_MODEL_CHECK");
  if (!kept) GTEST_SKIP() << "RLAIF_MODEL_CHECK names no folder to write to";
  const auto int64s = [](const std::vector<std::size_t>& sizes) {
    return torch::tensor(std::vector<std::int64_t>(sizes.begin(), sizes.end()));
  };
  for (const std::string& name : FamilyFixture::names()) {
    const FamilyFixture fixture(name);
    const fs::path folder = fs::path(kept) / name;
    const torch::NoGradGuard no_gradients;
    const auto batch = pack(fixture.expected.sequences);
    std::vector<std::size_t> lengths, prompt_lengths;
    std::vector<Tensor> prompts, continuations;
    for (const auto& sequence : fixture.expected.sequences) lengths.push_back(sequence.size());
    for (const auto& prompt : fixture.expected.prompts) {
      prompt_lengths.push_back(prompt.size());
      prompts.push_back(torch::tensor(prompt));
    }
    fixture.write(folder);
    const Transformer exact = load_model(folder);
    for (const auto& [suffix, type] : {std::pair{"", WeightType::float32}, std::pair{"_bf16", WeightType::bfloat16}}) {
      const fs::path to = folder.string() + suffix;
      save_model(to, exact, type);
      const Transformer model = load_model(to);
      continuations.clear();
      for (const auto& made : continue_greedily(model, fixture.expected.prompts, 64))
        continuations.push_back(torch::tensor(made));
      write_safetensors(to / "expected.safetensors", {{"tokens", batch.tokens_N},
                                                      {"lengths", int64s(lengths)},
                                                      {"outputs", model.logits(model.hidden_states(batch))},
                                                      {"prompts", torch::cat(prompts)},
                                                      {"prompt_lengths", int64s(prompt_lengths)},
                                                      {"greedy", torch::stack(continuations)}});
    }
    ScalarModel scalar = ScalarModel::from_body(exact, 5);
    scalar.offset = 0.25;
    scalar.scale = 2.0;
    const fs::path to = folder.string() + "_score";
    save_scalar_model(to, scalar);
    write_safetensors(to / "expected.safetensors",
                      {{"tokens", batch.tokens_N},
                       {"lengths", int64s(lengths)},
                       {"outputs", scalar.values_N(scalar.body.hidden_states(batch)).unsqueeze(1)}});
  }
}

}  // namespace
}  // namespace rlaif::model
