#include "rlaif/model/adapter.hpp"

#include <algorithm>
#include <cmath>

#include "rlaif/core/error.hpp"
#include "rlaif/core/rng.hpp"
#include "rlaif/model/torch.hpp"

namespace rlaif::model {
namespace {

using torch::Tensor;

// Rows of a fused linear layer that belong to each projection.
struct Fused {
  const char* name;
  std::int64_t in, out;
  std::vector<std::string> projections;
  std::vector<std::int64_t> rows;
  LowRank Adapter::LayerParts::* member;
};

std::vector<Fused> fused_layers(const ModelConfig& config) {
  const std::int64_t d = config.hidden_size, f = config.intermediate_size;
  const std::int64_t queries = config.num_heads * config.head_dim, keys = config.num_kv_heads * config.head_dim;
  std::vector<Fused> all{
      {"qkv", d, queries + 2 * keys, {"q_proj", "k_proj", "v_proj"}, {queries, keys, keys}, &Adapter::LayerParts::qkv},
      {"output", queries, d, {"o_proj"}, {d}, &Adapter::LayerParts::output},
      {"up", d, config.up_rows(), {"up_proj"}, {f}, &Adapter::LayerParts::up},
      {"down", f, d, {"down_proj"}, {d}, &Adapter::LayerParts::down}};
  if (config.gated()) {
    all[2].projections = {"gate_proj", "up_proj"};
    all[2].rows = {f, f};
  }
  return all;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void AdapterOptions::validate(const ModelConfig& config) const {
  const auto expect = [](bool holds, const std::string& message) {
    if (!holds) throw usage_error("adapter: " + message);
  };
  expect(rank >= 1, "a rank of at least 1 was expected, found " + std::to_string(rank));
  expect(alpha > 0.0 && std::isfinite(alpha), "an alpha above 0 was expected");
  expect(
      first_layer >= 0 && first_layer < config.num_layers,
      "first_layer: expected 0 to " + std::to_string(config.num_layers - 1) + ", found " + std::to_string(first_layer));
  std::vector<std::string> known;
  for (const Fused& fused : fused_layers(config))
    known.insert(known.end(), fused.projections.begin(), fused.projections.end());
  std::string list;
  for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
  expect(!targets.empty(), "at least one target was expected, of " + list);
  for (const std::string& target : targets)
    expect(contains(known, target),
           "target \"" + target + "\" matches no projection of this model; expected some of " + list);
  for (std::size_t i = 0; i < targets.size(); ++i)
    expect(std::count(targets.begin(), targets.end(), targets[i]) == 1, "target \"" + targets[i] + "\" is named twice");
}

Adapter::Adapter(const ModelConfig& config, const AdapterOptions& options, std::uint64_t seed, torch::Device device)
    : options_(options), layers_(static_cast<std::size_t>(config.num_layers)) {
  options.validate(config);
  const torch::NoGradGuard no_gradients;
  const auto float32 = torch::TensorOptions().dtype(torch::kFloat);
  for (std::size_t l = static_cast<std::size_t>(options.first_layer); l < layers_.size(); ++l) {
    std::uint64_t number = 0;
    for (const Fused& fused : fused_layers(config)) {
      LowRank& low_rank = layers_[l].*fused.member;
      low_rank.scale = options.scale();
      std::int64_t begin = 0, total = 0;
      for (std::size_t p = 0; p < fused.projections.size(); begin += fused.rows[p++]) {
        if (!contains(options.targets, fused.projections[p])) continue;
        low_rank.targets.push_back(fused.projections[p]);
        low_rank.row_begin.push_back(begin);
        low_rank.rows.push_back(fused.rows[p]);
        total += fused.rows[p];
      }
      ++number;
      if (low_rank.empty()) continue;
      Tensor a = torch::empty({static_cast<std::int64_t>(low_rank.targets.size()) * options.rank, fused.in}, float32);
      Rng rng(seed, Stream::initialization, {std::uint64_t{1} << 32, l, number});
      const double bound = 1.0 / std::sqrt(static_cast<double>(fused.in));
      auto* const values = a.data_ptr<float>();
      for (std::int64_t i = 0; i < a.numel(); ++i) values[i] = static_cast<float>((2.0 * rng.uniform() - 1.0) * bound);
      low_rank.a_RI = a.to(device);
      low_rank.b_Or = torch::zeros({total, options.rank}, float32.device(device));
    }
  }
}

std::vector<NamedTensor> Adapter::parameters() const {
  std::vector<NamedTensor> all;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const std::string prefix = "layers." + std::to_string(l) + ".";
    const LayerParts& parts = layers_[l];
    for (const auto& [name, low_rank] : {std::pair{"qkv", &parts.qkv}, std::pair{"output", &parts.output},
                                         std::pair{"up", &parts.up}, std::pair{"down", &parts.down}}) {
      if (low_rank->empty()) continue;
      all.emplace_back(prefix + name + ".lora_a", low_rank->a_RI);
      all.emplace_back(prefix + name + ".lora_b", low_rank->b_Or);
    }
  }
  return all;
}

Adapter Adapter::clone() const {
  Adapter copy = *this;
  for (LayerParts& parts : copy.layers_)
    for (LowRank* const low_rank : {&parts.qkv, &parts.output, &parts.up, &parts.down}) {
      if (low_rank->empty()) continue;
      low_rank->a_RI = low_rank->a_RI.detach().clone();
      low_rank->b_Or = low_rank->b_Or.detach().clone();
    }
  return copy;
}

}  // namespace rlaif::model
