#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/model/torch.hpp"
#include "rlaif/model/transformer.hpp"
#include "support/rounding.hpp"

namespace rlaif::model {
namespace {

using torch::Tensor;

ModelConfig adapted_config() {
  ModelConfig config;
  config.vocab_size = 40;
  config.hidden_size = 24;
  config.num_layers = 3;
  config.num_heads = 3;
  config.num_kv_heads = 1;
  config.head_dim = 8;
  config.intermediate_size = 36;
  config.max_positions = 64;
  return config;
}

Transformer adapted_model() {
  Transformer model(adapted_config());
  model.initialize(5);
  return model;
}

// B away from zero, so that the update counts.
std::shared_ptr<Adapter> adapter_of(const ModelConfig& config, std::int64_t first_layer,
                                    const std::vector<std::string>& targets) {
  AdapterOptions options;
  options.rank = 3;
  options.alpha = 5;
  options.first_layer = first_layer;
  options.targets = targets;
  auto adapter = std::make_shared<Adapter>(config, options, 7, torch::kCPU);
  std::uint64_t key = 0;
  for (const auto& [name, tensor] : adapter->parameters()) {
    if (!name.ends_with("lora_b")) continue;
    Rng rng(3, Stream::test, {key++});
    for (std::int64_t i = 0; i < tensor.numel(); ++i)
      tensor.data_ptr<float>()[i] = static_cast<float>(0.3 * rng.normal());
  }
  return adapter;
}

const std::vector<std::string> some_targets = {"q_proj", "v_proj", "o_proj", "gate_proj", "down_proj"};

PackedSequences batch() {
  std::vector<std::vector<TokenId>> sequences;
  for (const std::size_t length : {1U, 9U, 23U}) {
    sequences.emplace_back();
    Rng rng(9, Stream::test, {length});
    for (std::size_t t = 0; t < length; ++t) sequences.back().push_back(static_cast<TokenId>(rng.below(40)));
  }
  return pack(sequences);
}

Tensor loss_of(const Transformer& model) {
  const Tensor states = model.hidden_states(batch());
  return (states * torch::sin(torch::arange(states.numel()).to(torch::kFloat)).view(states.sizes())).sum();
}

void require_gradients(const std::vector<NamedTensor>& parameters) {
  for (const auto& [name, tensor] : parameters) torch::Tensor(tensor).requires_grad_(true);
}

TEST(Adapter, StartsAsNothingAndMergedEqualsApplied) {
  Transformer model = adapted_model();
  const torch::NoGradGuard no_gradients;
  const Tensor plain = model.hidden_states(batch());
  model.adapter = std::make_shared<Adapter>(model.config(), AdapterOptions{}, 1, torch::kCPU);
  EXPECT_TRUE(torch::equal(model.hidden_states(batch()), plain));
  const double rounded = 2.0 * rounding::of_forward(rounding::decoder_of(model.config(), 64));
  for (const std::int64_t first_layer : {0, 2})
    for (const auto& targets : {projection_names(), some_targets, std::vector<std::string>{"k_proj"}}) {
      model.adapter = adapter_of(model.config(), first_layer, targets);
      const Tensor applied = model.hidden_states(batch()), merged = model.merged().hidden_states(batch());
      EXPECT_LT((applied - merged).abs().max().item<double>(), rounded * plain.abs().max().item<double>());
      EXPECT_GT((applied - plain).abs().max().item<double>(), 1e-2);
    }
}

TEST(Adapter, MergedSharesWhatIsNotAdapted) {
  Transformer model = adapted_model();
  model.adapter = adapter_of(model.config(), 2, {"q_proj"});
  const Transformer merged = model.merged();
  EXPECT_TRUE(merged.embedding_Vd.is_same(model.embedding_Vd));
  EXPECT_TRUE(merged.layers[1].qkv.weight_OI.is_same(model.layers[1].qkv.weight_OI));
  EXPECT_TRUE(merged.layers[2].down.weight_OI.is_same(model.layers[2].down.weight_OI));
  EXPECT_FALSE(merged.layers[2].qkv.weight_OI.is_same(model.layers[2].qkv.weight_OI));
}

// W + scale B A composed by torch in the place of W: gradients of A and B by autograd through the composition.
Transformer composed(const Transformer& model) {
  Transformer other = model.share();
  for (std::size_t l = 0; l < model.layers.size(); ++l) {
    const Adapter::LayerParts& parts = model.adapter->layer(l);
    const auto add = [&](Linear& linear, const LowRank& low_rank) {
      if (low_rank.empty()) return;
      std::vector<Tensor> rows;
      std::int64_t at = 0, b_begin = 0;
      for (std::size_t p = 0; p < low_rank.rows.size(); b_begin += low_rank.rows[p++]) {
        if (low_rank.row_begin[p] > at)
          rows.push_back(torch::zeros({low_rank.row_begin[p] - at, linear.weight_OI.size(1)}));
        rows.push_back(low_rank.scale * low_rank.b_Or.narrow(0, b_begin, low_rank.rows[p])
                                            .mm(low_rank.a_RI.narrow(0, static_cast<std::int64_t>(p) * 3, 3)));
        at = low_rank.row_begin[p] + low_rank.rows[p];
      }
      if (at < linear.weight_OI.size(0))
        rows.push_back(torch::zeros({linear.weight_OI.size(0) - at, linear.weight_OI.size(1)}));
      linear.weight_OI = linear.weight_OI + torch::cat(rows);
    };
    add(other.layers[l].qkv, parts.qkv);
    add(other.layers[l].output, parts.output);
    add(other.layers[l].up, parts.up);
    add(other.layers[l].down, parts.down);
  }
  return other;
}

TEST(Adapter, GradientsAreThoseOfAutogradThroughTheComposedWeights) {
  for (const auto& targets : {projection_names(), some_targets}) {
    Transformer model = adapted_model(), reference = adapted_model();
    model.adapter = adapter_of(model.config(), 1, targets);
    reference.adapter = adapter_of(model.config(), 1, targets);
    require_gradients(model.trainable_parameters());
    require_gradients(reference.trainable_parameters());
    loss_of(model).backward();
    loss_of(composed(reference)).backward();
    const auto own = model.trainable_parameters(), expected = reference.trainable_parameters();
    const double rounded = 2.0 * rounding::of_backward(rounding::decoder_of(model.config(), 64), 64);
    for (std::size_t i = 0; i < own.size(); ++i) {
      const Tensor gradient = own[i].second.grad(), wanted = expected[i].second.grad();
      EXPECT_LT((gradient - wanted).norm().item<double>(), rounded * (wanted.norm().item<double>() + 1.0))
          << own[i].first;
    }
    for (const auto& [name, tensor] : model.parameters()) EXPECT_FALSE(tensor.grad().defined()) << name;
  }
}

// Bytes of tensors that live on the CPU, at present and at most. Installed once, for the rest of the program.
class CountingAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &release, c10::Device(c10::kCPU)};
    void* const block = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
    sizes()[block] = bytes;
    live += bytes;
    peak = std::max(peak, live);
    return {block, block, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { std::memcpy(to, from, bytes); }
  static inline std::size_t live = 0, peak = 0;

 private:
  static std::map<void*, std::size_t>& sizes() {
    static auto* const all = new std::map<void*, std::size_t>;  // tensors may outlive static objects
    return *all;
  }
  static void release(void* block) {
    if (!block) return;
    const auto found = sizes().find(block);
    live -= found->second;
    sizes().erase(found);
    std::free(block);
  }
};

CountingAllocator& counter() {
  static auto* const allocator = new CountingAllocator;
  return *allocator;
}

struct Pass {
  std::vector<Tensor> gradients;
  std::size_t peak_bytes;
};

Pass training_pass(Transformer& model, bool checkpoint_activations) {
  model.checkpoint_activations = checkpoint_activations;
  require_gradients(model.trainable_parameters());
  c10::SetCPUAllocator(&counter(), 1);
  const std::size_t before = counter().live;
  counter().peak = before;
  loss_of(model).backward();
  Pass pass{{}, counter().peak - before};
  for (const auto& [name, tensor] : model.trainable_parameters()) {
    pass.gradients.push_back(tensor.grad().clone());
    torch::Tensor(tensor).mutable_grad() = Tensor();
  }
  return pass;
}

TEST(ActivationCheckpointing, ChangesNoGradientAndLowersMemory) {
  ModelConfig config = adapted_config();
  config.num_layers = 8;
  for (const std::int64_t first_layer : {-1, 0, 3}) {  // -1: no adapter
    Transformer model(config);
    model.initialize(5);
    if (first_layer >= 0) model.adapter = adapter_of(config, first_layer, some_targets);
    const Pass plain = training_pass(model, false), checkpointed = training_pass(model, true);
    for (std::size_t i = 0; i < plain.gradients.size(); ++i)
      EXPECT_TRUE(torch::equal(plain.gradients[i], checkpointed.gradients[i])) << model.trainable_parameters()[i].first;
    // What both keep is the gradients themselves.
    std::size_t gradient_bytes = 0;
    for (const Tensor& gradient : plain.gradients) gradient_bytes += gradient.nbytes();
    EXPECT_LT(checkpointed.peak_bytes - gradient_bytes, (plain.peak_bytes - gradient_bytes) * 6 / 10) << first_layer;
  }
}

TEST(AdapterOptions, ThatDoNotFitAreRefused) {
  const auto expect_refused = [](const AdapterOptions& options, const std::string& part) {
    try {
      options.validate(adapted_config());
      ADD_FAILURE() << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  AdapterOptions options;
  options.targets = {"c_attn"};
  expect_refused(options, "\"c_attn\" matches no projection");
  options = {};
  options.first_layer = 3;
  expect_refused(options, "expected 0 to 2, found 3");
  options = {};
  options.rank = 0;
  expect_refused(options, "rank of at least 1");
  options = {};
  options.targets = {};
  expect_refused(options, "at least one target");
}

}  // namespace
}  // namespace rlaif::model
