// Losses and gradients through whole models against transformers, PEFT and torch's autograd: tests/fixtures/make_loss_fixture.py
// wrote the numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "rlaif/core/json.hpp"
#include "rlaif/model/hf.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/train/losses.hpp"
#include "rlaif/train/policy_loss.hpp"
#include "train_support.hpp"

namespace rlaif::train::test {
namespace {

using torch::Tensor;

const std::filesystem::path fixtures = std::filesystem::path(RLAIF_SOURCE_DIR) / "tests" / "fixtures";
const std::vector<std::vector<TokenId>> sequences = {{3, 17, 40, 8, 22, 5, 61, 9, 30, 2}, {7, 7, 50, 12, 33, 2}};

Tensor pattern(std::int64_t count, double scale) {
  return (scale * torch::sin(1.7 * torch::arange(1, count + 1).to(torch::kFloat))).to(torch::kFloat);
}

// States before, and tokens at, every position that predicts one.
struct Predicted {
  Tensor states_Md, targets_M;
};
Predicted predicted(const model::Transformer& model) {
  std::vector<std::int64_t> rows, targets;
  std::int64_t begin = 0;
  for (const auto& tokens : sequences) {
    for (std::size_t t = 0; t + 1 < tokens.size(); ++t) {
      rows.push_back(begin + static_cast<std::int64_t>(t));
      targets.push_back(tokens[t + 1]);
    }
    begin += static_cast<std::int64_t>(tokens.size());
  }
  return {model.hidden_states(model::pack(sequences)).index_select(0, torch::tensor(rows)), torch::tensor(targets)};
}

Tensor language_model_loss(const model::Transformer& model) {
  const auto [states, targets] = predicted(model);
  const Tensor weights = torch::cat({0.5 + 0.25 * torch::arange(9), 0.5 + 0.25 * torch::arange(5)});
  return -(chosen_log_probs(states, model.output_Vd, targets) * weights).sum();
}

Tensor policy_loss(const model::Transformer& model) {
  const auto [states, targets] = predicted(model);
  const Tensor now = chosen_log_probs(states, model.output_Vd, targets, 0.7);
  const std::int64_t count = now.numel();
  return clipped_policy_loss((now - (now.detach() + pattern(count, 0.4))).exp(), pattern(count, 1.0).flip(0),
                             {0.2, 0.2})
      .sum();
}

Tensor reward_loss(const model::ScalarModel& model) {
  const auto packed = model::pack(sequences);
  const Tensor scores = model.values_N(model.body.hidden_states(packed).index_select(0, packed.last_rows_S()));
  return soft_label_cross_entropy(scores.narrow(0, 0, 1) - scores.narrow(0, 1, 1), torch::full({1}, 0.8)).sum();
}

Tensor value_loss(const model::ScalarModel& model) {
  const Tensor values = model.values_N(model.body.hidden_states(model::pack(sequences)));
  const std::int64_t count = values.numel();
  return clipped_value_loss(values, values.detach() + pattern(count, 0.5),
                            values.detach() + pattern(count, 1.0).flip(0), 0.2)
      .sum();
}

// Gradients under the names of transformers: fused layers in their parts.
std::vector<model::NamedTensor> named_gradients(const model::Transformer& model) {
  const auto& config = model.config();
  const std::int64_t queries = config.num_heads * config.head_dim, keys = config.num_kv_heads * config.head_dim;
  std::vector<model::NamedTensor> all{{"model.embed_tokens.weight", model.embedding_Vd.grad()},
                                      {"model.norm.weight", model.final_norm.weight_d.grad()}};
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    const std::string prefix = "model.layers." + std::to_string(l) + ".";
    const model::Layer& layer = model.layers[l];
    const Tensor qkv = layer.qkv.weight_OI.grad(), up = layer.up.weight_OI.grad();
    all.insert(all.end(),
               {{prefix + "input_layernorm.weight", layer.input_norm.weight_d.grad()},
                {prefix + "self_attn.q_proj.weight", qkv.narrow(0, 0, queries)},
                {prefix + "self_attn.k_proj.weight", qkv.narrow(0, queries, keys)},
                {prefix + "self_attn.v_proj.weight", qkv.narrow(0, queries + keys, keys)},
                {prefix + "self_attn.o_proj.weight", layer.output.weight_OI.grad()},
                {prefix + "post_attention_layernorm.weight", layer.post_norm.weight_d.grad()},
                {prefix + "mlp.gate_proj.weight", up.narrow(0, 0, config.intermediate_size)},
                {prefix + "mlp.up_proj.weight", up.narrow(0, config.intermediate_size, config.intermediate_size)},
                {prefix + "mlp.down_proj.weight", layer.down.weight_OI.grad()}});
  }
  return all;
}

void expect_as_in_the_fixture(const std::string& name, double loss, const std::vector<model::NamedTensor>& gradients) {
  std::ifstream file(fixtures / "train_losses.json");
  const Json expected = Json::parse(file).at(name);
  const auto decoder = rounding::decoder_of(model::load_model(fixtures / "model_tied").config(), 10);
  const double rows = 14;  // of the two sequences
  EXPECT_NEAR(loss, expected.at("loss").get<double>(), 2.0 * rounding::of_forward(decoder) * (1.0 + std::fabs(loss)));
  double largest = 0.0;
  for (const auto& [parameter, numbers] : expected.at("gradients").items())
    largest = std::max(largest, numbers[0].get<double>());
  EXPECT_EQ(gradients.size(), expected.at("gradients").size());
  for (const auto& [parameter, gradient] : gradients) {
    const Tensor flat = gradient.detach().to(torch::kFloat64).flatten();
    const Tensor probe = torch::sin(torch::arange(1, flat.numel() + 1).to(torch::kFloat64));
    const Json& numbers = expected.at("gradients").at(parameter);
    const double norm = numbers[0].get<double>(),
                 tolerance = 2.0 * rounding::of_backward(decoder, rows) * (norm + 0.01 * largest);
    EXPECT_NEAR(flat.norm().item<double>(), norm, tolerance) << name << " " << parameter;
    EXPECT_NEAR((flat * probe).sum().item<double>(), numbers[1].get<double>(), 3.0 * tolerance)
        << name << " " << parameter;
  }
}

TEST(Gradients, OfLanguageModelAndPolicyLossAreThoseOfTransformers) {
  for (const auto& [name, loss_of] :
       {std::pair{"language_model", &language_model_loss}, std::pair{"policy", &policy_loss}}) {
    auto model = model::load_model(fixtures / "model_tied");
    const FlatParameters parameters({{"model", model.parameters()}});
    const Tensor loss = loss_of(model);
    loss.backward();
    expect_as_in_the_fixture(name, loss.item<double>(), named_gradients(model));
  }
}

TEST(Gradients, OfRewardAndValueLossAreThoseOfTransformers) {
  for (const auto& [name, loss_of] : {std::pair{"reward", &reward_loss}, std::pair{"value", &value_loss}}) {
    auto model = model::load_scalar_model(fixtures / "model_score");
    const FlatParameters parameters({{"model", model.parameters()}});
    const Tensor loss = loss_of(model);
    loss.backward();
    auto gradients = named_gradients(model.body);
    gradients.emplace_back("score.weight", model.head_1d.grad());
    expect_as_in_the_fixture(name, loss.item<double>(), gradients);
  }
}

TEST(Gradients, OfAnAdapterAreThoseOfPeftAndTheBaseGetsNone) {
  auto model = model::load_model(fixtures / "model_tied");
  model::AdapterOptions options;
  options.rank = 3;
  options.alpha = 6;
  options.targets = {"q_proj", "v_proj", "o_proj", "up_proj", "down_proj"};
  options.first_layer = 1;
  model.adapter = std::make_shared<model::Adapter>(model.config(), options, 0, model.device());
  const model::Adapter::LayerParts& layer = model.adapter->layer(1);
  // A and B of every part, and how PEFT names them.
  std::vector<model::NamedTensor> views;
  const auto collect = [&](const std::string& path, const model::LowRank& low_rank, const auto& of) {
    std::int64_t b_begin = 0;
    for (std::size_t p = 0; p < low_rank.targets.size(); b_begin += low_rank.rows[p++]) {
      const std::string prefix = "base_model.model.model.layers.1." + path + "." + low_rank.targets[p] + ".lora_";
      views.emplace_back(prefix + "A.default.weight", of(low_rank.a_RI).narrow(0, static_cast<std::int64_t>(p) * 3, 3));
      views.emplace_back(prefix + "B.default.weight", of(low_rank.b_Or).narrow(0, b_begin, low_rank.rows[p]));
    }
  };
  const auto collect_all = [&](const auto& of) {
    views.clear();
    collect("self_attn", layer.qkv, of);
    collect("self_attn", layer.output, of);
    collect("mlp", layer.up, of);
    collect("mlp", layer.down, of);
  };
  collect_all([](const Tensor& tensor) { return tensor; });
  for (const auto& [name, view] : views) view.copy_(pattern(view.numel(), 0.3).view(view.sizes()));

  const FlatParameters parameters({{"model", model.trainable_parameters()}});
  const Tensor loss = language_model_loss(model);
  loss.backward();
  collect_all([](const Tensor& tensor) { return tensor.grad(); });
  expect_as_in_the_fixture("adapter", loss.item<double>(), views);
  for (const auto& [name, weight] : model.parameters()) EXPECT_FALSE(weight.grad().defined()) << name;
}

}  // namespace
}  // namespace rlaif::train::test
